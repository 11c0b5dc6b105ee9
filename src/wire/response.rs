//! The endpoint's response, which a transport returns and an envelope interprets.

use std::time::Duration;

use super::retry_after;
use crate::timestamp::Timestamp;

/// The endpoint's response to a request.
///
/// ```
/// use candor::transport::Response;
///
/// let busy = Response::status(429).with_retry_after("30").with_body("slow down");
/// assert_eq!(busy.wait().unwrap().as_secs(), 30);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The value of the `Retry-After` header, unchanged.
    pub retry_after: Option<String>,
    /// The body, truncated at [`Request::max_response_bytes`](crate::transport::Request::max_response_bytes).
    pub body: Vec<u8>,
    /// Whether the body was read to its end.
    pub is_complete: bool,
    /// When the response arrived, against which a date in `Retry-After` is compared. The client sets it after the
    /// transport has returned; a transport need not set it.
    pub received_at: Timestamp,
}

impl Response {
    /// Creates a response with a status, no headers and an empty body.
    pub fn status(status: u16) -> Self {
        let received_at = Timestamp::from_unix_millis(0);
        Self { status, retry_after: None, body: Vec::new(), is_complete: true, received_at }
    }

    /// Sets the body.
    #[must_use]
    pub fn with_body(self, body: impl Into<Vec<u8>>) -> Self {
        Self { body: body.into(), ..self }
    }

    /// Sets the `Retry-After` header: a number of seconds, or a date.
    #[must_use]
    pub fn with_retry_after(self, retry_after: impl Into<String>) -> Self {
        Self { retry_after: Some(retry_after.into()), ..self }
    }

    /// Returns how long the endpoint asks the client to wait; `None` if that is zero, in the past or unreadable.
    pub fn wait(&self) -> Option<Duration> {
        retry_after::parse(self.retry_after.as_deref()?, self.received_at)
    }
}
