//! Reports lost events to the application. A panic in its hook is caught.

use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

use crate::observe::LossReason;
use crate::panic::catch_panic;
use crate::printable::is_escaped;
use crate::wire::EventResult;

/// A report of events that will not be delivered, and why.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct DeliveryError {
    /// The reason, under which [`Stats`](crate::Stats) counts them.
    pub reason: LossReason,
    /// The number of events.
    pub count: u64,
    /// The ids of the events, as far as they had one. An event gets its id when its batch is built, so events lost in
    /// the queue are counted but not listed.
    pub events: Vec<Uuid>,
    /// The last result of each event, if the protocol returns results for single events.
    pub results: Vec<(Uuid, EventResult)>,
    /// The status of the last response; `None` if there was none.
    pub status: Option<u16>,
    /// The message of the endpoint or the transport, truncated to 200 characters and without secrets.
    pub detail: String,
}

impl DeliveryError {
    /// Creates a report without a status or a detail.
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

/// The application's hook for lost events, which runs on the worker's thread.
#[derive(Clone, Default)]
pub(crate) struct OnError(Option<Arc<Hook>>);

impl OnError {
    pub(crate) fn new(hook: impl Fn(&DeliveryError) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(hook)))
    }

    /// Calls the hook and catches a panic in it.
    pub(crate) fn call(&self, error: &DeliveryError) {
        let Some(hook) = &self.0 else { return };
        if catch_panic(|| hook(error)).is_none() {
            log::warn!(target: "candor", "the on_error hook panicked; the panic was caught");
        }
    }
}

impl fmt::Debug for OnError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "a hook" } else { "none" })
    }
}

/// Shortens text from the endpoint for a log line, and replaces unprintable characters with spaces.
pub(crate) fn excerpt(text: &str) -> String {
    text.chars().map(|letter| if is_escaped(letter) { ' ' } else { letter }).take(200).collect()
}
