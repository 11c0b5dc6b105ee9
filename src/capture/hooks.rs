//! The application's `before_send` hooks.
//!
//! A panic of a hook never escapes.

use std::fmt;
use std::sync::Arc;

use crate::event::{CommonProperties, EncodedEvent, OutgoingEvent};
use crate::observe::LossReason;
use crate::panic::catch_panic;

type Hook = dyn Fn(OutgoingEvent) -> Option<OutgoingEvent> + Send + Sync;

/// The hooks, in the order in which the application added them.
#[derive(Clone, Default)]
pub(crate) struct Hooks(Vec<Arc<Hook>>);

impl Hooks {
    pub(crate) fn push(
        &mut self,
        hook: impl Fn(OutgoingEvent) -> Option<OutgoingEvent> + Send + Sync + 'static,
    ) {
        self.0.push(Arc::new(hook));
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Passes the event through each hook in turn.
    pub(super) fn run(
        &self,
        encoded: &EncodedEvent<'_>,
        common: &CommonProperties,
    ) -> Result<OutgoingEvent, LossReason> {
        let mut view = OutgoingEvent::parse(encoded, common).ok_or(LossReason::Unserializable)?;
        for hook in &self.0 {
            let shown = catch_panic(|| hook(view));
            view = shown.ok_or(LossReason::HookPanicked)?.ok_or(LossReason::DroppedByHook)?;
        }
        Ok(view)
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} hooks", self.0.len())
    }
}
