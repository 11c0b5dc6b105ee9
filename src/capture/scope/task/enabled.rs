//! Contexts in force in an asynchronous task.
//!
//! Works without a runtime: only the task-local storage is Tokio's.

use std::sync::Arc;

use crate::capture::scope::Active;
use crate::event::{ActiveContext, Context};

tokio::task_local! {
    static SCENE: Arc<ActiveContext>;
}

impl Context {
    /// Puts the context in force while `future` runs, on top of any context already in force here, whichever thread
    /// polls it. Requires the feature `tokio`.
    ///
    /// A task that `future` spawns does not inherit the context: wrap that task as well.
    pub fn in_task<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        let active = self.active(crate::capture::scope::current().as_deref());
        async move {
            let _active = Active::new();
            SCENE.scope(active, future).await
        }
    }
}

pub(in crate::capture::scope) fn current() -> Option<Arc<ActiveContext>> {
    SCENE.try_with(Arc::clone).ok()
}
