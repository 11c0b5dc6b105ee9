//! Labels: words out of a known set.
//!
//! Never lets a word through that the catalogue does not know.

use super::field::Field;
use super::pattern::Pattern;

/// A word out of a known set. Derive it, see [`derive@crate::Label`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no set of labels",
    label = "not a closed set of words",
    note = "derive it for an enum: `#[derive(candor::Label)]`"
)]
pub trait Label: Field {
    /// The set.
    const LABELS: Labels;

    /// Returns the word as the program has it.
    fn label(&self) -> &str;

    /// Returns the word where it belongs to the set. An enum's always does.
    fn checked(&self) -> Option<&str> {
        Some(self.label()).filter(|label| Self::LABELS.admits(label))
    }
}

/// A [`Label`] whose words are the variants of an enum.
pub trait ClosedLabel: Label + Sized + 'static {
    /// Every variant, in the order of the source.
    const ALL: &'static [Self];

    /// Returns the variant of a word; for an unknown word the variant marked `#[label(other)]`, if there is one.
    fn from_label(text: &str) -> Option<Self>;
}

/// What words a label may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Labels {
    /// One of these words; an unknown one becomes `other`, where that is declared.
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

    /// Returns the word that stands for unknown ones, where one is declared.
    pub const fn other(&self) -> Option<&'static str> {
        match self {
            Self::Closed { other, .. } => *other,
            Self::Pattern { .. } => None,
        }
    }
}
