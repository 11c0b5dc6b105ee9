//! The events that a worker holds while it runs code of the application, which may never return.

use std::sync::atomic::{AtomicU64, Ordering};

/// Says that the events were counted.
const CLAIMED: u64 = u64::MAX;

/// A number of events that will not be delivered if the worker is left behind. Whoever is first counts them: the
/// worker, or the thread that leaves it behind.
#[derive(Debug, Default)]
pub(crate) struct Held(AtomicU64);

impl Held {
    /// Lets another thread claim this many events, until they are taken back.
    pub(super) fn lend(&self, events: u64) {
        self.0.store(events, Ordering::Release);
    }

    /// Returns how many events the caller has to count as lost; from now on they are not the worker's.
    pub(crate) fn claim(&self) -> u64 {
        let claimed = |events: u64| (events != CLAIMED && events > 0).then_some(CLAIMED);
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, claimed).unwrap_or(0)
    }

    /// Takes the events back. Returns `false` if they were claimed.
    pub(super) fn take_back(&self) -> bool {
        self.0.swap(0, Ordering::AcqRel) != CLAIMED
    }
}

#[cfg(test)]
mod tests {
    use super::Held;

    #[test]
    fn events_are_counted_by_one_side_only() {
        let held = Held::default();
        assert_eq!(held.claim(), 0, "nothing was lent");
        held.lend(3);
        assert!(held.take_back());
        assert_eq!(held.claim(), 0, "they were taken back");
        held.lend(3);
        assert_eq!([held.claim(), held.claim()], [3, 0]);
        assert!(!held.take_back());
        assert!(held.take_back(), "what comes later was not claimed");
    }
}
