//! Calls code of the application so that its panics stay with it.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs code of the application, or code that logs through its logger; `None` if it panicked.
///
/// What a panic leaves may panic again when it is dropped. That is caught too, and then left if it is.
#[inline]
pub(crate) fn catch_panic<T>(work: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => Some(done),
        Err(payload) => {
            if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                mem::forget(again);
            }
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    use super::catch_panic;

    struct Bomb(u32);

    impl Drop for Bomb {
        fn drop(&mut self) {
            if let Some(left) = self.0.checked_sub(1) {
                panic_any(Bomb(left));
            }
        }
    }

    #[test]
    fn a_payload_that_panics_when_it_is_dropped_stays_inside() {
        assert_eq!(catch_panic(|| 1), Some(1));
        for depth in 0..4 {
            assert_eq!(catch_panic(|| panic_any(Bomb(depth))), None::<()>);
        }
    }
}
