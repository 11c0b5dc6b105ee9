//! A transport without a network, for tests.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Request, Response, SendError, Transport};

/// A request as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// The whole URL.
    pub url: String,
    /// The protocol's headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body as it would have travelled.
    pub body: Vec<u8>,
}

/// Keeps what was sent, and answers from a script; where the script has ended, with 200.
///
/// Clones share what they keep, so that a test holds one and the client another.
#[derive(Clone, Debug, Default)]
pub struct MemoryTransport {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    sent: Vec<Sent>,
    script: VecDeque<Result<Response, SendError>>,
    is_aborted: bool,
}

impl MemoryTransport {
    /// Creates a transport that answers 200 to everything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a response to the script.
    pub fn answer(&self, response: Result<Response, SendError>) {
        self.state.lock().script.push_back(response);
    }

    /// Returns the requests made so far.
    pub fn sent(&self) -> Vec<Sent> {
        self.state.lock().sent.clone()
    }
}

impl Transport for MemoryTransport {
    fn send(&self, request: &Request<'_>) -> Result<Response, SendError> {
        let mut state = self.state.lock();
        if state.is_aborted {
            return Err(SendError::Aborted);
        }
        state.sent.push(Sent {
            url: request.url.to_owned(),
            headers: request.headers.to_vec(),
            body: request.body.to_vec(),
        });
        state.script.pop_front().unwrap_or_else(|| Ok(Response::status(200)))
    }

    fn abort(&self) {
        self.state.lock().is_aborted = true;
    }
}
