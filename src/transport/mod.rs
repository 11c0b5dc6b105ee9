//! How requests travel: implement [`Transport`] where the built-in HTTP client is not what is wanted.
//!
//! A transport is handed one finished [`Request`] at a time and returns what came back. It never retries and never looks
//! into a body. Set one with [`Config::transport`](crate::Config::transport); tests take
//! [`MemoryTransport`](crate::testing::MemoryTransport).

mod http;
pub(crate) mod memory;
mod tls;

use std::fmt;
use std::time::Duration;

use crate::consent::Granted;
use crate::error::Result;

pub use crate::wire::response::Response;
pub(crate) use http::HttpTransport;

/// One request, ready to be sent as it is.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Request<'a> {
    /// The whole URL.
    pub url: &'a str,
    /// All headers that the protocol asks for; a transport adds the application's own and those of HTTP itself.
    pub headers: &'a [(&'static str, String)],
    /// The body, compressed already where `Content-Encoding` says so.
    pub body: &'a [u8],
    /// Time for the whole request, from resolving the name to the last byte of the answer.
    pub timeout: Duration,
    /// At most this many bytes of the answer's body are worth reading.
    pub max_response_bytes: usize,
}

impl fmt::Debug for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A header may carry the API key.
        f.debug_struct("Request")
            .field("url", &self.url)
            .field("bytes", &self.body.len())
            .finish_non_exhaustive()
    }
}

/// Why there is no response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// The request never left: the name did not resolve, the connection was refused, TLS failed.
    NotSent(String),
    /// The request may have arrived: the time was up, or the connection broke on the way.
    Unknown(String),
    /// An answer came that cannot be read: it is not HTTP, or its head is too large. The request may have been taken.
    BadResponse(String),
    /// The transport was cut by [`Transport::abort`].
    Aborted,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent(why) => write!(f, "not sent: {why}"),
            Self::Unknown(why) => write!(f, "no answer: {why}"),
            Self::BadResponse(why) => write!(f, "unreadable answer: {why}"),
            Self::Aborted => f.write_str("cut short"),
        }
    }
}

impl std::error::Error for SendError {}

/// Sends requests, one at a time, on the worker's thread.
///
/// An application or a test brings its own through [`Config::transport`](crate::Config::transport).
pub trait Transport: Send + Sync {
    /// Sends one request and waits for the answer, within the request's time.
    ///
    /// Any status is an answer, redirects included: they are never followed.
    fn send(&self, request: &Request<'_>) -> std::result::Result<Response, SendError>;

    /// Cuts a request in flight short and refuses every later one. Called from another thread when a
    /// deadline has passed or consent was withdrawn.
    fn abort(&self) {}
}

impl<T: Transport + ?Sized> Transport for std::sync::Arc<T> {
    fn send(&self, request: &Request<'_>) -> std::result::Result<Response, SendError> {
        (**self).send(request)
    }

    fn abort(&self) {
        (**self).abort();
    }
}

/// Creates a transport once consent is granted, which the token proves; called anew for each grant.
pub type TransportFactory = dyn Fn(Granted) -> Result<Box<dyn Transport>> + Send + Sync;
