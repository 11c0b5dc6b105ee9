//! Callers waiting for room in a full queue, because the application chose to wait.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use parking_lot::{Condvar, Mutex};

/// The waiting callers.
#[derive(Debug, Default)]
pub(crate) struct Waiters {
    waiting: AtomicUsize,
    room: Mutex<()>,
    has_room: Condvar,
}

impl Waiters {
    /// Waits until `is_over` returns `true` or the deadline passes. `before` runs once the caller counts as
    /// waiting.
    pub(crate) fn wait(&self, deadline: Instant, before: impl FnOnce(), is_over: impl Fn() -> bool) {
        self.waiting.fetch_add(1, Ordering::AcqRel);
        before();
        let mut room = self.room.lock();
        while !is_over() {
            if self.has_room.wait_until(&mut room, deadline).timed_out() {
                break;
            }
        }
        drop(room);
        self.waiting.fetch_sub(1, Ordering::AcqRel);
    }

    /// Returns whether any caller is waiting.
    pub(crate) fn any(&self) -> bool {
        self.waiting.load(Ordering::Acquire) > 0
    }

    /// Makes all waiting callers check again.
    pub(crate) fn notify(&self) {
        drop(self.room.lock());
        self.has_room.notify_all();
    }
}
