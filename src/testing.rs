//! Tools for an application's own tests: capture events without a network.
//!
//! Never opens a socket, and never reads the environment except for the wish to renew a page.

mod captured;
mod catalogue;
mod substitute;
mod taking;

use std::fmt;
use std::future::Future;
use std::time::Duration;

use crate::client::Client;
use crate::config::Config;
use crate::consent::{Consent, Notice};
use crate::settings::{Compression, Env};
use crate::transport::Transport;
use substitute::{Followed, Substitute, here};
use taking::TakingTransport;

pub use crate::transport::memory::{MemoryTransport, Sent};
pub use captured::{Captured, CapturedEvent, events_of};
pub use catalogue::assert_catalogue;
pub(crate) use substitute::{is_active, with_substitute};

/// How long the end of a test waits for the worker, which has nothing slow to do.
const PATIENCE: Duration = Duration::from_secs(30);

/// Returns the events that `work` captures through the free functions and `event!` on this thread.
///
/// They pass the real encoder, queue, worker and envelope; only the network is left out. Events that other threads
/// capture meanwhile go where they always go, unless the thread [follows](follow_thread).
///
/// ```
/// let events = candor::testing::capture(|| {
///     candor::event!("server started", distinct_id = "node-7", replicas = 3);
/// });
/// assert_eq!(events.len(), 1);
/// assert_eq!(events[0].name, "server started");
/// assert_eq!(events[0].properties["replicas"], 3);
/// assert_eq!(events.stats.lost_total(), 0);
/// ```
pub fn capture(work: impl FnOnce()) -> Captured {
    capture_with(Config::new("test", "0.0.0"), work)
}

/// Returns the events that `work` captures, with the application's own configuration: its hooks, groups, super
/// properties and protocol. See [`TestClient::new`] for what is replaced.
///
/// # Panics
///
/// If the configuration is not valid.
pub fn capture_with(config: Config, work: impl FnOnce()) -> Captured {
    let client = TestClient::new(config);
    let substitute = Substitute::enter(client.client.clone());
    work();
    drop(substitute);
    client.finish()
}

/// Returns the events that a future captures through the free functions and `event!`.
///
/// What is followed, and what is not:
///
/// - The future itself, on whichever thread it is polled.
/// - What runs on the thread of the future before it ends. On a current-thread runtime, which is the default of
///   `#[tokio::test]`, that is every spawned task, and so it is with `spawn_local` on a `LocalSet`.
/// - Not: tasks that a multi-thread runtime polls on another thread, `spawn_blocking`, and threads. Wrap them with
///   [`follow`] or [`follow_thread`].
/// - Not: what is captured after the future has ended. Await the handles of spawned tasks inside of it.
///
/// ```
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// # runtime.block_on(async {
/// let events = candor::testing::capture_async(async {
///     let task = tokio::spawn(async { candor::event!("task ended", distinct_id = "node-7") });
///     task.await.unwrap();
/// })
/// .await;
/// assert_eq!(events[0].name, "task ended");
/// # });
/// ```
pub async fn capture_async(work: impl Future<Output = ()>) -> Captured {
    capture_async_with(Config::new("test", "0.0.0"), work).await
}

/// Returns the events that a future captures, with the application's own configuration; see [`capture_async`] and
/// [`TestClient::new`].
///
/// # Panics
///
/// If the configuration is not valid.
pub async fn capture_async_with(config: Config, work: impl Future<Output = ()>) -> Captured {
    let client = TestClient::new(config);
    Followed::until_done(client.client.clone(), work).await;
    client.finish()
}

/// Lets a spawned task follow the capture that is under way here: what it captures arrives there. Call it where the
/// task is spawned: `tokio::spawn(follow(async { .. }))`. Outside of a capture it changes nothing.
pub fn follow<F: Future>(task: F) -> impl Future<Output = F::Output> {
    Followed::while_polled(here(), task)
}

/// Lets a thread follow the capture that is under way here; see [`follow`]. Call it where the thread is started:
/// `thread::spawn(follow_thread(|| ..))`.
pub fn follow_thread<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let client = here();
    move || {
        let _substitute = client.map(Substitute::enter);
        work()
    }
}

/// A client for tests whose events stay in memory, for code that is handed a [`Client`].
///
/// ```
/// use candor::Config;
/// use candor::testing::TestClient;
///
/// let test = TestClient::new(Config::new("granted", "1.0.0").group("deployment", "dep_123"));
/// candor::event!(client = test.client(), "server started", distinct_id = "node-7", replicas = 3);
/// let captured = test.finish();
/// assert_eq!(captured[0].properties["$groups"]["deployment"], "dep_123");
/// assert!(captured.is_complete());
/// ```
pub struct TestClient {
    client: Client,
    transport: TakingTransport,
}

impl TestClient {
    /// Creates a client from the application's own configuration: its hooks, groups, super properties, protocol.
    ///
    /// Replaced are the transport, by one that takes everything and sends nothing; the environment, by an empty one;
    /// the consent, by one that is granted; and compression, by none. So nothing depends on the machine: no file is
    /// read, and neither `CI` nor `DO_NOT_TRACK` turns the client off.
    ///
    /// # Panics
    ///
    /// If the configuration is not valid.
    pub fn new(config: Config) -> Self {
        let transport = TakingTransport::default();
        let kept = transport.clone();
        // No path is not a file, not even the machine's own policy.
        let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry")).policy_file("");
        let config = config
            .env(Env::empty())
            .consent(consent)
            .compression(Compression::None)
            .transport(move |_granted| Ok(Box::new(kept.clone()) as Box<dyn Transport>));
        #[expect(clippy::expect_used, reason = "a test wants to hear of a configuration that cannot work")]
        let client = Client::new(config).expect("the configuration under test");
        Self { client, transport }
    }

    /// Returns the client; clones of it share what they capture.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the requests so far, for envelopes of other shapes than PostHog's. Flush the client first.
    pub fn requests(&self) -> Vec<Sent> {
        self.transport.sent()
    }

    /// Shuts the client down and returns every event that it would have sent, and what was lost and why.
    pub fn finish(self) -> Captured {
        // What does not end within this time is in the result as waiting.
        let _ = self.client.shutdown(PATIENCE);
        let events = self.transport.sent().iter().flat_map(|request| events_of(&request.body)).collect();
        Captured { events, stats: self.client.stats() }
    }
}

impl fmt::Debug for TestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestClient").field("client", &self.client).finish_non_exhaustive()
    }
}
