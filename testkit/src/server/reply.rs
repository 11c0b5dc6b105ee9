//! What the server does with one request.

use std::sync::Arc;
use std::time::Duration;

use super::Received;

/// One scripted reply.
#[derive(Clone)]
pub struct Reply {
    pub manner: Manner,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
    pub is_held: bool,
    pub closes: bool,
    pub reads_slowly: Option<Duration>,
}

#[derive(Clone)]
pub enum Manner {
    Plain,
    ResetBeforeBody,
    StallBeforeBody,
    ResetAfterBody,
    Half,
    Stall,
    Trickle(Duration),
    Garbage,
    Endless,
    Raw,
    Judged(Arc<dyn Fn(&Received) -> Reply + Send + Sync>),
}

impl Reply {
    fn new(manner: Manner, status: u16) -> Self {
        let body = br#"{"status":1}"#.to_vec();
        Self { manner, status, headers: Vec::new(), body, is_held: false, closes: false, reads_slowly: None }
    }

    /// Answers 200 with the body of PostHog's older server.
    pub fn ok() -> Self {
        Self::status(200)
    }

    /// Answers with this status.
    pub fn status(status: u16) -> Self {
        Self::new(Manner::Plain, status)
    }

    /// Chooses the reply after reading the whole request.
    pub fn judged(judge: impl Fn(&Received) -> Self + Send + Sync + 'static) -> Self {
        Self::new(Manner::Judged(Arc::new(judge)), 200)
    }

    /// Resets the connection after reading the request's head, without its body.
    pub fn reset_before_body() -> Self {
        Self::new(Manner::ResetBeforeBody, 0)
    }

    /// Reads only the request's head, and never answers.
    pub fn stall_before_body() -> Self {
        Self::new(Manner::StallBeforeBody, 0)
    }

    /// Reads the whole request, then resets the connection without an answer.
    pub fn reset_after_body() -> Self {
        Self::new(Manner::ResetAfterBody, 0)
    }

    /// Sends the status and half of the announced body, then closes the connection.
    pub fn half(status: u16) -> Self {
        Self::new(Manner::Half, status)
    }

    /// Reads the whole request, and never answers.
    pub fn stall() -> Self {
        Self::new(Manner::Stall, 0)
    }

    /// Sends the status line and the headers byte by byte, with this pause between them.
    pub fn trickle(pause: Duration) -> Self {
        Self::new(Manner::Trickle(pause), 200)
    }

    /// Answers with bytes that are not HTTP, then closes the connection.
    pub fn garbage() -> Self {
        Self::new(Manner::Garbage, 0)
    }

    /// Answers with exactly these bytes, then closes the connection.
    pub fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self { body: bytes.into(), ..Self::new(Manner::Raw, 0) }
    }

    /// Answers with this status and an endless body.
    pub fn endless(status: u16) -> Self {
        Self::new(Manner::Endless, status)
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sets the body.
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// Returns the body.
    pub fn body_text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Holds the reply until [`Server::release`](super::Server::release).
    pub fn held(mut self) -> Self {
        self.is_held = true;
        self
    }

    /// Reads the body in pieces of 4 KiB, with this pause between them.
    pub fn reading_slowly(mut self, pause: Duration) -> Self {
        self.reads_slowly = Some(pause);
        self
    }

    /// Closes the connection after the reply.
    pub fn closing(mut self) -> Self {
        self.closes = true;
        self
    }
}
