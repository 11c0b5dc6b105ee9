//! Version 1 of PostHog's protocol: `POST /i/v1/analytics/events`.

use std::sync::Arc;

use super::codec::Compression;
use super::lifted::{self, Destination, Lifted, Takes};
use super::response::Response;
use super::spec::{Conventions, EnvelopeSettings, LibraryPlace, ProtocolSpec};
use super::{Attempt, BatchInfo, Envelope, EnvelopeLimits, Verdict, WireEvent, results};
use crate::event::{MaxLength, Rules, reserved};
use crate::settings::token;
use crate::timestamp::Timestamp;

/// Version 1, with a result for each event.
pub(crate) static SPEC: ProtocolSpec = ProtocolSpec {
    path: "/i/v1/analytics/events",
    limits: EnvelopeLimits::new()
        // The results must fit in `max_response_bytes`, and those of this many events do, even if each is the longest
        // that the server returns. Batches this large are far past the point where throughput still improves.
        .max_events(5_000)
        .max_response_bytes(1024 * 1024)
        .max_body_bytes(10 * 1024 * 1024)
        .codecs(&[Compression::Gzip, Compression::Deflate, Compression::Brotli, Compression::Zstd]),
    conventions: Conventions {
        name: "posthog-v1",
        // The server drops longer ids, and stores an event with a well-known shared id without a person.
        rules: Rules { max_length: MaxLength::Bytes(200), knows_shared_ids: true },
        library: LibraryPlace::Header,
        names_server: true,
    },
    envelope,
};

/// The properties that an event carries outside its properties object.
const LIFTED: [Lifted; reserved::LIFTED.len()] = [
    Lifted::new(
        reserved::PROCESS_PERSON_PROFILE,
        Takes::Bool,
        Destination::Options("process_person_profile"),
    ),
    Lifted::new(reserved::COOKIELESS_MODE, Takes::Bool, Destination::Options("cookieless_mode")),
    Lifted::new(reserved::IGNORE_SENT_AT, Takes::Bool, Destination::Options("disable_skew_correction")),
    Lifted::new(reserved::PRODUCT_TOUR_ID, Takes::Text, Destination::Options("product_tour_id")),
    Lifted::new(reserved::SESSION_ID, Takes::Text, Destination::Root("session_id")),
    Lifted::new(reserved::WINDOW_ID, Takes::Text, Destination::Root("window_id")),
];

fn envelope(settings: &EnvelopeSettings<'_>) -> Arc<dyn Envelope> {
    Arc::new(PostHogEvents::new(settings))
}

/// PostHog's second protocol: the response has a result for each event.
#[derive(Clone, Debug)]
struct PostHogEvents {
    authorization: Option<String>,
    sdk_info: String,
    historical_migration: bool,
}

impl PostHogEvents {
    /// Creates the envelope. The key and the library are sent in headers.
    fn new(settings: &EnvelopeSettings<'_>) -> Self {
        let authorization = settings.api_key.map(|key| format!("Bearer {key}"));
        let (name, version) = settings.library;
        let sdk_info = format!("{}/{}", token(name), token(version));
        Self { authorization, sdk_info, historical_migration: settings.historical_migration }
    }
}

impl Envelope for PostHogEvents {
    fn path(&self) -> &str {
        SPEC.path
    }

    fn limits(&self) -> EnvelopeLimits {
        SPEC.limits
    }

    fn begin(&self, batch: &BatchInfo, body: &mut Vec<u8>) {
        body.extend_from_slice(b"{\"created_at\":\"");
        body.extend_from_slice(batch.created_at.to_rfc3339().as_bytes());
        body.extend_from_slice(b"\",");
        if self.historical_migration {
            body.extend_from_slice(b"\"historical_migration\":true,");
        }
        body.extend_from_slice(b"\"batch\":[");
    }

    #[inline]
    fn event(&self, event: &WireEvent<'_>, body: &mut Vec<u8>) {
        let encoded = event.encoded();
        for part in [
            b"{\"event\":".as_slice(),
            encoded.name(),
            b",\"uuid\":\"",
            event.uuid().as_bytes(),
            b"\",\"distinct_id\":",
            encoded.distinct_id(),
            b",\"timestamp\":\"",
            event.timestamp(),
        ] {
            body.extend_from_slice(part);
        }
        if event.has_lifted() {
            body.extend_from_slice(b"\",");
            lifted::write(event, &LIFTED, body);
        } else {
            body.extend_from_slice(b"\",\"options\":{},\"properties\":");
            event.write_properties(body);
        }
        body.push(b'}');
    }

    fn end(&self, _batch: &BatchInfo, _attempt: Attempt, body: &mut Vec<u8>) {
        body.extend_from_slice(b"]}");
    }

    fn headers(&self, batch: &BatchInfo, attempt: Attempt, headers: &mut Vec<(&'static str, String)>) {
        if let Some(authorization) = &self.authorization {
            headers.push(("authorization", authorization.clone()));
        }
        headers.push(("posthog-sdk-info", self.sdk_info.clone()));
        headers.push(("posthog-attempt", attempt.number.to_string()));
        headers.push(("posthog-request-id", batch.id.hyphenated().to_string()));
        headers.push(("posthog-request-timestamp", Timestamp::to_rfc3339(attempt.at)));
    }

    /// Two statuses differ from v0: the events of a 400 are narrowed down only if its tag blames one of them, and a
    /// 429 is retried only if it has a `Retry-After`.
    fn verdict(&self, response: &Response) -> Verdict {
        match response.status {
            200..=299 => results::read(response),
            400 if results::is_about_an_event(&response.body) => Verdict::Invalid,
            // If the wait is zero, in the past or unreadable, the batch is still retried.
            429 if response.retry_after.is_some() => Verdict::Retry(response.wait()),
            400 | 429 => Verdict::Reject,
            _ => super::verdict::of_status(response),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{LIFTED, reserved};

    #[test]
    fn every_lifted_property_has_a_place() {
        assert!(LIFTED.iter().map(|lifted| lifted.property).eq(reserved::LIFTED));
    }
}
