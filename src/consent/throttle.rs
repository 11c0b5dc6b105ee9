//! Limits how often a caller's thread rechecks the files of the gate.
//!
//! Between two checks it costs one atomic load.

use std::sync::atomic::{AtomicU64, Ordering};

/// The time between two checks, in milliseconds.
pub(crate) const INTERVAL_MILLIS: u64 = 250;

/// When the next check is due.
#[derive(Debug, Default)]
pub(crate) struct RecheckThrottle {
    due_at: AtomicU64,
}

impl RecheckThrottle {
    /// Returns whether a check is due and, if so, schedules the next one.
    ///
    /// Of several threads that ask at the same time, only one is told `true`. A check is also due after the clock
    /// was set back.
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
    use super::RecheckThrottle;

    #[test]
    fn a_check_is_due_every_250_ms_and_after_the_clock_was_set_back() {
        let throttle = RecheckThrottle::default();
        assert!(throttle.is_due(1_000));
        assert!(!throttle.is_due(1_000) && !throttle.is_due(1_249));
        assert!(throttle.is_due(1_250));
        assert!(!throttle.is_due(1_499));
        assert!(throttle.is_due(3));
        assert!(!throttle.is_due(4));
    }
}
