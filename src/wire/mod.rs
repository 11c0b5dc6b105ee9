//! Events to bytes, and responses to verdicts: implement [`Envelope`] to speak to an endpoint of your own.
//!
//! [`PostHogBatch`] and [`FlatRecord`] are ready-made; set one with [`Config::envelope`](crate::Config::envelope), and
//! wrap it in [`Bearer`] where the endpoint wants a token. Nothing here sends or waits.
//!
//! **Stability:** this module may change between minor versions before 1.0, since it follows PostHog's protocols. What is
//! in the crate's root changes only with a reason and an entry in the changelog.

mod bearer;
pub(crate) mod compress;
mod flat;
mod ids;
mod legacy;
mod lifted;
mod results;
mod retry_after;
#[cfg(test)]
mod sample;
mod v0;
mod v1;
mod verdict;

use uuid::Uuid;

use crate::event::CommonProperties;
use crate::timestamp::Timestamp;

pub use crate::event::EncodedEvent;
pub use bearer::Bearer;
pub use flat::FlatRecord;
pub(crate) use ids::Ids;
pub(crate) use legacy::LegacyBatch;
pub use v0::PostHogBatch;
pub(crate) use v1::PostHogEvents;
pub use verdict::{EventResult, Response, Verdict};

/// What all attempts of one batch share.
#[derive(Clone, Debug)]
pub struct BatchInfo {
    /// When the batch was formed.
    pub created_at: Timestamp,
    /// The id of the batch.
    pub id: Uuid,
}

/// One attempt at sending a batch.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// Counts from 1.
    pub number: u32,
    /// When this attempt leaves.
    pub at: Timestamp,
}

/// One event on its way into a body.
#[derive(Debug)]
pub struct WireEvent<'a> {
    pub(crate) encoded: &'a EncodedEvent<'a>,
    pub(crate) common: &'a CommonProperties,
    pub(crate) uuid: &'a str,
    pub(crate) timestamp: &'a [u8],
}

impl WireEvent<'_> {
    /// Returns the event as it was captured: its parts as JSON fragments.
    pub fn encoded(&self) -> &EncodedEvent<'_> {
        self.encoded
    }

    /// Returns the event's id in lower case with hyphens; the same on every attempt.
    pub fn uuid(&self) -> &str {
        self.uuid
    }

    /// Returns when it happened, as RFC 3339 in UTC with milliseconds.
    pub fn timestamp(&self) -> &[u8] {
        self.timestamp
    }

    /// Appends all properties as one JSON object: its own, its groups, then those common to the client.
    pub fn write_properties(&self, out: &mut Vec<u8>) {
        self.encoded.write_properties(self.common, out);
    }

    /// Returns whether the event has a property that v1 carries outside of the properties.
    #[inline]
    pub(crate) fn has_lifted(&self) -> bool {
        self.encoded.has_lifted() || self.common.has_lifted()
    }
}

/// The shape of requests and the meaning of answers; implement it to speak to an endpoint of your own.
///
/// A body is made once, `begin`, then `event` for each with commas between, and kept for all attempts;
/// `end` is written anew for each.
pub trait Envelope: Send + Sync {
    /// Returns the path under the endpoint, with a slash in front.
    fn path(&self) -> &str;

    /// Returns how many events fit in one request; as many as the byte limit allows unless said otherwise.
    fn max_events(&self) -> usize {
        usize::MAX
    }

    /// Returns how many bytes of an answer's body are worth reading; 8 KiB unless said otherwise, so that
    /// the connection can be used again.
    fn max_response_bytes(&self) -> usize {
        8 * 1024
    }

    /// Appends what comes before the first event.
    fn begin(&self, batch: &BatchInfo, body: &mut Vec<u8>);

    /// Appends one event.
    fn event(&self, event: &WireEvent<'_>, body: &mut Vec<u8>);

    /// Appends what comes behind the last event.
    fn end(&self, batch: &BatchInfo, attempt: Attempt, body: &mut Vec<u8>);

    /// Adds headers beside `Content-Type` and `Content-Encoding`.
    fn headers(&self, _batch: &BatchInfo, _attempt: Attempt, _headers: &mut Vec<(&'static str, String)>) {}

    /// Returns what an answer means; PostHog's table of statuses unless said otherwise.
    fn verdict(&self, response: &Response<'_>) -> Verdict {
        verdict::of_status(response)
    }
}
