//! PostHog's `POST /i/v0/ai/batch/`: the batch form of version 0 for large AI events.

use std::sync::Arc;

use super::codec::Compression;
use super::spec::{Conventions, EnvelopeSettings, LibraryPlace, ProtocolSpec};
use super::{Envelope, EnvelopeLimits, PostHogBatch};
use crate::event::{MaxLength, Rules};

/// The route for AI events, whichever protocol carries the others.
pub(crate) static SPEC: ProtocolSpec = ProtocolSpec {
    path: "/i/v0/ai/batch/",
    limits: EnvelopeLimits::new()
        .max_body_bytes(20 * 1024 * 1024)
        .max_event_bytes(8 * 1024 * 1024)
        .codecs(&[Compression::Gzip]),
    conventions: Conventions {
        name: "posthog-ai",
        rules: Rules { max_length: MaxLength::Characters(200), knows_shared_ids: false },
        library: LibraryPlace::Properties,
        names_server: true,
    },
    envelope,
};

fn envelope(settings: &EnvelopeSettings<'_>) -> Arc<dyn Envelope> {
    Arc::new(PostHogBatch::new(&SPEC, settings))
}
