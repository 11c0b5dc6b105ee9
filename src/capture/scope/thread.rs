//! Contexts in force on a thread.
//!
//! Never outlives its guard, even if guards are dropped out of order.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::sync::Arc;

use super::Active;
use crate::event::{ActiveContext, Context};

thread_local! {
    static ENTERED: RefCell<Vec<Arc<ActiveContext>>> = const { RefCell::new(Vec::new()) };
}

/// Keeps a context in force on this thread until it is dropped; see [`Context::enter`].
#[must_use = "the context is in force as long as the guard lives"]
#[derive(Debug)]
pub struct ContextGuard {
    active: usize,
    _active: Active,
    /// Bound to its thread.
    _thread: PhantomData<*const ()>,
}

impl Context {
    /// Puts the context in force on this thread until the guard is dropped, on top of the one in force already.
    ///
    /// Do not hold the guard across an `.await`: other tasks of the thread would see the context, and the task may
    /// go on elsewhere. `in_task` (feature `tokio`) is for those.
    pub fn enter(&self) -> ContextGuard {
        let active = self.active(super::current().as_deref());
        let guard = ContextGuard {
            active: Arc::as_ptr(&active).addr(),
            _active: Active::new(),
            _thread: PhantomData,
        };
        // Gone while a thread ends, when there is nothing to keep it for.
        let _ = ENTERED.try_with(|entered| entered.borrow_mut().push(active));
        guard
    }

    /// Runs `work` with the context in force on this thread.
    pub fn run<T>(&self, work: impl FnOnce() -> T) -> T {
        let _guard = self.enter();
        work()
    }
}

impl Drop for ContextGuard {
    fn drop(&mut self) {
        let _ = ENTERED.try_with(|entered| {
            let mut entered = entered.borrow_mut();
            if let Some(at) = entered.iter().rposition(|active| Arc::as_ptr(active).addr() == self.active) {
                entered.remove(at);
            }
        });
    }
}

/// Returns the innermost context of this thread.
pub(super) fn current() -> Option<Arc<ActiveContext>> {
    ENTERED.try_with(|entered| entered.borrow().last().cloned()).ok().flatten()
}
