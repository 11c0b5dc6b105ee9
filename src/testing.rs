//! Tools for an application's own tests: capture events without a network.
//!
//! Never opens a socket, and never reads the environment except for the wish to renew a page.

mod catalogue;

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde_json::{Map, Value};

use crate::client::Client;
use crate::config::Config;
use crate::consent::{Consent, Notice};
use crate::settings::Env;
use crate::transport::Transport;

pub use crate::transport::{MemoryTransport, Sent};
pub use catalogue::assert_catalogue;

/// An event as it would have arrived.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CapturedEvent {
    /// The name.
    pub name: String,
    /// Who or what the event is about.
    pub distinct_id: String,
    /// All properties, those common to the client included.
    pub properties: Map<String, Value>,
    /// The whole event as it stands in the batch.
    pub json: Value,
}

/// How many threads are inside [`capture`]; the way of a capture looks no further while it is zero.
static ACTIVE: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static SUBSTITUTES: RefCell<Vec<Client>> = const { RefCell::new(Vec::new()) };
}

/// Returns the events that `work` captures through the free functions and `event!` on this thread.
///
/// They pass the real encoder, queue, worker and envelope; only the network is left out. Events that
/// other threads capture meanwhile go where they always go.
///
/// ```
/// let events = candor::testing::capture(|| {
///     candor::event!("server started", distinct_id = "node-7", replicas = 3);
/// });
/// assert_eq!(events.len(), 1);
/// assert_eq!(events[0].name, "server started");
/// assert_eq!(events[0].properties["replicas"], 3);
/// ```
pub fn capture(work: impl FnOnce()) -> Vec<CapturedEvent> {
    capture_with(Config::new("test", "0.0.0"), work)
}

/// Returns the events that `work` captures, with the application's own configuration: its hooks, groups and
/// super properties. Transport, environment and consent are replaced: no file is read, and nobody says no.
///
/// # Panics
///
/// If the configuration is not valid.
pub fn capture_with(config: Config, work: impl FnOnce()) -> Vec<CapturedEvent> {
    let memory = MemoryTransport::new();
    let kept = memory.clone();
    // No path is not a file, not even the machine's own policy.
    let consent = Consent::opt_out(Notice::documented("")).policy_file("");
    let config = config
        .env(Env::empty())
        .consent(consent)
        .transport(move |_granted| Ok(Box::new(kept.clone()) as Box<dyn Transport>));
    #[expect(clippy::expect_used, reason = "a test wants to hear of a configuration that cannot work")]
    let client = Client::new(config).expect("the configuration under test");
    let substitute = Substitute::enter(client.clone());
    work();
    drop(substitute);
    let _ = client.shutdown(Duration::from_secs(30));
    memory.sent().iter().flat_map(|request| events_of(&request.body)).collect()
}

/// Reads the events of a batch body.
pub fn events_of(body: &[u8]) -> Vec<CapturedEvent> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let batch = body.get("batch").and_then(Value::as_array).cloned().unwrap_or_default();
    let text =
        |event: &Value, key: &str| event.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let read = |event: Value| CapturedEvent {
        name: text(&event, "event"),
        distinct_id: text(&event, "distinct_id"),
        properties: event.get("properties").and_then(Value::as_object).cloned().unwrap_or_default(),
        json: event,
    };
    batch.into_iter().map(read).collect()
}

/// Returns whether some thread has a substitute for the global client.
#[inline]
pub(crate) fn is_active() -> bool {
    ACTIVE.load(Ordering::Relaxed) != 0
}

/// Runs `work` with this thread's substitute for the global client, if it has one.
pub(crate) fn with_substitute<T>(work: impl FnOnce(Option<&Client>) -> T) -> T {
    let substitute = SUBSTITUTES.try_with(|all| all.borrow().last().cloned()).ok().flatten();
    work(substitute.as_ref())
}

/// Stands in for the global client on this thread until it is dropped, also by a panic.
struct Substitute;

impl Substitute {
    fn enter(client: Client) -> Self {
        SUBSTITUTES.with(|all| all.borrow_mut().push(client));
        ACTIVE.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Substitute {
    fn drop(&mut self) {
        ACTIVE.fetch_sub(1, Ordering::Relaxed);
        SUBSTITUTES.with(|all| all.borrow_mut().pop());
    }
}
