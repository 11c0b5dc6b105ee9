//! One captured event as bytes: a head of fixed size, followed by its parts as JSON fragments.
//!
//! ```text
//! u32  bytes of the name          u64  flags
//! u32  bytes of the distinct id   i64  microseconds since 1970
//! u32  bytes of the groups        the four parts, in this order
//! u32  bytes of the properties    16 bytes of an id, if its flag is set
//! ```
//!
//! Numbers are little-endian. The bytes may come from a file, so reading checks every bound and never panics.

use uuid::Uuid;

use super::common_properties::CommonProperties;
use super::reserved;
use crate::timestamp::Timestamp;

/// The maximum number of bytes that the envelope adds to an event: uuid, timestamp, field names and braces.
pub(super) const FRAME: usize = 192;

/// The event has a property that PostHog's v1 protocol moves out of the properties.
pub(super) const LIFTED: u64 = 1 << 63;
/// The 16 bytes of an id that the application chose follow the parts.
const HAS_UUID: u64 = 1 << 62;
const COMMON: u64 = !(LIFTED | HAS_UUID);

const HEAD: usize = 32;
const UUID: usize = 16;

/// One captured event: its encoded fragments and its timestamp.
#[derive(Clone, Copy)]
pub struct EncodedEvent<'a> {
    name: &'a [u8],
    distinct_id: &'a [u8],
    groups: &'a [u8],
    properties: &'a [u8],
    uuid: Option<Uuid>,
    flags: u64,
    timestamp: Timestamp,
}

impl<'a> EncodedEvent<'a> {
    #[inline]
    pub(super) fn new(
        [name, distinct_id, groups, properties]: [&'a [u8]; 4],
        timestamp: Timestamp,
        overridden: u64,
        uuid: Option<Uuid>,
    ) -> Self {
        Self { name, distinct_id, groups, properties, uuid, flags: overridden & !HAS_UUID, timestamp }
    }

    /// Returns the name as a JSON string.
    #[inline]
    pub fn name(&self) -> &'a [u8] {
        self.name
    }

    /// Returns the distinct id as a JSON string.
    #[inline]
    pub fn distinct_id(&self) -> &'a [u8] {
        self.distinct_id
    }

    /// Returns the event's own groups as the members of a JSON object, without braces; empty if it has none.
    #[inline]
    pub fn groups(&self) -> &'a [u8] {
        self.groups
    }

    /// Returns the event's own properties as the members of a JSON object, without braces.
    #[inline]
    pub fn properties(&self) -> &'a [u8] {
        self.properties
    }

    /// Returns the id that the application chose, if any.
    #[inline]
    pub fn uuid(&self) -> Option<Uuid> {
        self.uuid
    }

    /// Returns the time at which the event happened.
    #[inline]
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// Returns whether the event itself has a property that PostHog's v1 protocol moves out of the properties.
    #[inline]
    pub(crate) fn has_lifted(&self) -> bool {
        self.flags & LIFTED != 0
    }

    /// Returns the size of the event in a segment, in bytes.
    #[inline]
    pub(crate) fn size(&self) -> usize {
        let parts = self.name.len() + self.distinct_id.len() + self.groups.len() + self.properties.len();
        HEAD + parts + if self.uuid.is_some() { UUID } else { 0 }
    }

    /// Appends the event's bytes: [`size`](Self::size) of them.
    #[inline]
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        // No part comes near 4 GiB: the size of an event is limited far below that.
        let length = |part: &[u8]| u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes();
        let flags = self.flags | if self.uuid.is_some() { HAS_UUID } else { 0 };
        let mut head = [0; HEAD];
        let (lengths, rest) = head.split_at_mut(16);
        let parts = [self.name, self.distinct_id, self.groups, self.properties];
        for (place, part) in lengths.chunks_exact_mut(4).zip(parts) {
            place.copy_from_slice(&length(part));
        }
        let (place, rest) = rest.split_at_mut(8);
        place.copy_from_slice(&flags.to_le_bytes());
        rest.copy_from_slice(&self.timestamp.unix_micros().to_le_bytes());
        out.extend_from_slice(&head);
        for part in parts {
            out.extend_from_slice(part);
        }
        if let Some(uuid) = &self.uuid {
            out.extend_from_slice(uuid.as_bytes());
        }
    }

    /// Reads the event at the start of `bytes`. Returns `None` if it is truncated.
    #[inline]
    pub(crate) fn read(bytes: &'a [u8]) -> Option<Self> {
        let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
        let (lengths, numbers) = head.split_first_chunk::<16>()?;
        let (flags, micros) = numbers.split_first_chunk::<8>()?;
        let flags = u64::from_le_bytes(*flags);
        let micros = i64::from_le_bytes(*micros.first_chunk::<8>()?);
        let length = |at: usize| -> Option<usize> {
            let bytes = lengths.get(at..)?.first_chunk::<4>()?;
            usize::try_from(u32::from_le_bytes(*bytes)).ok()
        };
        let (name, rest) = rest.split_at_checked(length(0)?)?;
        let (distinct_id, rest) = rest.split_at_checked(length(4)?)?;
        let (groups, rest) = rest.split_at_checked(length(8)?)?;
        let (properties, rest) = rest.split_at_checked(length(12)?)?;
        let uuid = match flags & HAS_UUID {
            0 => None,
            _ => Some(Uuid::from_bytes(*rest.first_chunk::<UUID>()?)),
        };
        let timestamp = Timestamp::from_unix_micros(micros);
        Some(Self::new([name, distinct_id, groups, properties], timestamp, flags, uuid))
    }

    /// Appends the properties as a JSON object: the event's own properties, its groups, and the common properties.
    #[inline]
    pub(crate) fn write_properties(&self, common: &CommonProperties, out: &mut Vec<u8>) {
        let (own, groups) = (self.properties, self.groups);
        out.push(b'{');
        out.extend_from_slice(own);
        if !groups.is_empty() {
            if !own.is_empty() {
                out.push(b',');
            }
            out.extend_from_slice(reserved::quoted::GROUPS);
            out.extend_from_slice(b":{");
            out.extend_from_slice(groups);
            out.push(b'}');
        }
        common.write(self.flags & COMMON, out, own.is_empty() && groups.is_empty());
        out.push(b'}');
    }
}

