//! PostHog's `POST /batch/`, version 0.
//!
//! Never leaves out an event's id or time, so that a second delivery is recognised as one.

use super::{Attempt, BatchInfo, Envelope, WireEvent};
use crate::json::write_string;

/// The batch form of PostHog's server libraries, with or without an API key.
///
/// Without a key the body has none, for a relay that adds its own.
#[derive(Clone, Debug)]
pub struct PostHogBatch {
    path: &'static str,
    begin: Vec<u8>,
}

impl Default for PostHogBatch {
    fn default() -> Self {
        Self::new(None, false)
    }
}

impl PostHogBatch {
    /// Creates the envelope; the key goes into each body.
    pub(crate) fn new(api_key: Option<&str>, historical_migration: bool) -> Self {
        Self { path: "/batch/", begin: beginning(api_key, historical_migration) }
    }

    /// Creates the same envelope for the route of AI events.
    pub(crate) fn for_ai(api_key: Option<&str>, historical_migration: bool) -> Self {
        Self { path: "/i/v0/ai/batch/", ..Self::new(api_key, historical_migration) }
    }
}

/// Returns what stands before the first event of a body, which the old batch form has in common with this.
pub(super) fn beginning(api_key: Option<&str>, historical_migration: bool) -> Vec<u8> {
    let mut begin = vec![b'{'];
    if let Some(key) = api_key {
        begin.extend_from_slice(b"\"api_key\":");
        write_string(&mut begin, key);
        begin.push(b',');
    }
    if historical_migration {
        begin.extend_from_slice(b"\"historical_migration\":true,");
    }
    begin.extend_from_slice(b"\"batch\":[");
    begin
}

impl Envelope for PostHogBatch {
    fn path(&self) -> &str {
        self.path
    }

    fn begin(&self, _batch: &BatchInfo, body: &mut Vec<u8>) {
        body.extend_from_slice(&self.begin);
    }

    #[inline]
    fn event(&self, event: &WireEvent<'_>, body: &mut Vec<u8>) {
        let encoded = event.encoded();
        // One piece of fixed size, since most of what a body costs is copying small ones.
        let mut head = *b"{\"uuid\":\"........-....-....-....-............\",\"event\":";
        if let (Some(place), Some(uuid)) = (head.get_mut(9..45), event.uuid().as_bytes().first_chunk::<36>())
        {
            place.copy_from_slice(uuid);
        }
        for part in [
            head.as_slice(),
            encoded.name(),
            b",\"distinct_id\":",
            encoded.distinct_id(),
            b",\"timestamp\":\"",
            event.timestamp(),
            b"\",\"properties\":",
        ] {
            body.extend_from_slice(part);
        }
        event.write_properties(body);
        body.push(b'}');
    }

    fn end(&self, _batch: &BatchInfo, attempt: Attempt, body: &mut Vec<u8>) {
        body.extend_from_slice(b"],\"sent_at\":\"");
        body.extend_from_slice(attempt.at.to_rfc3339().as_bytes());
        body.extend_from_slice(b"\"}");
    }
}
