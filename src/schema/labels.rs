//! Labels: words from a known set.

use super::pattern::Pattern;

/// The words that a label can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Labels {
    /// One of these words; an unknown word becomes `other`, if that is declared.
    Closed {
        /// The words with their descriptions.
        words: &'static [Word],
        /// The word that replaces every unknown word.
        other: Option<&'static str>,
    },
    /// A word that matches a pattern and has at most `max` characters; other words are dropped.
    Pattern {
        /// The pattern.
        pattern: &'static Pattern,
        /// The maximum number of characters.
        max: usize,
    },
}

/// A word of a closed set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Word {
    /// The word that is sent.
    pub name: &'static str,
    /// What the word means, from the doc comment of the variant.
    pub description: &'static str,
}

impl Word {
    /// Creates a word with its description, which the catalogue shows.
    pub const fn new(name: &'static str, description: &'static str) -> Self {
        Self { name, description }
    }
}

impl Labels {
    /// Returns whether the set contains a word.
    pub fn admits(&self, text: &str) -> bool {
        match self {
            Self::Closed { words, .. } => words.iter().any(|word| word.name == text),
            Self::Pattern { pattern, max } => text.len() <= *max && pattern.matches(text),
        }
    }

    /// Returns the word that replaces unknown words, if one is declared.
    pub const fn other(&self) -> Option<&'static str> {
        match self {
            Self::Closed { other, .. } => *other,
            Self::Pattern { .. } => None,
        }
    }
}
