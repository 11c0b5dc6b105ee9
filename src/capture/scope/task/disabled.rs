//! Contexts of tasks in a build without the feature `tokio`: there are none.

use std::sync::Arc;

use crate::event::ActiveContext;

pub(in crate::capture::scope) fn current() -> Option<Arc<ActiveContext>> {
    None
}
