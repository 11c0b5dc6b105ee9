//! The client, which connects the caller's side with the worker's.
//!
//! Creates no thread, transport or queue before consent is granted.

mod ai;
mod awaiting;
mod batch;
mod capture;
mod consent;
mod identity;
mod lane;
mod on_disk;
mod preview;
mod shutdown;
mod spool;
mod start;
mod worker_handle;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::clock::Clock;
use crate::consent::{ConsentMonitor, ConsentState, Facts, Status, explain, spool_dir};
use crate::deliver::Awaited;
use crate::error::Result;
use crate::observe::{Counters, Stats, print_disabled};
use crate::settings::Env;

use crate::config::{ClientSettings, Config};
use lane::{Lanes, Route};
pub use preview::Preview;
pub use shutdown::Flushed;

/// A client without global state. Clones are cheap and share everything.
///
/// When the last clone is dropped, the worker sends what it has on its own thread, within
/// [`Config::shutdown_timeout`], but nothing waits for it. A program that is about to end should call
/// [`shutdown`](Self::shutdown), or hold the [`Guard`](crate::Guard) of [`init`](crate::init).
#[derive(Clone)]
pub struct Client {
    monitor: Arc<ConsentMonitor>,
    inner: Arc<Inner>,
}

struct Inner {
    counters: Arc<Counters>,
    /// The callers that each wait for the fate of an event.
    awaited: Arc<Awaited>,
    clock: Clock,
    settings: Option<ClientSettings>,
    shutdown_timeout: Duration,
    disabled_reason: Option<String>,
    lanes: Lanes,
    /// Read without the lock under which it is set.
    is_shut_down: AtomicBool,
    has_warned_of_name: AtomicBool,
}

impl Client {
    /// Creates a client. If consent is not granted, the client is created disabled; this is not an error.
    ///
    /// # Errors
    ///
    /// Returns [`Config`](crate::ErrorKind::Config) for an invalid setting, which the message names, and
    /// [`Transport`](crate::ErrorKind::Transport) or [`NotRunning`](crate::ErrorKind::NotRunning) if consent is
    /// granted but the transport or the thread cannot be created.
    pub fn new(mut config: Config) -> Result<Self> {
        let env = config.env.take().unwrap_or_else(Env::from_process);
        let facts = config.facts();
        let settings = config.resolve(&env)?;
        let monitor = ConsentMonitor::new(facts, env, Clock::System);
        on_disk::finish_purge(&settings, &monitor);
        let client = Self::with(Some(settings), monitor, disabled_reason);
        client.announce_disabled();
        client.start(Route::Events)?;
        Ok(client)
    }

    /// Creates a client that is permanently off, for code and tests that need a client.
    pub fn disabled() -> Self {
        Self::with(None, ConsentMonitor::disabled(), |_| Some("created disabled".to_owned()))
    }

    /// Creates a client that only decides and stores the user's answers, and never starts a worker.
    pub(crate) fn unstarted(facts: Facts, env: Env) -> Self {
        Self::with(None, ConsentMonitor::new(facts, env, Clock::System), disabled_reason)
    }

    /// Creates a client that is permanently off, because of this error.
    pub(crate) fn failed(facts: Facts, env: Env, error: String) -> Self {
        let facts = Facts { error: Some(error.clone()), ..facts };
        Self::with(None, ConsentMonitor::failed(facts, env), |_| Some(error))
    }

    /// Logs why the client starts disabled, if it does.
    fn announce_disabled(&self) {
        let decision = self.decision();
        let Some(settings) = self.inner.settings.as_ref().filter(|_| decision.granted().is_none()) else {
            return;
        };
        let Some(report) = decision.deciding_report() else { return };
        let (layer, source) = (report.layer.name(), report.source.escape_debug());
        let reason = format!("decided by {layer}: {source}: {}", report.reason);
        let is_debugging = settings.prints || decision.debug_print();
        print_disabled(self.monitor.app(), &reason, is_debugging, report.malformed);
    }

    /// Creates a client that is off until it is started.
    fn with(
        settings: Option<ClientSettings>,
        monitor: ConsentMonitor,
        disabled_reason: impl FnOnce(&ConsentMonitor) -> Option<String>,
    ) -> Self {
        let counters: Arc<Counters> = Arc::default();
        let waiting = Arc::clone(&counters);
        let monitor = monitor.with_waiting(move || waiting.snapshot().queued);
        counters.fields(settings.as_ref().map_or(0, |settings| settings.undeclared), 0);
        let inner = Inner {
            counters,
            awaited: Arc::default(),
            clock: Clock::System,
            shutdown_timeout: settings.as_ref().map_or(Duration::ZERO, |settings| settings.shutdown_timeout),
            disabled_reason: disabled_reason(&monitor),
            settings,
            lanes: Lanes::new(),
            is_shut_down: AtomicBool::new(false),
            has_warned_of_name: AtomicBool::new(false),
        };
        Self { monitor: Arc::new(monitor), inner: Arc::new(inner) }
    }

    /// Returns whether events are being captured.
    #[inline]
    pub fn is_enabled(&self) -> bool {
        self.monitor.gate().is_enabled()
    }

    /// Returns what has become of the events so far.
    pub fn stats(&self) -> Stats {
        self.inner.counters.snapshot()
    }

    /// Returns why the client was off when it was created, or `None` if it was on.
    pub fn disabled_reason(&self) -> Option<&str> {
        self.inner.disabled_reason.as_deref()
    }

    pub(crate) fn shutdown_timeout(&self) -> Duration {
        self.inner.shutdown_timeout
    }

    /// Returns whether another client may replace this one: it was shut down, or belongs to the parent process.
    pub(crate) fn is_replaceable(&self) -> bool {
        !self.inner.lanes.is_ours() || self.inner.is_shut_down()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("open", &self.is_enabled()).field("stats", &self.stats()).finish()
    }
}

impl Inner {
    fn is_shut_down(&self) -> bool {
        self.is_shut_down.load(Ordering::Acquire)
    }
}

/// Explains what consent would decide for a configuration, without creating a client. Works before
/// [`init`](crate::init), and while telemetry is off. For a configuration that [`Client::new`] refuses, the status is
/// denied, and contains the error.
///
/// ```
/// let config = candor::Config::new("granted", "0.14.0")
///     .endpoint("https://t.example.com")
///     .env(candor::Env::empty().with("DO_NOT_TRACK", "1"));
/// let status = candor::status(&config);
/// assert_eq!(status.state, candor::consent::ConsentState::Denied);
/// println!("{status}");
/// ```
pub fn status(config: &Config) -> Status {
    let env = config.env.clone().unwrap_or_else(Env::from_process);
    let facts = config.checked_facts();
    let dir = spool_dir(&facts, &env).filter(|_| config.spool.is_some());
    let mut status = explain(facts, env, Clock::System.wall());
    if let Some(dir) = dir.filter(|_| status.state == ConsentState::Granted) {
        let spool = on_disk::describe(&dir);
        status.queue.disk = spool.events;
        status.spool = Some(spool);
    }
    status
}

/// Returns what decided and why, in a few words, if the decision is not granted.
fn disabled_reason(monitor: &ConsentMonitor) -> Option<String> {
    let decision = monitor.decision();
    let report = decision.deciding_report().filter(|_| decision.state() != ConsentState::Granted)?;
    Some(format!("{}: {}", report.source, report.reason))
}
