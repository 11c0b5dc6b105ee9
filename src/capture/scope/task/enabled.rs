//! Contexts in force in a task of an asynchronous program.
//! Takes a context and a future; gives a future during which the context holds, whichever thread polls it.
//! Never needs a runtime to run: only the storage is tokio's.

use std::sync::Arc;

use crate::capture::scope::Active;
use crate::event::{Context, Scene};

tokio::task_local! {
    static SCENE: Arc<Scene>;
}

impl Context {
    /// Puts the context in force while `future` runs, on top of the one in force here, whichever thread polls it.
    /// Needs the feature `tokio`.
    ///
    /// A task that `future` spawns does not inherit it: wrap that one as well.
    pub fn in_task<F: Future>(&self, future: F) -> impl Future<Output = F::Output> + use<F> {
        let scene = self.scene(crate::capture::scope::current().as_deref());
        async move {
            let _active = Active::new();
            SCENE.scope(scene, future).await
        }
    }
}

pub(in crate::capture::scope) fn current() -> Option<Arc<Scene>> {
    SCENE.try_with(Arc::clone).ok()
}
