//! Request bodies and headers as a client would send them, for the tests of envelopes.

use uuid::Uuid;

use super::{Attempt, BatchInfo, Envelope, Ids, WireEvent};
use crate::event::{Buffers, CommonProperties, Encoder, Event};
use crate::timestamp::{Rfc3339, Timestamp};

/// The time of every attempt in these tests.
pub(super) const AT: &str = "2009-11-10T23:00:00.000Z";

const INSTANT: Timestamp = Timestamp::from_unix_millis(1_257_894_000_000);

fn batch() -> (BatchInfo, Attempt) {
    (BatchInfo { created_at: INSTANT, id: Uuid::nil() }, Attempt { number: 1, at: INSTANT })
}

/// Returns the whole body.
pub(super) fn body_of<E: Event>(envelope: &dyn Envelope, common: &CommonProperties, events: &[E]) -> Vec<u8> {
    let (info, attempt) = batch();
    let mut body = Vec::new();
    let mut ids = Ids::seeded(Uuid::from_u128(7));
    envelope.begin(&info, &mut body);
    for (index, event) in events.iter().enumerate() {
        let mut buffers = Buffers::default();
        let mut encoder = Encoder::new(&mut buffers, common, event.name());
        event.encode(&mut encoder);
        let encoded = encoder.finish(INSTANT, usize::MAX).expect("the event was refused");
        let mut timestamp = Vec::new();
        Rfc3339::default().write(encoded.timestamp(), &mut timestamp);
        let uuid = ids.next(encoded.timestamp()).hyphenated().to_string();
        if index > 0 {
            body.push(b',');
        }
        envelope
            .event(&WireEvent { encoded: &encoded, common, uuid: &uuid, timestamp: &timestamp }, &mut body);
    }
    envelope.end(&info, attempt, &mut body);
    body
}

/// Returns the headers that the envelope adds.
pub(super) fn headers_of(envelope: &dyn Envelope) -> Vec<(&'static str, String)> {
    let (info, attempt) = batch();
    let mut headers = Vec::new();
    envelope.headers(&info, attempt, &mut headers);
    headers
}
