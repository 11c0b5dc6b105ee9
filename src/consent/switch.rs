//! Reads every switch, in variables and in files, by the same table.
//!
//! A value that cannot be read denies.

use std::ffi::OsStr;

/// The kind of a switch, which decides how its value is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SwitchKind {
    /// `DO_NOT_TRACK`: a yes denies, a no abstains.
    DoNotTrack,
    /// `*_DISABLED`, `*_NO_TELEMETRY`, `*_OPTOUT` and the application's deny aliases: a yes denies, a no abstains.
    Disabled,
    /// `*_TELEMETRY`, `*_TELEMETRY_ENABLED`: a no denies; a yes abstains, unless the application lets it grant.
    Enabled {
        /// Whether the application lets a yes grant.
        may_grant: bool,
    },
    /// A string in a file that disables: a yes denies, a no abstains.
    LegacyString,
}

/// How a value was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reading {
    /// It neither denies nor grants.
    Abstain,
    /// It denies, with a known word.
    Deny,
    /// It is set but cannot be read, and denies.
    Malformed,
    /// It grants.
    Grant,
}

/// The maximum length of a value in bytes. Every known word is shorter.
const LENGTH_LIMIT: usize = 32;

/// Reads the raw value of a switch that is set.
///
/// Whitespace around the value and the case of ASCII letters are ignored. An empty value counts as unset, because
/// shells unset a variable with `NAME= command`. A value that is longer than 32 bytes, not UTF-8 or unknown is
/// malformed, and denies.
///
/// ```
/// use candor::consent::{Reading, SwitchKind, parse_switch};
///
/// assert_eq!(parse_switch(SwitchKind::DoNotTrack, "1".as_ref()), Reading::Deny);
/// assert_eq!(parse_switch(SwitchKind::DoNotTrack, "0".as_ref()), Reading::Abstain);
/// assert_eq!(parse_switch(SwitchKind::DoNotTrack, "treu".as_ref()), Reading::Malformed);
/// ```
#[expect(clippy::match_same_arms, reason = "the arms are the rows of the table")]
pub fn parse_switch(kind: SwitchKind, raw: &OsStr) -> Reading {
    let word = raw.to_str().map_or(Word::Unknown, word);
    match (kind, word) {
        (_, Word::Blank) => Reading::Abstain,
        (_, Word::Unknown) => Reading::Malformed,
        (SwitchKind::Enabled { may_grant: true }, Word::Yes) => Reading::Grant,
        (SwitchKind::Enabled { .. }, Word::Yes | Word::Enabled) => Reading::Abstain,
        (SwitchKind::Enabled { .. }, Word::No | Word::Disabled) => Reading::Deny,
        (_, Word::Yes) => Reading::Deny,
        (_, Word::No) => Reading::Abstain,
        (_, Word::Enabled | Word::Disabled) => Reading::Malformed,
    }
}

#[derive(Clone, Copy)]
enum Word {
    Blank,
    Yes,
    No,
    Enabled,
    Disabled,
    Unknown,
}

fn word(text: &str) -> Word {
    const WORDS: [(&str, Word); 14] = [
        ("1", Word::Yes),
        ("true", Word::Yes),
        ("yes", Word::Yes),
        ("on", Word::Yes),
        ("y", Word::Yes),
        ("t", Word::Yes),
        ("0", Word::No),
        ("false", Word::No),
        ("no", Word::No),
        ("off", Word::No),
        ("n", Word::No),
        ("f", Word::No),
        ("enabled", Word::Enabled),
        ("disabled", Word::Disabled),
    ];
    let text = text.trim_matches(|c: char| c.is_ascii_whitespace());
    if text.is_empty() {
        return Word::Blank;
    }
    if text.len() > LENGTH_LIMIT {
        return Word::Unknown;
    }
    WORDS.iter().find(|(name, _)| text.eq_ignore_ascii_case(name)).map_or(Word::Unknown, |(_, word)| *word)
}
