//! One reading of every switch, for variables and for strings in files.
//!
//! Never takes a value that it cannot read for silence.

use std::ffi::OsStr;

/// What a switch is called, which decides how its words are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SwitchKind {
    /// `DO_NOT_TRACK`: yes denies, no says nothing.
    DoNotTrack,
    /// `*_DISABLED`, `*_NO_TELEMETRY`, `*_OPTOUT` and the application's deny aliases: yes denies, no says nothing.
    Disabled,
    /// `*_TELEMETRY`, `*_TELEMETRY_ENABLED`: no denies; yes says nothing, unless the application lets it grant.
    Enabled {
        /// Whether the application lets a yes grant.
        may_grant: bool,
    },
    /// A string in a file that disables: yes denies, no says nothing.
    LegacyString,
}

/// How a value was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reading {
    /// It says nothing.
    Abstain,
    /// It denies, in words that are known.
    Deny,
    /// It means to say something that cannot be read, and denies.
    Malformed,
    /// It grants.
    Grant,
}

/// No word of the table is longer; what is longer is not a switch.
const LENGTH_LIMIT: usize = 32;

/// Reads the raw value of a switch that is set.
///
/// Blanks around the value and the case of ASCII letters do not matter. An empty value counts as unset, as shells
/// unset with `NAME= command`. What is longer than 32 bytes, not UTF-8 or unknown is malformed, and denies.
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
