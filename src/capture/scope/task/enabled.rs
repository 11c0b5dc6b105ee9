//! The context that is in force in an asynchronous task. Only the task-local storage is Tokio's: no runtime is needed.

use std::sync::Arc;

use crate::event::ActiveContext;

tokio::task_local! {
    static ENTERED: Arc<ActiveContext>;
}

/// Runs `future` with the context in force.
pub(in crate::capture::scope) async fn within<F: Future>(active: Arc<ActiveContext>, future: F) -> F::Output {
    ENTERED.scope(active, future).await
}

pub(in crate::capture::scope) fn current() -> Option<Arc<ActiveContext>> {
    ENTERED.try_with(Arc::clone).ok()
}
