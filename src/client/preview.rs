//! Shows what a capture would send, without capturing.
//!
//! Creates no thread or socket, counts nothing and does not ask for consent, because nothing is sent.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use uuid::Uuid;

use crate::capture::{Capture, CaptureSettings};
use crate::config::ClientSettings;
use crate::event::{CommonProperties, EncodedEvent, Event};
use crate::observe::LossReason;
use crate::timestamp::{Rfc3339, Timestamp};
use crate::wire::{Attempt, BatchInfo, Envelope, Ids, WireEvent};

/// The bytes that a capture would send: the body of a request with one event.
///
/// Displays as text, including the API key.
#[derive(Clone, PartialEq, Eq)]
pub struct Preview {
    path: String,
    body: Vec<u8>,
    event: Range<usize>,
}

impl Preview {
    /// Returns the path of the request below the endpoint.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns the whole body before compression. It contains the time of the request, which is now.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Returns the event within the body. If the event sets its own id and timestamp, these bytes are the same
    /// every time.
    pub fn event(&self) -> &[u8] {
        self.body.get(self.event.clone()).unwrap_or_default()
    }
}

impl fmt::Display for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.body))
    }
}

impl fmt::Debug for Preview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The contents must stay out of logs.
        f.debug_struct("Preview").field("path", &self.path).finish_non_exhaustive()
    }
}

pub(super) fn preview<E: Event>(
    settings: &ClientSettings,
    event: &E,
    now: Timestamp,
) -> Result<Preview, LossReason> {
    let capture = CaptureSettings { sampling: None, ..settings.capture.clone() };
    let common = Arc::clone(&capture.common);
    let envelope = &*settings.envelope;
    let preview =
        Capture::preview(capture).encode(event, now, |encoded| body(envelope, encoded, &common, now))?;
    // The worker would lose an event whose body alone is too large.
    if preview.body.len() > envelope.limits().max_body_bytes {
        return Err(LossReason::TooLarge);
    }
    Ok(preview)
}

/// Writes the body of a request that holds only this event.
fn body(
    envelope: &dyn Envelope,
    encoded: &EncodedEvent<'_>,
    common: &CommonProperties,
    now: Timestamp,
) -> Preview {
    let mut ids = Ids::seeded(Uuid::new_v4());
    let info = BatchInfo { created_at: now, id: ids.next(now) };
    let uuid = encoded.uuid().unwrap_or_else(|| ids.next(encoded.timestamp()));
    let mut timestamp = Vec::new();
    Rfc3339::default().write(encoded.timestamp(), &mut timestamp);
    let text = uuid.hyphenated().to_string();
    let wire = WireEvent { encoded, common, uuid: &text, timestamp: &timestamp };
    let mut body = Vec::new();
    envelope.begin(&info, &mut body);
    let start = body.len();
    envelope.event(&wire, &mut body);
    let event = start..body.len();
    envelope.end(&info, Attempt { number: 1, at: now }, &mut body);
    Preview { path: envelope.path().to_owned(), body, event }
}
