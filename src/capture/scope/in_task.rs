//! Puts a context in force in an asynchronous task.

use super::active::Active;
use super::task;
use crate::event::Context;

impl Context {
    /// Puts the context in force while `future` runs, on top of any context already in force here, whichever thread
    /// polls it. Requires the feature `tokio`.
    ///
    /// A task that `future` spawns does not inherit the context: wrap that task as well.
    pub fn in_task<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        let active = self.active(super::current().as_deref());
        async move {
            let _active = Active::new();
            task::within(active, future).await
        }
    }
}
