//! An event as a hook sees it: parsed back, complete and mutable. Created only if the application has a hook.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::{CommonProperties, EncodedEvent, Encoder, Event, reserved};
use crate::json::{self, MAX_DEPTH};
use crate::timestamp::Timestamp;

/// A captured event with everything that would be sent, except for the `uuid` if the application set none.
///
/// `properties` contains the event's own properties, the super properties, `$groups` and the library's properties.
/// The event is sent as the `before_send` hook leaves it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct OutgoingEvent {
    /// The name of the event.
    pub name: String,
    /// The distinct id.
    pub distinct_id: String,
    /// All properties.
    pub properties: Map<String, Value>,
    /// The time at which the event happened.
    pub timestamp: Timestamp,
    /// The id that the application chose, if any; otherwise an id is created when the batch is built.
    pub uuid: Option<Uuid>,
}

impl OutgoingEvent {
    /// Parses an encoded event. Returns `None` only if its bytes are not JSON, which a faulty `Serialize` can cause.
    pub(crate) fn parse(encoded: &EncodedEvent<'_>, common: &CommonProperties) -> Option<Self> {
        let mut object = Vec::new();
        encoded.write_properties(common, &mut object);
        Some(Self {
            name: serde_json::from_slice(encoded.name()).ok()?,
            distinct_id: serde_json::from_slice(encoded.distinct_id()).ok()?,
            properties: object_of(&object)?,
            timestamp: encoded.timestamp(),
            uuid: encoded.uuid(),
        })
    }

    /// Returns the event's groups, as pairs of type and key.
    pub fn groups(&self) -> impl Iterator<Item = (&str, &str)> {
        let groups = self.properties.get(reserved::GROUPS).and_then(Value::as_object);
        groups.into_iter().flatten().filter_map(|(kind, key)| Some((kind.as_str(), key.as_str()?)))
    }
}

/// Parses an object of properties, each of which can have the maximum depth of a value.
fn object_of(text: &[u8]) -> Option<Map<String, Value>> {
    match json::parse(text, MAX_DEPTH + 1)? {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

impl Event for OutgoingEvent {
    fn name(&self) -> &str {
        &self.name
    }

    fn encode(&self, event: &mut Encoder<'_>) {
        event.distinct_id(&self.distinct_id);
        for (key, value) in &self.properties {
            event.property(key, value);
        }
        event.timestamp(self.timestamp);
        if let Some(uuid) = self.uuid {
            event.uuid(uuid);
        }
    }
}
