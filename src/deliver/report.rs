//! What the application is told when events are lost on their way.
//!
//! Never lets a panic of the hook out.

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use crate::observe::LossReason;
use crate::panic::catch_panic;
use crate::printable::is_escaped;
use crate::wire::EventResult;

/// Events that will not be delivered, and why.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct DeliveryError {
    /// The reason under which [`Stats`](crate::Stats) counts them.
    pub reason: LossReason,
    /// How many events.
    pub count: u64,
    /// The ids of the events: of those that had one. An event gets its id when its batch is built, so what was lost in
    /// the queue is counted and not named.
    pub events: Vec<Uuid>,
    /// What the endpoint said about each of them, if its protocol does: the last result of each.
    pub results: Vec<(Uuid, EventResult)>,
    /// The status of the last answer; `None` if there was none.
    pub status: Option<u16>,
    /// What the endpoint or the transport said, cut at 200 characters.
    pub detail: String,
}

impl DeliveryError {
    /// Events of which nothing is known but how many they are, and the ids of some.
    pub(crate) fn unsent(reason: LossReason, count: u64, events: Vec<Uuid>) -> Self {
        Self { reason, count, events, results: Vec::new(), status: None, detail: String::new() }
    }
}

impl fmt::Display for DeliveryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = self.count;
        let noun = if count == 1 { "event" } else { "events" };
        write!(f, "{count} {noun} lost: {}", self.reason)?;
        if let Some(status) = self.status {
            write!(f, ", status {status}")?;
        }
        if self.detail.is_empty() { Ok(()) } else { write!(f, ", {}", self.detail) }
    }
}

impl std::error::Error for DeliveryError {}

type Hook = dyn Fn(&DeliveryError) + Send + Sync;

/// The application's hook for terminal failures; it runs on the worker's thread.
#[derive(Clone, Default)]
pub(crate) struct OnError(Option<Arc<Hook>>);

impl OnError {
    pub(crate) fn new(hook: impl Fn(&DeliveryError) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hook)))
    }

    /// Calls the hook; a panic in it is caught, since the worker has other events to deliver.
    pub(crate) fn call(&self, error: &DeliveryError) {
        let Some(hook) = &self.0 else { return };
        if catch_panic(|| hook(error)).is_none() {
            log::warn!(target: "candor", "the on_error hook panicked");
        }
    }
}

impl fmt::Debug for OnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "a hook" } else { "none" })
    }
}

/// Cuts a text of the endpoint to what a log line can bear; what must not be printed becomes a blank.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().map(|letter| if is_escaped(letter) { ' ' } else { letter }).take(200).collect()
}
