//! The format of a file: a header line of JSON, then encoded events, each with its length, checksum and id.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::checksum::checksum;

/// The version of the format. A file of a later version is left alone.
const VERSION: u32 = 1;

/// The size of the frame before each event: its length, checksum and id.
const FRAME: usize = 4 + 4 + 16;

/// The maximum length of the header line.
const MAX_HEADER: usize = 4096;

/// The consent under which the events of a file were captured. It is kept for people who look at the file; only the
/// bucket decides where its files may be sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Provenance {
    pub(crate) grant: String,
    pub(crate) notice: u32,
    pub(crate) catalogue: Option<String>,
}

/// The first line of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    version: u32,
    grant: String,
    notice: u32,
    catalogue: Option<String>,
    created: u64,
    /// The number of events that follow; `None` while the file is appended to.
    n: Option<u32>,
    len: Option<u64>,
    /// The checksum of this line, with 0 in place of the checksum, and of everything after it.
    crc: u32,
}

/// The version of a file, the only member that is read from a later version.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

impl Header {
    fn new(provenance: &Provenance, created: u64) -> Self {
        let Provenance { grant, notice, catalogue } = provenance.clone();
        Self { version: VERSION, grant, notice, catalogue, created, n: None, len: None, crc: 0 }
    }

    fn to_line(&self) -> Vec<u8> {
        // Cannot fail: there is no map, and no number that JSON cannot hold.
        let mut line = serde_json::to_vec(self).unwrap_or_default();
        line.push(b'\n');
        line
    }

    fn checksum(&self, events: &[u8]) -> u32 {
        checksum([&Self { crc: 0, ..self.clone() }.to_line(), events])
    }
}

/// Why the events of a file cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// It differs from what was written.
    Broken,
    /// It was written by a later version, which will read it.
    LaterVersion,
}

/// Encoded events in the form they have in a file.
#[derive(Clone, Debug, Default)]
pub(crate) struct Events {
    bytes: Vec<u8>,
    count: u32,
}

impl Events {
    /// Appends an event.
    pub(crate) fn push(&mut self, id: Uuid, event: &[u8]) {
        push_frame(&mut self.bytes, id, event);
        self.count = self.count.saturating_add(1);
    }

    /// Returns the number of events.
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// Returns the size of the events in bytes, including their frames.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the contents of a file with these events.
    pub(crate) fn to_file(&self, provenance: &Provenance, created: u64) -> Vec<u8> {
        let mut header = Header::new(provenance, created);
        (header.n, header.len) = (Some(self.count), Some(self.bytes.len() as u64));
        header.crc = header.checksum(&self.bytes);
        let mut file = header.to_line();
        file.extend_from_slice(&self.bytes);
        file
    }
}

/// Appends an event with its frame.
pub(crate) fn push_frame(out: &mut Vec<u8>, id: Uuid, event: &[u8]) {
    let len = u32::try_from(event.len()).unwrap_or(u32::MAX);
    out.reserve(FRAME + event.len());
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(&checksum([id.as_bytes(), event]).to_le_bytes());
    out.extend_from_slice(id.as_bytes());
    out.extend_from_slice(event);
}

/// Returns the size of an event in a file, in bytes.
pub(crate) fn frame_len(event: &[u8]) -> usize {
    FRAME + event.len()
}

/// Returns the header of a file that is appended to.
pub(crate) fn open_header(provenance: &Provenance, created: u64) -> Vec<u8> {
    let mut header = Header::new(provenance, created);
    header.crc = header.checksum(b"");
    header.to_line()
}

/// The contents of a file that was read and verified.
#[derive(Debug)]
pub(crate) struct Contents {
    file: Vec<u8>,
    /// When the first event was captured, in milliseconds since 1970.
    pub(crate) created: u64,
    /// The id and the position of each event.
    events: Vec<(Uuid, usize, usize)>,
}

impl Contents {
    /// Reads a file. If it was appended to until its process ended, it is read up to the last complete event.
    pub(crate) fn parse(file: Vec<u8>) -> Result<Self, Damage> {
        let line = file.iter().take(MAX_HEADER).position(|byte| *byte == b'\n').ok_or(Damage::Broken)?;
        let (line, rest) = file.split_at_checked(line + 1).ok_or(Damage::Broken)?;
        let Version { version } = serde_json::from_slice(line).map_err(|_| Damage::Broken)?;
        if version != VERSION {
            return Err(if version > VERSION { Damage::LaterVersion } else { Damage::Broken });
        }
        let header: Header = serde_json::from_slice(line).map_err(|_| Damage::Broken)?;
        if header.to_line() != line {
            return Err(Damage::Broken);
        }
        let events = frames(rest, line.len());
        let is_whole = match (header.n, header.len) {
            (None, None) => header.crc == header.checksum(b""),
            (Some(count), Some(len)) => {
                len == rest.len() as u64
                    && events.len() == count as usize
                    && header.crc == header.checksum(rest)
            }
            _ => false,
        };
        if !is_whole {
            return Err(Damage::Broken);
        }
        Ok(Self { created: header.created, events, file })
    }

