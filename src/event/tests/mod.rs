//! Tests of typed events, from the derive to the bytes.

mod derived;

use super::common::Common;
use super::encoder::{Buffers, Encoder};
use super::field::Tally;
use super::flaw::Flaw;
use super::pseudonym::PseudonymKey;
use super::{Event, Timestamp};

/// An event as it would lie in the queue.
#[derive(Debug)]
struct Encoded {
    distinct_id: String,
    groups: String,
    properties: String,
    tally: Tally,
}

fn encode(event: &impl Event) -> Result<Encoded, Flaw> {
    let (mut buffers, common) = (Buffers::default(), Common::default());
    let epoch = PseudonymKey::new([1; 32]).epoch(Timestamp::from_unix_millis(0));
    let mut encoder = Encoder::new(&mut buffers, &common, event.name()).keyed(Some(epoch));
    event.encode(&mut encoder);
    let tally = encoder.tally();
    let record = encoder.finish(Timestamp::from_unix_millis(0), 1, 1 << 20)?;
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Ok(Encoded {
        distinct_id: text(record.distinct_id()),
        groups: text(record.groups()),
        properties: format!("{{{}}}", text(record.properties())),
        tally,
    })
}

/// Returns the properties of an event that must be sendable.
fn properties(event: &impl Event) -> String {
    encode(event).unwrap().properties
}
