//! The client: the only room that knows both threads.
//!
//! Never makes a thread, a transport or a queue before consent is granted.

mod ai;
mod batch;
mod capture;
mod consent;
mod identity;
mod preview;
mod shutdown;
mod start;
mod worker_handle;

use std::fmt;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use once_cell::sync::OnceCell;
use parking_lot::Mutex;

use crate::capture::Capture;
use crate::clock::Clock;
use crate::consent::{ConsentMonitor, ConsentState, Gate, RecheckThrottle, Status, explain};
use crate::error::Result;
use crate::observe::{Counters, Stats};
use crate::queue::Queue;
use crate::settings::{Env, Overflow};
use crate::transport::Transport;

use crate::config::{ClientSettings, Config};
use ai::AiLane;
pub use preview::Preview;
pub use shutdown::Flushed;
use worker_handle::WorkerHandle;

/// A client without globals; clones are cheap and share everything.
///
/// When the last clone is dropped the worker sends what it has, on its own thread and for the time of
/// [`Config::shutdown_timeout`]; nobody waits for it. A program that is about to end calls
/// [`shutdown`](Self::shutdown), or holds the [`Guard`](crate::Guard) of [`init`](crate::init).
#[derive(Clone)]
pub struct Client {
    gate: Arc<Gate>,
    inner: Arc<Inner>,
}

struct Inner {
    counters: Arc<Counters>,
    clock: Clock,
    live: OnceCell<Live>,
    worker: Mutex<Option<WorkerHandle>>,
    /// The transport of a worker that a shutdown waits for, so that a withdrawal can still cut its request.
    ending: Mutex<Option<Arc<dyn Transport>>>,
    /// Whether a worker was ever started; read without the lock, since a fork may have left that held.
    has_worker: AtomicBool,
    owner_pid: u32,
    settings: Option<ClientSettings>,
    shutdown_timeout: Duration,
    disabled_reason: Option<String>,
    /// What decides; `None` for a client that was made disabled.
    monitor: Option<Arc<ConsentMonitor>>,
    throttle: RecheckThrottle,
    /// Held while the user's answer changes, so that answers take effect one after the other.
    changes: Mutex<()>,
    is_shut_down: AtomicBool,
    ai: AiLane,
}

/// What exists only once consent was granted.
struct Live {
    capture: Capture,
    queue: Arc<Queue>,
    overflow: Overflow,
}

impl Client {
    /// Creates a client. If consent is not granted the client is off, which is not an error.
    ///
    /// # Errors
    ///
    /// [`Config`](crate::ErrorKind::Config) for a setting that cannot work, which is named;
    /// [`Transport`](crate::ErrorKind::Transport) or [`NotRunning`](crate::ErrorKind::NotRunning) where consent
    /// is granted but the transport or the thread cannot be made.
    pub fn new(mut config: Config) -> Result<Self> {
        let env = config.env.take().unwrap_or_else(Env::from_process);
        let facts = config.facts();
        let settings = config.resolve(&env)?;
        let monitor = ConsentMonitor::new(facts, env, Clock::System.wall());
        let client = Self::made(Some(settings), Some(monitor));
        if let Some(granted) = client.decision().granted() {
            client.start(granted)?;
        }
        Ok(client)
    }

    /// Returns a client that is off for good, for code paths and tests that need some client.
    pub fn disabled() -> Self {
        Self::made(None, None)
    }

    /// Creates a client that is off until it is started.
    fn made(settings: Option<ClientSettings>, monitor: Option<ConsentMonitor>) -> Self {
        let disabled_reason = match &monitor {
            Some(monitor) => disabled_reason(monitor),
            None => Some("made disabled".to_owned()),
        };
        let shutdown_timeout = settings.as_ref().map_or(Duration::ZERO, |settings| settings.shutdown_timeout);
        let monitor = monitor.map(Arc::new);
        let counters: Arc<Counters> = Arc::default();
        counters.fields(settings.as_ref().map_or(0, |settings| settings.undeclared), 0);
        let inner =
            Inner { counters, settings, shutdown_timeout, disabled_reason, monitor, ..Inner::empty() };
        Self { gate: Arc::default(), inner: Arc::new(inner) }
    }

    /// Returns whether events are captured now.
    #[inline]
    pub fn is_enabled(&self) -> bool {
        self.gate.is_enabled()
    }

    /// Returns what became of the events so far.
    pub fn stats(&self) -> Stats {
        self.inner.counters.snapshot()
    }

    /// Returns why the client was off when it was made; `None` if it was not.
    pub fn disabled_reason(&self) -> Option<&str> {
        self.inner.disabled_reason.as_deref()
    }

    pub(crate) fn shutdown_timeout(&self) -> Duration {
        self.inner.shutdown_timeout
    }

    /// Returns whether another client may take this one's place: it was shut down, or is a parent's.
    pub(crate) fn is_replaceable(&self) -> bool {
        self.inner.owner_pid != process::id() || self.inner.is_shut_down()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("open", &self.is_enabled()).field("stats", &self.stats()).finish()
    }
}

impl Inner {
    /// Nothing yet: no settings, no consent, no worker.
    fn empty() -> Self {
        Self {
            counters: Arc::default(),
            clock: Clock::System,
            live: OnceCell::new(),
            worker: Mutex::new(None),
            ending: Mutex::new(None),
            has_worker: AtomicBool::new(false),
            owner_pid: process::id(),
            settings: None,
            shutdown_timeout: Duration::ZERO,
            disabled_reason: None,
            monitor: None,
            throttle: RecheckThrottle::default(),
            changes: Mutex::new(()),
            is_shut_down: AtomicBool::new(false),
            ai: AiLane::default(),
        }
    }

    fn has_worker(&self) -> bool {
        self.has_worker.load(Ordering::Acquire)
    }

    fn is_shut_down(&self) -> bool {
        self.is_shut_down.load(Ordering::Acquire)
    }
}

/// Explains what consent would decide for a configuration, without making a client. Works before
/// [`init`](crate::init), and when off.
///
/// ```
/// let config = candor::Config::new("granted", "0.14.0")
///     .endpoint("https://t.example.com")
///     .env(candor::Env::empty().with("DO_NOT_TRACK", "1"));
/// let status = candor::status(&config);
/// assert_eq!(status.state, candor::ConsentState::Denied);
/// println!("{status}");
/// ```
pub fn status(config: &Config) -> Status {
    let env = config.env.clone().unwrap_or_else(Env::from_process);
    explain(config.facts(), env, Clock::System.wall())
}

/// Says in a few words what decided, if the decision is not granted.
fn disabled_reason(monitor: &ConsentMonitor) -> Option<String> {
    let decision = monitor.decision();
    let report = decision.deciding_report().filter(|_| decision.state() != ConsentState::Granted)?;
    Some(format!("{}: {}", report.source, report.reason))
}
