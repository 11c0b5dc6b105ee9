//! Where a context is in force: on a thread, or in a task.
//!
//! Never costs more than one atomic load while no context is in force anywhere.

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

/// How many scopes there are in the process.
static ACTIVE: AtomicUsize = AtomicUsize::new(0);

/// Counts a scope as long as it lives.
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

/// Of a thread's and a task's context the one with more around it is the inner one.
fn innermost(
    thread: Option<Arc<ActiveContext>>,
    task: Option<Arc<ActiveContext>>,
) -> Option<Arc<ActiveContext>> {
    match (thread, task) {
        (Some(thread), Some(task)) => Some(if thread.depth() >= task.depth() { thread } else { task }),
        (thread, task) => thread.or(task),
    }
}
