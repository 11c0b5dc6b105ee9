//! Labels: words from a known set.

use crate::field::value::Field;
use crate::schema::Labels;

/// A word from a known set. Implement it with [`derive@crate::Label`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a set of labels",
    label = "expected a closed set of words",
    note = "derive it for an enum with `#[derive(candor::Label)]`"
)]
pub trait Label: Field {
    /// The set of words.
    const LABELS: Labels;

    /// Returns the word, even if it does not belong to the set.
    fn label(&self) -> &str;

    /// Returns the word if it belongs to the set; the word of an enum always does.
    fn checked(&self) -> Option<&str> {
        Some(self.label()).filter(|label| Self::LABELS.admits(label))
    }
}

/// A [`Label`] whose words are the variants of an enum.
pub trait ClosedLabel: Label + Sized + 'static {
    /// Every variant, in the order of the source.
    const ALL: &'static [Self];

    /// Returns the variant for a word. For an unknown word, returns the variant marked `#[label(other)]`, if any.
    fn from_label(text: &str) -> Option<Self>;
}
