//! Contexts in force on a thread or in a task.
//!
//! Costs a single atomic load while no context is in force anywhere.

mod active;
mod guard;
#[cfg(feature = "tower")]
mod layer;
mod task;
mod thread;

use std::sync::Arc;

use crate::event::ActiveContext;

pub use guard::ContextGuard;
#[cfg(feature = "tower")]
pub use layer::{ContextLayer, ContextService};

/// Returns the innermost context in force here.
#[inline]
pub(super) fn current() -> Option<Arc<ActiveContext>> {
    if active::is_none() {
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
