//! How requests are sent: implement [`Transport`] to replace the built-in HTTP client.
//!
//! A transport receives one finished [`Request`] at a time and returns the response. It never retries and never
//! inspects a body. Set one with [`Config::transport`](crate::Config::transport); in tests, use
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

/// A request that is ready to be sent.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Request<'a> {
    /// The whole URL.
    pub url: &'a str,
    /// All headers that the protocol requires; the transport adds the application's own and those of HTTP.
    pub headers: &'a [(&'static str, String)],
    /// The body, already compressed if there is a `Content-Encoding`.
    pub body: &'a [u8],
    /// The maximum time for the whole request, from resolving the name to the last byte of the response.
    pub timeout: Duration,
    /// The maximum number of bytes of the response's body to read.
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

/// The reason why there is no response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SendError {
    /// The request never left: the name did not resolve, the connection was refused, TLS failed.
    NotSent(String),
    /// The request may have arrived: it timed out, or the connection broke.
    Unknown(String),
    /// The response cannot be read: it is not HTTP, or its head is too large. The request may have been accepted.
    BadResponse(String),
    /// The transport was stopped by [`Transport::abort`].
    Aborted,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent(why) => write!(f, "not sent: {why}"),
            Self::Unknown(why) => write!(f, "no response: {why}"),
            Self::BadResponse(why) => write!(f, "unreadable response: {why}"),
            Self::Aborted => f.write_str("aborted"),
        }
    }
}

impl std::error::Error for SendError {}

/// Sends requests, one at a time.
///
/// An application or a test sets its own with [`Config::transport`](crate::Config::transport).
pub trait Transport: Send + Sync {
    /// Sends one request and waits for the response, for at most the request's timeout.
    ///
    /// A response with any status is `Ok`, including a redirect, which must not be followed.
    ///
    /// # Errors
    ///
    /// A [`SendError`] if there is no response.
    fn send(&self, request: &Request<'_>) -> std::result::Result<Response, SendError>;

    /// Aborts the request in flight and refuses every later one.
    ///
    /// Called from another thread when a deadline has passed or consent was withdrawn. Does nothing by default.
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

/// Creates a transport. It is called again for each grant of consent, of which the token is proof.
pub type TransportFactory = dyn Fn(Granted) -> Result<Box<dyn Transport>> + Send + Sync;
