//! Puts a context in force on a thread or in a task. On a thread, it never outlives its guard, even if guards are dropped
//! out of order.

use std::marker::PhantomData;
use std::sync::Arc;

use super::active::Active;
#[cfg(feature = "tokio")]
use super::task;
use super::thread;
use crate::event::Context;

/// Keeps a context in force on this thread until it is dropped; see [`Context::enter`].
#[must_use = "the context is in force only while the guard lives"]
#[derive(Debug)]
pub struct ContextGuard {
    active: usize,
    _active: Active,
    /// Makes the guard `!Send`, because it belongs to its thread.
    _thread: PhantomData<*const ()>,
}

impl Context {
    /// Puts the context in force on this thread until the guard is dropped, on top of any context already in force.
    ///
    /// Do not hold the guard across an `.await`: other tasks on the thread would see the context, and the task may
    /// continue on another thread. Use `in_task` (feature `tokio`) there.
    pub fn enter(&self) -> ContextGuard {
        let active = self.active(super::current().as_deref());
        let guard = ContextGuard {
            active: Arc::as_ptr(&active).addr(),
            _active: Active::new(),
            _thread: PhantomData,
        };
        thread::enter(active);
        guard
    }

    /// Runs `work` with the context in force on this thread.
    pub fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        let _guard = self.enter();
        work()
    }

    /// Puts the context in force while `future` runs, on top of any context already in force here, whichever thread
    /// polls it. Requires the feature `tokio`.
    ///
    /// A task that `future` spawns does not inherit the context: wrap that task as well.
    #[cfg(feature = "tokio")]
    pub fn in_task<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        let active = self.active(super::current().as_deref());
        async move {
            let _active = Active::new();
            task::within(active, future).await
        }
    }
}

impl Drop for ContextGuard {
    fn drop(&mut self) {
        thread::leave(self.active);
    }
}
