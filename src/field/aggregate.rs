//! Counts and histograms. A histogram never keeps a word that is not one of its labels.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use crate::field::label::Label;
use crate::field::std_values::{MAX_ENTRIES, write_entries};
use crate::field::value::{Encode, Field, ValueWriter, Written};
use crate::schema::FieldType;

/// How often something happened. The count saturates at `u64::MAX` instead of overflowing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Count(u64);

impl Count {
    /// Creates a count.
    pub const fn new(count: u64) -> Self {
        Self(count)
    }

    /// Adds 1.
    pub const fn increment(&mut self) {
        self.add(1);
    }

    /// Adds `n`.
    pub const fn add(&mut self, n: u64) {
        self.0 = self.0.saturating_add(n);
    }

    /// Returns the count.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl From<u64> for Count {
    fn from(count: u64) -> Self {
        Self(count)
    }
}

impl From<usize> for Count {
    fn from(count: usize) -> Self {
        Self(count as u64)
    }
}

impl Encode for Count {
    #[inline]
    fn write(&self, writer: &mut ValueWriter<'_>) -> Written {
        self.0.write(writer)
    }
}

impl Field for Count {
    const KIND: FieldType = FieldType::Count;
}

/// How often each label occurred: `{"AwsSolutions-S10":4,"CDKI-S3-ENCRYPTION":2}`.
///
/// A word that is not one of the labels is counted as their `other`, if they declare one, and dropped otherwise.
/// A histogram has at most 256 different words; further ones are dropped. Dropped words are counted when the event
/// is captured.
///
/// ```
/// # #[cfg(feature = "derive")] {
/// #[derive(Clone, Copy, candor::Label)]
/// enum Severity {
///     Low,
///     High,
/// }
///
/// let mut severities = candor::Histogram::new();
/// severities.count(Severity::High);
/// severities.count_many(Severity::Low, 3);
/// assert_eq!(severities.get("low"), 3);
/// # }
/// ```
#[derive(Debug)]
pub struct Histogram<L> {
    counts: BTreeMap<Box<str>, u64>,
    dropped: u32,
    clamped: u32,
    labels: PhantomData<fn() -> L>,
}

impl<L: Label> Histogram<L> {
    /// Creates an empty histogram.
    pub const fn new() -> Self {
        Self { counts: BTreeMap::new(), dropped: 0, clamped: 0, labels: PhantomData }
    }

    /// Counts a label once.
    #[expect(clippy::needless_pass_by_value, reason = "labels are small, mostly `Copy`")]
    pub fn count(&mut self, label: L) {
        self.count_text(label.label(), 1);
    }

    /// Counts a label `times` times.
    #[expect(clippy::needless_pass_by_value, reason = "labels are small, mostly `Copy`")]
    pub fn count_many(&mut self, label: L, times: u64) {
        self.count_text(label.label(), times);
    }

    /// Counts a word `times` times, if it is one of the labels.
    pub fn count_text(&mut self, text: &str, times: u64) {
        let word = if L::LABELS.admits(text) {
            text
        } else if let Some(other) = L::LABELS.other() {
            self.clamped = self.clamped.saturating_add(1);
            other
        } else {
            self.dropped = self.dropped.saturating_add(1);
            return;
        };
        if let Some(count) = self.counts.get_mut(word) {
            *count = count.saturating_add(times);
        } else if self.counts.len() < MAX_ENTRIES as usize {
            self.counts.insert(word.into(), times);
        } else {
            self.dropped = self.dropped.saturating_add(1);
        }
    }

    /// Returns how often a word was counted.
    pub fn get(&self, word: &str) -> u64 {
        self.counts.get(word).copied().unwrap_or(0)
    }

    /// Returns whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }
}

// Not derived, since the derive would require `L: Clone`.
impl<L> Clone for Histogram<L> {
    fn clone(&self) -> Self {
        Self {
            counts: self.counts.clone(),
            dropped: self.dropped,
            clamped: self.clamped,
            labels: PhantomData,
        }
    }
}

impl<L: Label> Default for Histogram<L> {
    fn default() -> Self {
        Self::new()
    }
}

impl<L: Label> FromIterator<(L, u64)> for Histogram<L> {
    fn from_iter<I: IntoIterator<Item = (L, u64)>>(counts: I) -> Self {
        let mut histogram = Self::new();
        for (label, times) in counts {
            histogram.count_many(label, times);
        }
        histogram
    }
}

impl<L: Label> Encode for Histogram<L> {
    fn write(&self, writer: &mut ValueWriter<'_>) -> Written {
        writer.losses.dropped = writer.losses.dropped.saturating_add(self.dropped);
        writer.losses.clamped = writer.losses.clamped.saturating_add(self.clamped);
        write_entries(self.counts.iter().map(|(word, count)| (Some(&**word), count)), writer)
    }
}

impl<L: Label> Field for Histogram<L> {
    const KIND: FieldType = FieldType::Histogram { keys: &L::LABELS, max: MAX_ENTRIES };
}
