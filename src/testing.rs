//! Tools for an application's own tests: captures events without a network or the machine's environment.

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
use crate::settings::Env;
use crate::transport::Transport;
use crate::wire::codec::Compression;
use substitute::{Followed, Substitute, here};
use taking::TakingTransport;

pub use crate::transport::memory::{MemoryTransport, Sent};
pub use captured::{Captured, CapturedEvent, events_of};
pub use catalogue::assert_catalogue;
pub(crate) use substitute::{is_active, with_substitute};

/// The maximum time that the end of a test waits for the worker, which does nothing slow.
const PATIENCE: Duration = Duration::from_secs(30);

/// Returns the events that `work` captures through the free functions and `event!` on this thread.
///
/// The events pass through the real encoder, queue, worker and envelope; only the network is replaced. Events that
/// other threads capture meanwhile still go to the global client, unless the thread [follows](follow_thread).
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
/// properties and protocol. [`TestClient::new`] describes the settings that are replaced.
///
/// # Panics
///
/// Panics if the configuration is not valid.
pub fn capture_with(config: Config, work: impl FnOnce()) -> Captured {
    let client = TestClient::new(config);
    let substitute = Substitute::enter(client.client.clone());
    work();
    drop(substitute);
    client.finish()
}

/// Returns the events that a future captures through the free functions and `event!`.
///
/// Includes events that are captured:
///
/// - by the future itself, on any thread that polls it;
/// - by other code on a thread that has polled the future, until the future completes. On a current-thread runtime,
///   the default of `#[tokio::test]`, this covers every spawned task; so does `spawn_local` on a `LocalSet`.
///
/// Does not include events that are captured:
///
/// - by tasks that a multi-thread runtime polls on another thread, by `spawn_blocking`, or by threads. Wrap these
///   with [`follow`] or [`follow_thread`];
/// - after the future completes. Await the handles of spawned tasks inside the future.
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

/// Returns the events that a future captures, with the application's own configuration. See [`capture_async`] and
/// [`TestClient::new`].
///
/// # Panics
///
/// Panics if the configuration is not valid.
pub async fn capture_async_with(config: Config, work: impl Future<Output = ()>) -> Captured {
    let client = TestClient::new(config);
    Followed::until_done(client.client.clone(), work).await;
    client.finish()
}

/// Wraps a task so its events go to the test capture that is active on this thread. Call it where the task is
/// spawned: `tokio::spawn(follow(async { .. }))`. Outside a test capture it has no effect.
pub fn follow<F: Future>(task: F) -> impl Future<Output = F::Output> {
    Followed::while_polled(here(), task)
}

/// Wraps the closure of a thread so its events go to the test capture that is active on this thread, as [`follow`]
/// does. Call it where the thread is started: `thread::spawn(follow_thread(|| ..))`.
pub fn follow_thread<T>(work: impl FnOnce() -> T) -> impl FnOnce() -> T {
    let client = here();
    move || {
        let _substitute = client.map(Substitute::enter);
        work()
    }
}

/// A client whose events stay in memory, for tests of code that takes a [`Client`].
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
    /// Creates a client from the application's own configuration: its hooks, groups, super properties and protocol.
    ///
    /// It replaces the transport with one that accepts every event and sends nothing, the environment with an empty
    /// one, and the consent with one that is granted; compression is turned off. Nothing depends on the machine: no
    /// file is read, and neither `CI` nor `DO_NOT_TRACK` turns the client off.
    ///
    /// # Panics
    ///
    /// Panics if the configuration is not valid.
    pub fn new(config: Config) -> Self {
        let transport = TakingTransport::default();
        let kept = transport.clone();
        // An empty path, so not even the machine's policy file is read.
        let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry")).policy_file("");
        let config = config
            .env(Env::empty())
            .consent(consent)
            .compression(Compression::None)
            .transport(move |_granted| Ok(Box::new(kept.clone()) as Box<dyn Transport>));
        #[expect(clippy::expect_used, reason = "a test must fail if its configuration is not valid")]
        let client = Client::new(config).expect("the configuration under test");
        Self { client, transport }
    }

    /// Returns the client; its clones share the captured events.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Returns the requests so far, for envelopes other than PostHog's. Flush the client first.
    pub fn requests(&self) -> Vec<Sent> {
        self.transport.sent()
    }

    /// Shuts the client down, and returns every event that it would have sent and every loss with its reason.
    pub fn finish(self) -> Captured {
        // The statistics show events that are still waiting after this time.
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
