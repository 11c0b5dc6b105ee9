//! Contexts in force on a thread or in a task.
//!
//! Costs a single atomic load while no context is in force anywhere.

#[cfg(feature = "tower")]
mod layer;
mod task;
mod thread;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::event::ActiveContext;

#[cfg(feature = "tower")]
pub use layer::{ContextLayer, ContextService};
pub use thread::ContextGuard;

/// The number of scopes in the process.
static ACTIVE: AtomicUsize = AtomicUsize::new(0);

/// Counts a scope for as long as it lives.
#[derive(Debug)]
struct Active;

impl Active {
    fn new() -> Self {
        ACTIVE.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        ACTIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Returns the innermost context in force here.
#[inline]
pub(super) fn current() -> Option<Arc<ActiveContext>> {
    if ACTIVE.load(Ordering::Relaxed) == 0 {
        return None;
    }
    innermost(thread::current(), task::current())
}

/// Returns the inner one of a thread's and a task's context: the one with more contexts around it.
fn innermost(
    thread: Option<Arc<ActiveContext>>,
    task: Option<Arc<ActiveContext>>,
) -> Option<Arc<ActiveContext>> {
    match (thread, task) {
        (Some(thread), Some(task)) => Some(if thread.depth() >= task.depth() { thread } else { task }),
        (thread, task) => thread.or(task),
    }
}
