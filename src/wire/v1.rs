//! PostHog's `POST /i/v1/analytics/events`, version 1.
//!
//! Never puts the key, the library or the time of sending into a body.

use super::results;
use super::{Attempt, BatchInfo, Envelope, Response, Verdict, WireEvent, lifted};
use crate::timestamp::Timestamp;

/// PostHog's second protocol: each event gets a result of its own.
#[derive(Clone, Debug)]
pub(crate) struct PostHogEvents {
    authorization: Option<String>,
    sdk_info: String,
    historical_migration: bool,
}

/// Results are read whole. This many events and the longest result that the server knows stay below
/// [`MOST_ANSWER`], and a body of this many is far beyond where larger ones raise the throughput.
const MOST_EVENTS: usize = 5_000;
const MOST_ANSWER: usize = 1024 * 1024;

impl PostHogEvents {
    /// Creates the envelope; `sdk_info` is the library and its version with a slash between.
    pub(crate) fn new(api_key: Option<&str>, sdk_info: String, historical_migration: bool) -> Self {
        let authorization = api_key.map(|key| format!("Bearer {key}"));
        Self { authorization, sdk_info, historical_migration }
    }
}

impl Envelope for PostHogEvents {
    fn path(&self) -> &str {
        "/i/v1/analytics/events"
    }

    fn max_events(&self) -> usize {
        MOST_EVENTS
    }

    fn max_response_bytes(&self) -> usize {
        MOST_ANSWER
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
            lifted::write(event, body);
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

    /// The statuses differ from v0 in two: a 400 is about one event only if its tag says so, and a 429 is
    /// tried again only if it has a `Retry-After`.
    fn verdict(&self, response: &Response<'_>) -> Verdict {
        match response.status {
            200..=299 => results::read(response),
            400 if results::is_about_an_event(response.body) => Verdict::Invalid,
            // With a wait that is zero, past or unreadable it is only the wait that says nothing.
            429 if response.retry_after.is_some() => Verdict::Retry(response.wait()),
            400 | 429 => Verdict::Reject,
            _ => super::verdict::of_status(response),
        }
    }
}