#[cfg(test)]
impl<'a> EncodedEvent<'a> {
    /// A small event for tests that only move events; the distinct id is in quotes.
    pub(crate) fn sample(distinct_id: &'a str) -> Self {
        let parts = [b"\"sample\"".as_slice(), distinct_id.as_bytes(), b"", b"\"n\":1"];
        Self::new(parts, Timestamp::from_unix_millis(0), 0, None)
    }

    /// The same with these properties, and with an id if one is given.
    pub(crate) fn sample_of(distinct_id: &'a str, properties: &'a [u8], uuid: Option<Uuid>) -> Self {
        let parts = [b"\"sample\"".as_slice(), distinct_id.as_bytes(), b"\"g\":\"1\"", properties];
        Self::new(parts, Timestamp::from_unix_micros(1_234_567), 5 | LIFTED, uuid)
    }
}

impl std::fmt::Debug for EncodedEvent<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The contents stay out of logs.
        f.debug_struct("EncodedEvent").field("bytes", &self.size()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts<'a>(event: &EncodedEvent<'a>) -> ([&'a [u8]; 4], Option<Uuid>, u64, Timestamp) {
        let parts = [event.name, event.distinct_id, event.groups, event.properties];
        (parts, event.uuid, event.flags, event.timestamp)
    }

    #[test]
    fn an_event_is_read_as_it_was_written() {
        for uuid in [None, Some(Uuid::from_u128(7))] {
            let event = EncodedEvent::sample_of("\"id\"", b"\"n\":1", uuid);
            let mut bytes = Vec::new();
            event.write(&mut bytes);
            assert_eq!(bytes.len(), event.size());
            bytes.extend_from_slice(b"what follows");
            assert_eq!(parts(&EncodedEvent::read(&bytes).unwrap()), parts(&event));
        }
    }

    #[test]
    fn a_truncated_event_is_not_read() {
        let mut bytes = Vec::new();
        EncodedEvent::sample_of("\"id\"", b"\"n\":1", Some(Uuid::from_u128(7))).write(&mut bytes);
        for end in 0..bytes.len() {
            assert!(EncodedEvent::read(&bytes[..end]).is_none(), "{end}");
        }
    }
}
