//! Version 0 of PostHog's protocol: `POST /batch/`.

use std::sync::Arc;

use super::codec::Compression;
use super::spec::{Conventions, EnvelopeSettings, LibraryPlace, ProtocolSpec};
use super::{Attempt, BatchInfo, Envelope, EnvelopeLimits, WireEvent};
use crate::event::{MaxLength, Rules};
use crate::json::write_string;

/// Version 0, which every PostHog accepts.
pub(crate) static SPEC: ProtocolSpec = ProtocolSpec {
    path: "/batch/",
    limits: EnvelopeLimits::new().max_body_bytes(20 * 1024 * 1024).codecs(&[Compression::Gzip]),
    conventions: Conventions {
        name: "posthog-v0",
        // The server truncates ids, so two long ones with the same beginning would become one person.
        rules: Rules { max_length: MaxLength::Characters(200), knows_shared_ids: false },
        library: LibraryPlace::Properties,
        names_server: true,
    },
    envelope,
};

fn envelope(settings: &EnvelopeSettings<'_>) -> Arc<dyn Envelope> {
    Arc::new(PostHogBatch::new(&SPEC, settings))
}

/// The batch form of PostHog's server libraries, with or without an API key.
///
/// A body without a key is meant for a relay that adds its own.
#[derive(Clone, Debug)]
pub struct PostHogBatch {
    spec: &'static ProtocolSpec,
    begin: Vec<u8>,
}

impl Default for PostHogBatch {
    fn default() -> Self {
        Self { spec: &SPEC, begin: beginning(None, false) }
    }
}

impl PostHogBatch {
    /// Creates the envelope for a route. The key is written into each body.
    pub(super) fn new(spec: &'static ProtocolSpec, settings: &EnvelopeSettings<'_>) -> Self {
        Self { spec, begin: beginning(settings.api_key, settings.historical_migration) }
    }
}

/// Returns the part of a body before the first event, which is the same in the legacy form.
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
        self.spec.path
    }

    fn limits(&self) -> EnvelopeLimits {
        self.spec.limits
    }

    fn begin(&self, _batch: &BatchInfo, body: &mut Vec<u8>) {
        body.extend_from_slice(&self.begin);
    }

    #[inline]
    fn event(&self, event: &WireEvent<'_>, body: &mut Vec<u8>) {
        let encoded = event.encoded();
        // Written as one piece of fixed size, since most of the cost of a body is copying many small pieces.
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
