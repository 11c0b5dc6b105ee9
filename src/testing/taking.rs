//! A transport that keeps every event in memory and accepts it.

use serde_json::{Map, Value, json};

use super::events_of;
use crate::transport::memory::{MemoryTransport, Sent};
use crate::transport::{Request, Response, SendError, Transport};

/// Keeps every request and accepts it. Events with ids are accepted individually, as PostHog's v1 protocol requires.
#[derive(Clone, Debug, Default)]
pub(super) struct TakingTransport {
    memory: MemoryTransport,
}

impl TakingTransport {
    pub(super) fn sent(&self) -> Vec<Sent> {
        self.memory.sent()
    }
}

impl Transport for TakingTransport {
    fn send(&self, request: &Request<'_>) -> Result<Response, SendError> {
        let events = events_of(request.body);
        let ids = events.iter().filter_map(|event| event.json.get("uuid")?.as_str());
        let results: Map<String, Value> = ids.map(|id| (id.to_owned(), json!({ "result": "ok" }))).collect();
        let response = self.memory.send(request)?;
        Ok(response.with_body(json!({ "results": results }).to_string()))
    }

    fn abort(&self) {
        self.memory.abort();
    }
}
