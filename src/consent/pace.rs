//! How often a caller's thread looks at the files of the gate.
//! Takes the time of a capture; gives back whether this one is to look.
//! Never costs more than one atomic load in between.

use std::sync::atomic::{AtomicU64, Ordering};

/// The time between two looks, in milliseconds.
pub(crate) const INTERVAL_MILLIS: u64 = 250;

/// The next moment at which a look is due.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    due_at: AtomicU64,
}

impl Pace {
    /// Says whether a look is due, and if so, puts off the next one.
    ///
    /// Of several threads that ask at the same time one is told yes. A clock that was set back asks for a look.
    #[inline]
    pub(crate) fn is_due(&self, now_millis: u64) -> bool {
        let due_at = self.due_at.load(Ordering::Relaxed);
        if now_millis < due_at && due_at - now_millis <= INTERVAL_MILLIS {
            return false;
        }
        self.put_off(due_at, now_millis)
    }

    #[cold]
    fn put_off(&self, due_at: u64, now_millis: u64) -> bool {
        let next = now_millis.saturating_add(INTERVAL_MILLIS);
        self.due_at.compare_exchange(due_at, next, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;

    #[test]
    fn a_look_is_due_every_250_ms_and_after_the_clock_was_set_back() {
        let pace = Pace::default();
        assert!(pace.is_due(1_000));
        assert!(!pace.is_due(1_000) && !pace.is_due(1_249));
        assert!(pace.is_due(1_250));
        assert!(!pace.is_due(1_499));
        assert!(pace.is_due(3));
        assert!(!pace.is_due(4));
    }
}
