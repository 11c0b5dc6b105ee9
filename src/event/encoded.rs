//! One captured event as it lies in the queue: one box and a few numbers.
//!
//! Never changes once made.

use uuid::Uuid;

use super::common_properties::CommonProperties;
use crate::timestamp::Timestamp;

/// What the envelope adds to an event at most: uuid, timestamp, field names, braces.
pub(super) const FRAME: usize = 192;

/// The event carries a property that PostHog's v1 protocol lifts out of the properties.
pub(super) const LIFTED: u64 = 1 << 63;
/// The payload ends with the 16 bytes of an id that the application chose.
const HAS_UUID: u64 = 1 << 62;
const COMMON: u64 = !(LIFTED | HAS_UUID);

/// One captured event: encoded fragments, the instant, and the consent generation it was captured under.
pub struct EncodedEvent {
    payload: Box<[u8]>,
    ends: [u32; 3],
    generation: u32,
    flags: u64,
    timestamp: Timestamp,
}

impl EncodedEvent {
    #[inline]
    pub(super) fn new(
        parts: [&[u8]; 4],
        timestamp: Timestamp,
        generation: u32,
        overridden: u64,
        uuid: Option<Uuid>,
    ) -> Self {
        let size = parts.iter().map(|part| part.len()).sum::<usize>() + uuid.map_or(0, |_| 16);
        let mut payload = Vec::with_capacity(size);
        let mut ends = [0; 3];
        for (index, part) in parts.into_iter().enumerate() {
            payload.extend_from_slice(part);
            if let Some(end) = ends.get_mut(index) {
                *end = u32::try_from(payload.len()).unwrap_or(u32::MAX);
            }
        }
        let mut flags = overridden;
        if let Some(uuid) = uuid {
            payload.extend_from_slice(uuid.as_bytes());
            flags |= HAS_UUID;
        }
        Self { payload: payload.into_boxed_slice(), ends, generation, flags, timestamp }
    }

    fn part(&self, from: usize, to: usize) -> &[u8] {
        self.payload.get(from..to).unwrap_or_default()
    }

    /// Returns the name as a JSON string.
    pub fn name(&self) -> &[u8] {
        self.part(0, self.ends[0] as usize)
    }

    /// Returns the distinct id as a JSON string.
    pub fn distinct_id(&self) -> &[u8] {
        self.part(self.ends[0] as usize, self.ends[1] as usize)
    }

    /// Returns the event's own groups as the inside of a JSON object; empty where it has none of its own.
    pub fn groups(&self) -> &[u8] {
        self.part(self.ends[1] as usize, self.ends[2] as usize)
    }

    /// Returns the event's own properties as the inside of a JSON object.
    pub fn properties(&self) -> &[u8] {
        let tail = if self.flags & HAS_UUID == 0 { 0 } else { 16 };
        self.part(self.ends[2] as usize, self.payload.len() - tail)
    }

    /// Returns the id that the application chose, if it did.
    pub fn uuid(&self) -> Option<Uuid> {
        if self.flags & HAS_UUID == 0 {
            return None;
        }
        self.payload.last_chunk::<16>().map(|bytes| Uuid::from_bytes(*bytes))
    }

    /// Returns when the event happened.
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// Returns the consent generation under which the event was captured.
    pub(crate) fn generation(&self) -> u32 {
        self.generation
    }

    /// Returns whether the event itself has a property that PostHog's v1 protocol lifts out.
    pub(crate) fn has_lifted(&self) -> bool {
        self.flags & LIFTED != 0
    }

    /// Returns how many bytes of memory the event takes in the queue.
    pub(crate) fn weight(&self) -> usize {
        self.payload.len() + size_of::<Self>()
    }

    /// Appends the properties as a JSON object: the event's own, its groups, then the common ones.
    pub(crate) fn write_properties(&self, common: &CommonProperties, out: &mut Vec<u8>) {
        let (own, groups) = (self.properties(), self.groups());
        out.push(b'{');
        out.extend_from_slice(own);
        if !groups.is_empty() {
            if !own.is_empty() {
                out.push(b',');
            }
            out.extend_from_slice(b"\"$groups\":{");
            out.extend_from_slice(groups);
            out.push(b'}');
        }
        common.write(self.flags & COMMON, out, own.is_empty() && groups.is_empty());
        out.push(b'}');
    }
}

#[cfg(test)]
impl EncodedEvent {
    /// A small record of generation 0, for tests of what only moves records.
    pub(crate) fn sample(distinct_id: &str) -> Self {
        let id = format!("\"{distinct_id}\"");
        let parts = [b"\"sample\"".as_slice(), id.as_bytes(), b"", b"\"n\":1"];
        Self::new(parts, Timestamp::from_unix_millis(0), 0, 0, None)
    }
}

impl std::fmt::Debug for EncodedEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The contents stay out of logs.
        f.debug_struct("Record").field("bytes", &self.payload.len()).finish_non_exhaustive()
    }
}

/// Returns whether PostHog's v1 protocol carries this property outside of the properties.
pub(super) fn is_lifted(key: &str) -> bool {
    matches!(
        key,
        "$process_person_profile"
            | "$cookieless_mode"
            | "$ignore_sent_at"
            | "$product_tour_id"
            | "$session_id"
            | "$window_id"
    )
}