    /// Returns the number of events.
    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    /// Returns the events in the order in which they were captured.
    pub(crate) fn events(&self) -> impl Iterator<Item = (Uuid, &[u8])> {
        self.events.iter().map(|(id, from, to)| (*id, self.file.get(*from..*to).unwrap_or_default()))
    }
}

/// Returns the positions of the events, up to the first that is incomplete or damaged.
fn frames(bytes: &[u8], offset: usize) -> Vec<(Uuid, usize, usize)> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some((id, len)) = frame(bytes.get(at..).unwrap_or_default()) {
        let from = at + FRAME;
        at = from + len;
        found.push((id, offset + from, offset + at));
    }
    found
}

/// Reads the first event, and returns its id and length.
fn frame(bytes: &[u8]) -> Option<(Uuid, usize)> {
    let (head, rest) = bytes.split_at_checked(FRAME)?;
    let (len, head) = head.split_first_chunk::<4>()?;
    let (crc, id) = head.split_first_chunk::<4>()?;
    let len = u32::from_le_bytes(*len) as usize;
    let id = Uuid::from_slice(id).ok()?;
    let event = rest.get(..len)?;
    (checksum([id.as_bytes(), event]) == u32::from_le_bytes(*crc)).then_some((id, len))
}

// Without the feature there are no files and no checksums.
#[cfg(all(test, feature = "spool"))]
mod tests {
    use super::*;

    fn provenance() -> Provenance {
        Provenance { grant: "user 2026-01-01".to_owned(), notice: 2, catalogue: Some("abc".to_owned()) }
    }

    fn sample() -> (Events, Vec<Uuid>) {
        let ids: Vec<Uuid> = (1..=3).map(Uuid::from_u128).collect();
        let mut events = Events::default();
        for id in &ids {
            events.push(*id, format!("{{\"event\":\"seen\",\"uuid\":\"{id}\"}}").as_bytes());
        }
        (events, ids)
    }

    #[test]
    fn a_file_has_a_readable_header_and_the_unchanged_events() {
        let (events, ids) = sample();
        let file = events.to_file(&provenance(), 1_700_000_000_123);
        let line = String::from_utf8(file.split(|byte| *byte == b'\n').next().unwrap().to_vec()).unwrap();
        let header: serde_json::Value = serde_json::from_str(&line).unwrap();
        for (key, value) in [
            ("version", serde_json::json!(1)),
            ("grant", "user 2026-01-01".into()),
            ("notice", 2.into()),
            ("catalogue", "abc".into()),
            ("created", 1_700_000_000_123_u64.into()),
            ("n", 3.into()),
            ("len", events.len().into()),
        ] {
            assert_eq!(header[key], value, "{key}");
        }
        let contents = Contents::parse(file).unwrap();
        assert_eq!(contents.created, 1_700_000_000_123);
        assert_eq!(contents.events().map(|(id, _)| id).collect::<Vec<_>>(), ids);
        assert!(contents.events().all(|(id, event)| event.ends_with(format!("\"{id}\"}}").as_bytes())));
    }

    #[test]
    fn every_flipped_bit_and_truncation_is_detected() {
        let (events, _) = sample();
        let file = events.to_file(&provenance(), 1_700_000_000_123);
        for at in 0..file.len() {
            for bit in 0..8 {
                let mut flipped = file.clone();
                flipped[at] ^= 1 << bit;
                assert!(Contents::parse(flipped).is_err(), "byte {at}, bit {bit}");
            }
        }
        for len in 0..file.len() {
            assert_eq!(Contents::parse(file[..len].to_vec()).unwrap_err(), Damage::Broken, "{len}");
        }
        let mut longer = file;
        longer.push(b' ');
        assert_eq!(Contents::parse(longer).unwrap_err(), Damage::Broken);
    }

    #[test]
    fn a_file_that_was_appended_to_is_read_up_to_its_last_complete_event() {
        let mut file = open_header(&provenance(), 7);
        let head = file.len();
        for id in 1..=3 {
            push_frame(&mut file, Uuid::from_u128(id), b"{\"n\":1}");
        }
        let each = (file.len() - head) / 3;
        for len in head..=file.len() {
            let contents = Contents::parse(file[..len].to_vec()).unwrap();
            assert_eq!(contents.len(), (len - head) / each, "{len}");
        }
        for at in 0..file.len() {
            let mut flipped = file.clone();
            flipped[at] ^= 4;
            let read = Contents::parse(flipped).map_or(0, |contents| contents.len());
            assert!(read <= at.saturating_sub(head) / each, "byte {at}: {read}");
        }
    }

    #[test]
    fn a_later_version_is_distinguished_from_damage() {
        let file = b"{\"version\":2,\"compression\":\"zstd\"}\nwhatever".to_vec();
        assert_eq!(Contents::parse(file).unwrap_err(), Damage::LaterVersion);
        for broken in ["", "\n", "{}\n", "{\"version\":0}\n", "[1]\n", "no line at all"] {
            assert_eq!(Contents::parse(broken.into()).unwrap_err(), Damage::Broken, "{broken}");
        }
    }
}
