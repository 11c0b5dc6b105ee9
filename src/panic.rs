//! Runs code of the application without letting its panics through.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs code of the application, or code that logs through its logger. Returns `None` if it panicked.
///
/// The payload of a panic may panic again when it is dropped. That panic is caught too, and its payload is leaked.
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
    fn a_payload_that_panics_when_dropped_is_contained() {
        assert_eq!(catch_panic(|| 1), Some(1));
        for depth in 0..4 {
            assert_eq!(catch_panic(|| panic_any(Bomb(depth))), None::<()>);
        }
    }
}
