//! The trait that writes request bodies and interprets responses, and the types passed to it.

use uuid::Uuid;

use super::response::Response;
use super::verdict;
use super::{EnvelopeLimits, Verdict};
use crate::event::{CommonProperties, EncodedEvent};
use crate::timestamp::Timestamp;

/// What all attempts to send a batch have in common.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BatchInfo {
    /// When the batch was put together.
    pub created_at: Timestamp,
    /// The id of the batch.
    pub id: Uuid,
}

/// One attempt at sending a batch.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Attempt {
    /// The number of the attempt, from 1.
    pub number: u32,
    /// When this attempt is made.
    pub at: Timestamp,
}

/// An event to be written into a body.
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

    /// Returns the event's id, in lower case with hyphens. It is the same on every attempt.
    pub fn uuid(&self) -> &str {
        self.uuid
    }

    /// Returns when the event happened, as RFC 3339 in UTC with milliseconds.
    pub fn timestamp(&self) -> &[u8] {
        self.timestamp
    }

    /// Appends all properties as one JSON object: the event's own, its groups, then those common to the client.
    pub fn write_properties(&self, out: &mut Vec<u8>) {
        self.encoded.write_properties(self.common, out);
    }

    /// Returns whether the event has a property that v1 carries outside the properties object.
    #[inline]
    pub(crate) fn has_lifted(&self) -> bool {
        self.encoded.has_lifted() || self.common.has_lifted()
    }
}

/// Defines the form of requests and the meaning of responses; implement it for your own endpoint.
///
/// The body is written once and kept for all attempts: first [`begin`](Self::begin), then [`event`](Self::event) for
/// each event, with commas in between. [`end`](Self::end) is written again for each attempt.
///
/// The [`limits`](Self::limits) of an application's envelope count like those of the envelopes in this crate: the
/// configuration is checked against them when the client is created, and batches are cut to fit them.
pub trait Envelope: Send + Sync {
    /// Returns the path that is appended to the endpoint, with a leading slash.
    fn path(&self) -> &str;

    /// Returns the limits of one request. It must return the same on every call. Defaults to
    /// [`EnvelopeLimits::new`].
    ///
    /// ```
    /// use candor::Compression;
    /// use candor::wire::{Attempt, BatchInfo, Envelope, EnvelopeLimits, WireEvent};
    ///
    /// /// One JSON object per request, at most 64 KiB, gzip or plain.
    /// struct Lines;
    ///
    /// impl Envelope for Lines {
    ///     fn path(&self) -> &str {
    ///         "/lines"
    ///     }
    ///
    ///     fn limits(&self) -> EnvelopeLimits {
    ///         EnvelopeLimits::new().max_events(1).max_body_bytes(64 * 1024).codecs(&[Compression::Gzip])
    ///     }
    ///
    ///     fn begin(&self, _: &BatchInfo, _: &mut Vec<u8>) {}
    ///
    ///     fn event(&self, event: &WireEvent<'_>, body: &mut Vec<u8>) {
    ///         event.write_properties(body);
    ///     }
    ///
    ///     fn end(&self, _: &BatchInfo, _: Attempt, body: &mut Vec<u8>) {
    ///         body.push(b'\n');
    ///     }
    /// }
    /// ```
    fn limits(&self) -> EnvelopeLimits {
        EnvelopeLimits::new()
    }

    /// Appends the part before the first event.
    fn begin(&self, batch: &BatchInfo, body: &mut Vec<u8>);

    /// Appends one event.
    fn event(&self, event: &WireEvent<'_>, body: &mut Vec<u8>);

    /// Appends the part after the last event.
    fn end(&self, batch: &BatchInfo, attempt: Attempt, body: &mut Vec<u8>);

    /// Adds headers to `Content-Type` and `Content-Encoding`. Adds none by default.
    fn headers(&self, _batch: &BatchInfo, _attempt: Attempt, _headers: &mut Vec<(&'static str, String)>) {}

    /// Returns what a response means for the batch. Defaults to PostHog's meaning of each status.
    fn verdict(&self, response: &Response) -> Verdict {
        verdict::of_status(response)
    }
}
