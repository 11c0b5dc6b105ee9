//! The form of a request: the trait that writes bodies and reads responses, and what it is handed.

use uuid::Uuid;

use super::response::Response;
use super::verdict;
use super::{EnvelopeLimits, Verdict};
use crate::event::{CommonProperties, EncodedEvent};
use crate::timestamp::Timestamp;

/// What all attempts of one batch share.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BatchInfo {
    /// When the batch was formed.
    pub created_at: Timestamp,
    /// The id of the batch.
    pub id: Uuid,
}

/// One attempt at sending a batch.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
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

/// The shape of requests and the meaning of responses; implement it to speak to an endpoint of your own.
///
/// A body is made once, `begin`, then `event` for each with commas between, and kept for all attempts;
/// `end` is written anew for each.
///
/// An envelope of an application has the rights of those that come with the crate: its [`limits`](Self::limits) are
/// checked against the configuration when the client is made, cut batches, and choose what is compressed.
pub trait Envelope: Send + Sync {
    /// Returns the path under the endpoint, with a leading slash.
    fn path(&self) -> &str;

    /// Returns what the endpoint takes in one request, the same on every call; [`EnvelopeLimits::new`] unless
    /// implemented.
    ///
    /// ```
    /// use candor::Compression;
    /// use candor::wire::{Attempt, BatchInfo, Envelope, EnvelopeLimits, WireEvent};
    ///
    /// /// One JSON object a line, at most 64 KiB, gzip or plain.
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

    /// Appends what comes before the first event.
    fn begin(&self, batch: &BatchInfo, body: &mut Vec<u8>);

    /// Appends one event.
    fn event(&self, event: &WireEvent<'_>, body: &mut Vec<u8>);

    /// Appends what comes after the last event.
    fn end(&self, batch: &BatchInfo, attempt: Attempt, body: &mut Vec<u8>);

    /// Adds headers beside `Content-Type` and `Content-Encoding`.
    fn headers(&self, _batch: &BatchInfo, _attempt: Attempt, _headers: &mut Vec<(&'static str, String)>) {}

    /// Returns what a response means; PostHog's table of statuses unless said otherwise.
    fn verdict(&self, response: &Response) -> Verdict {
        verdict::of_status(response)
    }
}
