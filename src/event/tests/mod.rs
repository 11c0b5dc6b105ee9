//! Tests of typed events, from the derive to the bytes.

mod derived;

use super::Event;
use super::common_properties::CommonProperties;
use super::encoder::{Buffers, Encoder};
use crate::field::{FieldLosses, PseudonymKey};
use crate::observe::LossReason;
use crate::timestamp::Timestamp;

/// An event as it is queued.
#[derive(Debug)]
struct Encoded {
    distinct_id: String,
    groups: String,
    properties: String,
    losses: FieldLosses,
}

fn encode(event: &impl Event) -> Result<Encoded, LossReason> {
    let (mut buffers, common) = (Buffers::default(), CommonProperties::default());
    let epoch = PseudonymKey::new([1; 32]).epoch(Timestamp::from_unix_millis(0));
    let mut encoder = Encoder::new(&mut buffers, &common, event.name()).keyed(Some(epoch));
    event.encode(&mut encoder);
    let losses = encoder.losses().clone();
    let encoded = encoder.finish(Timestamp::from_unix_millis(0), 1 << 20)?;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Ok(Encoded {
        distinct_id: text(encoded.distinct_id()),
        groups: text(encoded.groups()),
        properties: format!("{{{}}}", text(encoded.properties())),
        losses,
    })
}

/// Returns the properties of an event that must be sendable.
fn properties(event: &impl Event) -> String {
    encode(event).unwrap().properties
}
