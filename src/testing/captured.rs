//! The result of a test capture: the events as the endpoint would have received them, and the losses.

use std::ops::Deref;

use serde_json::{Map, Value};

use crate::json::{self, MAX_DEPTH};
use crate::observe::{LossReason, Stats};

/// The result of a test capture. It dereferences to a slice of its events.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Captured {
    /// The events as the endpoint would have received them. Those of one thread are in the order of capture.
    pub events: Vec<CapturedEvent>,
    /// The client's statistics, including losses by reason.
    pub stats: Stats,
}

impl Captured {
    /// Returns each loss reason that occurred, with its count.
    pub fn losses(&self) -> impl Iterator<Item = (LossReason, u64)> + '_ {
        self.stats.losses()
    }

    /// Returns whether every event was sent with all of its fields.
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

/// An event as the endpoint would have received it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CapturedEvent {
    /// The name of the event.
    pub name: String,
    /// The distinct id.
    pub distinct_id: String,
    /// All properties, including those that the client adds.
    pub properties: Map<String, Value>,
    /// The whole event as it appears in the batch.
    pub json: Value,
}

/// The maximum depth of a body that contains the deepest possible values.
const BODY_DEPTH: usize = MAX_DEPTH + 8;

/// Parses the events of a batch body in PostHog's format. Returns no events if the body has another form.
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
