//! Keeps only part of the events if the application asks for that.
//!
//! Never uses random numbers.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::event::EncodedEvent;

/// Chooses which part of the events is kept.
///
/// The rate ranges from 0.0 (none) to 1.0 (all). A number outside this range is clamped, and NaN counts as 1.0.
#[derive(Debug)]
pub struct Sampling {
    /// Of all 64-bit values, those below this threshold are kept.
    threshold: u64,
    by: SampleBy,
}

#[derive(Debug)]
enum SampleBy {
    DistinctId,
    Name,
    Turn(AtomicU64),
}

impl Sampling {
    /// Keeps part of the people: either all events of a distinct id, or none.
    pub fn by_distinct_id(rate: f64) -> Self {
        Self { threshold: threshold(rate), by: SampleBy::DistinctId }
    }

    /// Keeps part of the event names: either all events of a name, or none.
    pub fn by_name(rate: f64) -> Self {
        Self { threshold: threshold(rate), by: SampleBy::Name }
    }

    /// Keeps events at regular intervals, such as every tenth for 0.1.
    pub fn evenly(rate: f64) -> Self {
        Self { threshold: threshold(rate), by: SampleBy::Turn(AtomicU64::new(0)) }
    }

    pub(super) fn keeps(&self, event: &EncodedEvent<'_>) -> bool {
        if self.threshold == u64::MAX {
            return true;
        }
        let value = match &self.by {
            SampleBy::DistinctId => hash(event.distinct_id()),
            SampleBy::Name => hash(event.name()),
            SampleBy::Turn(turn) => {
                // Multiples of the golden ratio are spread evenly over the range, at every rate.
                turn.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15)
            }
        };
        value < self.threshold
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "the threshold is a share of the range"
)]
fn threshold(rate: f64) -> u64 {
    if rate.is_nan() || rate >= 1.0 { u64::MAX } else { (rate.max(0.0) * u64::MAX as f64) as u64 }
}

/// FNV-1a with a final mix. Stable across versions and machines, so a person always stays in or out.
fn hash(bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(sampling: &Sampling, ids: impl Iterator<Item = String>) -> usize {
        ids.filter(|id| sampling.keeps(&EncodedEvent::sample(id))).count()
    }

    #[test]
    fn keeps_roughly_the_rate_and_always_the_same_people() {
        let ids = || (0..10_000).map(|n| format!("user_{n}"));
        let sampling = Sampling::by_distinct_id(0.1);
        let once = kept(&sampling, ids());
        assert!((800..1200).contains(&once), "{once}");
        assert_eq!(kept(&Sampling::by_distinct_id(0.1), ids()), once);
    }

    #[test]
    fn rates_at_or_beyond_the_ends_keep_none_or_all() {
        let ids = || (0..1000).map(|n| n.to_string());
        for (rate, wanted) in [(0.0, 0), (-1.0, 0), (1.0, 1000), (2.0, 1000), (f64::NAN, 1000)] {
            assert_eq!(kept(&Sampling::by_distinct_id(rate), ids()), wanted, "{rate}");
            assert_eq!(kept(&Sampling::evenly(rate), ids()), wanted, "{rate}");
        }
    }

    #[test]
    fn even_sampling_keeps_close_to_the_rate() {
        let once = kept(&Sampling::evenly(0.1), (0..10_000).map(|n| n.to_string()));
        assert!((990..=1010).contains(&once), "{once}");
    }
}
