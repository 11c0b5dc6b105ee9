//! A transport without a network, for tests.

use std::collections::VecDeque;
use std::sync::Arc;

use parking_lot::Mutex;

use super::{Request, Response, SendError, Transport};

/// A request as the transport received it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sent {
    /// The whole URL.
    pub url: String,
    /// The headers of the protocol.
    pub headers: Vec<(&'static str, String)>,
    /// The body, compressed as it would have been sent.
    pub body: Vec<u8>,
}

/// A transport that keeps all requests and returns scripted responses; once the script has ended, it returns 200.
///
/// Clones share their state: give one to the client and keep another in the test.
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
    /// Creates a transport that returns 200 to every request.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a response to the script.
    pub fn respond(&self, response: Result<Response, SendError>) {
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
