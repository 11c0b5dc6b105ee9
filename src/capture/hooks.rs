//! The host's `before_send` hooks.
//! Takes a record; gives it parsed, as the hooks left it, or the reason why it is dropped.
//! Never lets a panic of a hook out.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::event::{Common, EventView, Record};
use crate::observe::LossReason;

type Hook = dyn Fn(EventView) -> Option<EventView> + Send + Sync;

/// Hooks in the order in which the host added them.
#[derive(Clone, Default)]
pub(crate) struct Hooks(Vec<Arc<Hook>>);

impl Hooks {
    pub(crate) fn push(&mut self, hook: impl Fn(EventView) -> Option<EventView> + Send + Sync + 'static) {
        self.0.push(Arc::new(hook));
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Shows the event to each hook in turn.
    pub(super) fn run(&self, record: &Record, common: &Common) -> Result<EventView, LossReason> {
        let mut view = EventView::parse(record, common).ok_or(LossReason::Unserializable)?;
        for hook in &self.0 {
            let shown = catch_unwind(AssertUnwindSafe(|| hook(view)));
            view = shown.map_err(|_| LossReason::HookPanicked)?.ok_or(LossReason::DroppedByHook)?;
        }
        Ok(view)
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} hooks", self.0.len())
    }
}
