//! The names of the files in a bucket, which contain all that a listing needs.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// The largest number of milliseconds with 13 digits, in the year 2286.
const MAX_CREATED: u64 = 9_999_999_999_999;

/// The prefix of a file that is being written.
const TEMPORARY: &str = ".tmp-";
/// The prefix of a file that a running process appends to.
const OPEN: &str = ".open-";
/// The prefix of a file that could not be read.
const BAD: &str = ".bad-";

/// The name of a finished file: when its first event was captured, a random part, its number of events and bytes, and
/// how many attempts to send it were started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FileName {
    /// In milliseconds since 1970. The first member, so names sort by age.
    pub(crate) created: u64,
    random: u64,
    pub(crate) events: u32,
    pub(crate) bytes: u64,
    pub(crate) tries: u8,
}

impl FileName {
    /// Creates the name of a new file.
    pub(crate) fn new(created: u64, events: u32, bytes: u64) -> Self {
        let random = Uuid::new_v4().as_u64_pair().1 & 0xffff_ffff_ffff;
        Self { created: created.min(MAX_CREATED), random, events, bytes, tries: 0 }
    }

    /// Returns the name of the same file with another number of attempts.
    pub(crate) fn with_tries(self, tries: u8) -> Self {
        Self { tries, ..self }
    }

    /// Returns whether both are names of the same file, regardless of its attempts.
    pub(crate) fn is_same_file(self, other: Self) -> bool {
        self.with_tries(0) == other.with_tries(0)
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { created, random, events, bytes, tries } = self;
        write!(f, "e{created:013}-{random:012x}-n{events}-b{bytes}-a{tries}")
    }
}

impl FromStr for FileName {
    type Err = ();

    /// Parses a name. Only the exact form is accepted, so no file has two names.
    fn from_str(text: &str) -> Result<Self, ()> {
        let mut parts = text.split('-');
        let mut part = |prefix: &str| parts.next().and_then(|part| part.strip_prefix(prefix)).ok_or(());
        let created = part("e")?.parse().map_err(drop)?;
        let random = u64::from_str_radix(part("")?, 16).map_err(drop)?;
        let events = part("n")?.parse().map_err(drop)?;
        let bytes = part("b")?.parse().map_err(drop)?;
        let tries = part("a")?.parse().map_err(drop)?;
        let name = Self { created, random, events, bytes, tries };
        let is_ours = created <= MAX_CREATED && events > 0 && name.to_string() == text;
        if is_ours { Ok(name) } else { Err(()) }
    }
}

/// An entry of a bucket's directory, classified by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A finished file of events.
    Events(FileName),
    /// A file that was being written at this time, in milliseconds since 1970.
    Temporary(u64),
    /// A file that is appended to while its process runs.
    Open,
    /// A file that was set aside, with the time of its events.
    Bad(u64),
    /// The lock, or a file that is not part of the spool; never touched.
    Other,
}

impl Entry {
    /// Classifies a name.
    pub(crate) fn of(name: &str) -> Self {
        if let Ok(name) = name.parse() {
            return Self::Events(name);
        }
        let made = |id: &str| Uuid::parse_str(id).ok().and_then(millis_of);
        if let Some(at) = name.strip_prefix(TEMPORARY).and_then(made) {
            return Self::Temporary(at);
        }
        if name.strip_prefix(OPEN).and_then(made).is_some() {
            return Self::Open;
        }
        let bad = name.strip_prefix(BAD).and_then(|name| name.parse::<FileName>().ok());
        bad.map_or(Self::Other, |name| Self::Bad(name.created))
    }
}

/// Returns the name of a file that is being written, created at this time.
pub(crate) fn temporary(now: u64) -> String {
    format!("{TEMPORARY}{}", dated_id(now).simple())
}

/// Returns the name of a file that is appended to, created at this time.
pub(crate) fn open(now: u64) -> String {
    format!("{OPEN}{}", dated_id(now).simple())
}

/// Returns the name under which a file is set aside.
pub(crate) fn bad(name: FileName) -> String {
    format!("{BAD}{name}")
}

/// Returns a time-ordered id, from which the age of a file is known.
fn dated_id(now: u64) -> Uuid {
    let random = Uuid::new_v4().into_bytes();
    let mut bytes = [0; 10];
    for (to, from) in bytes.iter_mut().zip(random) {
        *to = from;
    }
    uuid::Builder::from_unix_timestamp_millis(now, &bytes).into_uuid()
}

/// Returns when a time-ordered id was created.
fn millis_of(id: Uuid) -> Option<u64> {
    let (seconds, nanos) = id.get_timestamp()?.to_unix();
    Some(seconds.saturating_mul(1000).saturating_add(u64::from(nanos / 1_000_000)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_has_exactly_one_form() {
        let name = FileName::new(1_700_000_000_123, 42, 9_001);
        let text = name.to_string();
        assert!(text.starts_with("e1700000000123-"), "{text}");
        assert!(text.ends_with("-n42-b9001-a0"), "{text}");
        assert_eq!(text.parse(), Ok(name));
        assert_eq!(name.with_tries(7).to_string().parse(), Ok(name.with_tries(7)));
        assert!(name.is_same_file(name.with_tries(3)));
        for wrong in [
            "",
            "e1700000000123",
            "e170000000123-0123456789ab-n1-b1-a0",
            "e1700000000123-0123456789AB-n1-b1-a0",
            "e1700000000123-0123456789ab-n01-b1-a0",
            "e1700000000123-0123456789ab-n+1-b1-a0",
            "e1700000000123-0123456789ab-n0-b1-a0",
            "e1700000000123-0123456789ab-n1-b1-a256",
            "e1700000000123-0123456789ab-n1-b1-a0-",
            "e1700000000123-0123456789ab-n1-b1-a0.old",
            "e99999999999999-0123456789ab-n1-b1-a0",
        ] {
            assert!(wrong.parse::<FileName>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_sort_in_the_order_of_capture() {
        let at = |created| FileName::new(created, 1, 1);
        let mut names = [at(10), at(9), at(100), at(2_000_000_000_000)];
        names.sort_unstable();
        assert_eq!(names.map(|name| name.created), [9, 10, 100, 2_000_000_000_000]);
        let mut texts = names.map(|name| name.to_string());
        texts.sort_unstable();
        assert_eq!(texts, names.map(|name| name.to_string()));
    }

    #[test]
    fn names_are_classified() {
        let name = FileName::new(5, 1, 1);
        assert_eq!(Entry::of(&name.to_string()), Entry::Events(name));
        assert_eq!(Entry::of(&temporary(1_700_000_000_123)), Entry::Temporary(1_700_000_000_123));
        assert_eq!(Entry::of(&open(7)), Entry::Open);
        assert_eq!(Entry::of(&bad(name)), Entry::Bad(5));
        for other in [".lock", "notes.txt", ".tmp-", ".tmp-abc", ".bad-x", ".open-x", ".gone-x"] {
            assert_eq!(Entry::of(other), Entry::Other, "{other}");
        }
    }
}
