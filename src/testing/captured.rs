//! What a test has captured: the events as they would have arrived, and what was lost.

use std::ops::Deref;

use serde_json::{Map, Value};

use crate::json::{self, MAX_DEPTH};
use crate::observe::{LossReason, Stats};

/// What was captured; it is a slice of its events.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Captured {
    /// The events as they would have arrived, in order.
    pub events: Vec<CapturedEvent>,
    /// What became of every event, losses by reason included.
    pub stats: Stats,
}

impl Captured {
    /// Returns every reason that lost an event, with its count.
    pub fn losses(&self) -> impl Iterator<Item = (LossReason, u64)> + '_ {
        self.stats.losses()
    }

    /// Returns whether every event arrived, with all of its fields.
    pub fn is_complete(&self) -> bool {
        self.stats.captured == self.stats.sent && self.stats.fields_dropped == 0
    }
}

impl Deref for Captured {
    type Target = [CapturedEvent];

    fn deref(&self) -> &[CapturedEvent] {
        &self.events
    }
}

impl IntoIterator for Captured {
    type Item = CapturedEvent;
    type IntoIter = std::vec::IntoIter<CapturedEvent>;

    fn into_iter(self) -> Self::IntoIter {
        self.events.into_iter()
    }
}

impl<'a> IntoIterator for &'a Captured {
    type Item = &'a CapturedEvent;
    type IntoIter = std::slice::Iter<'a, CapturedEvent>;

    fn into_iter(self) -> Self::IntoIter {
        self.events.iter()
    }
}

/// An event as it would have arrived.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CapturedEvent {
    /// The name.
    pub name: String,
    /// Who or what the event is about.
    pub distinct_id: String,
    /// All properties, those common to the client included.
    pub properties: Map<String, Value>,
    /// The whole event as it is in the batch.
    pub json: Value,
}

/// The depth of a body around the deepest values that it can hold.
const BODY_DEPTH: usize = MAX_DEPTH + 8;

/// Reads the events of a batch body.
pub fn events_of(body: &[u8]) -> Vec<CapturedEvent> {
    let body = json::parse(body, BODY_DEPTH).unwrap_or_default();
    let batch = body.get("batch").and_then(Value::as_array).cloned().unwrap_or_default();
    let text =
        |event: &Value, key: &str| event.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let read = |event: Value| CapturedEvent {
        name: text(&event, "event"),
        distinct_id: text(&event, "distinct_id"),
        properties: event.get("properties").and_then(Value::as_object).cloned().unwrap_or_default(),
        json: event,
    };
    batch.into_iter().map(read).collect()
}
