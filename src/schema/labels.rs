//! Labels: words out of a known set.

use super::pattern::Pattern;

/// What words a label may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Labels {
    /// One of these words; an unknown one becomes `other`, if that is declared.
    Closed {
        /// The words, with what they mean.
        words: &'static [Word],
        /// The word that stands for all unknown ones.
        other: Option<&'static str>,
    },
    /// A word that matches a pattern and has at most so many characters; others are dropped.
    Pattern {
        /// What matches.
        pattern: &'static Pattern,
        /// How many characters at most.
        max: usize,
    },
}

/// A word of a closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// The word as it is sent.
    pub name: &'static str,
    /// What it means; from the doc comment of the variant.
    pub description: &'static str,
}

impl Labels {
    /// Returns whether a word belongs to the set.
    pub fn admits(&self, text: &str) -> bool {
        match self {
            Self::Closed { words, .. } => words.iter().any(|word| word.name == text),
            Self::Pattern { pattern, max } => text.len() <= *max && pattern.matches(text),
        }
    }

    /// Returns the word that stands for unknown ones, if one is declared.
    pub const fn other(&self) -> Option<&'static str> {
        match self {
            Self::Closed { other, .. } => *other,
            Self::Pattern { .. } => None,
        }
    }
}
