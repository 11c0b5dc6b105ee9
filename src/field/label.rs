//! Labels: words out of a known set.
//!
//! Never lets a word through that the catalogue does not know.

use crate::field::value::Field;
use crate::schema::Labels;

/// A word out of a known set. Derive it, see [`derive@crate::Label`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a set of labels",
    label = "expected a closed set of words",
    note = "derive it for an enum with `#[derive(candor::Label)]`"
)]
pub trait Label: Field {
    /// The set.
    const LABELS: Labels;

    /// Returns the word as the program has it.
    fn label(&self) -> &str;

    /// Returns the word if it belongs to the set. An enum's always does.
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
