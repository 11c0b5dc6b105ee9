//! The client: the only room that knows both threads.
//! Takes a configuration; gives capture, flush, shutdown and what became of the events.
//! Never makes a thread, a transport or a queue before consent is granted.

mod ai;
mod batch;
mod config;
mod consent;
mod identity;
mod preview;
mod worker_handle;

use std::fmt;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use once_cell::sync::OnceCell;
use parking_lot::Mutex;

use crate::capture::Capture;
use crate::clock::{Clock, later};
use crate::config::{Env, Overflow};
use crate::consent::{ConsentState, Gate, Granted, Look, Oversight, Pace, Status, explain};
use crate::deliver::{Limits, Overseer, Parts, Queue, Sending, Worker};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Context, Event, Record, Timestamp};
use crate::observe::{Counters, LossReason, Stats};
use crate::transport::{HttpTransport, Transport};

use ai::AiLane;
pub use config::Config;
use config::Split;
use consent::ClientOverseer;
pub use preview::Preview;
use worker_handle::{WorkerHandle, commands};

/// How long `flush` and `shutdown` wait for another thread that is doing the same.
const LOCK: Duration = Duration::from_millis(100);

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
    /// Whether a worker was ever started; read without the lock, since a fork may have left that held.
    has_worker: AtomicBool,
    made_by: u32,
    settings: Option<Split>,
    shutdown_timeout: Duration,
    off_because: Option<String>,
    /// What decides; `None` for a client that was made disabled.
    oversight: Option<Arc<Oversight>>,
    pace: Pace,
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

/// What a flush or a shutdown has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flushed {
    /// Events that the receiver took meanwhile.
    pub delivered: u64,
    /// Events that still wait: for a retry, or since the time was up.
    pub waiting: u64,
    /// Everything counted meanwhile, losses by reason included.
    pub stats: Stats,
}

impl Flushed {
    /// Returns how many events were lost meanwhile.
    pub fn lost(&self) -> u64 {
        self.stats.lost_total()
    }

    /// Returns whether nothing waits and nothing was lost.
    pub fn is_complete(&self) -> bool {
        self.waiting == 0 && self.lost() == 0
    }
}

impl Client {
    /// Makes a client. Where consent is not granted the client is off, which is no error.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] for a setting that cannot work, which is named; [`ErrorKind::Transport`] or
    /// [`ErrorKind::NotRunning`] where consent is granted but the transport or the thread cannot be made.
    pub fn new(mut config: Config) -> Result<Self> {
        let env = config.env.take().unwrap_or_else(Env::from_process);
        let facts = config.facts();
        let settings = config.split(&env)?;
        let oversight = Oversight::new(facts, env, Clock::System.wall());
        let client = Self::made(Some(settings), Some(oversight));
        if let Some(granted) = client.decision().granted() {
            client.start(granted)?;
        }
        Ok(client)
    }

    /// Returns a client that is off for good, for code paths and tests that need some client.
    pub fn disabled() -> Self {
        Self::made(None, None)
    }

    /// Makes a client that is off until it is started.
    fn made(settings: Option<Split>, oversight: Option<Oversight>) -> Self {
        let off_because = match &oversight {
            Some(oversight) => off_because(oversight),
            None => Some("made disabled".to_owned()),
        };
        let shutdown_timeout = settings.as_ref().map_or(Duration::ZERO, |split| split.shutdown_timeout);
        let oversight = oversight.map(Arc::new);
        let counters: Arc<Counters> = Arc::default();
        counters.fields(settings.as_ref().map_or(0, |split| split.undeclared), 0);
        let inner = Inner { counters, settings, shutdown_timeout, off_because, oversight, ..Inner::empty() };
        Self { gate: Arc::default(), inner: Arc::new(inner) }
    }

    /// Makes the transport, the queue and the worker, then opens the gate.
    fn start(&self, granted: Granted) -> Result<()> {
        self.start_worker(granted, None).inspect_err(|_| {
            self.gate.close();
        })
    }

    /// Makes the transport, the queue and the worker, for a generation under way or a new one.
    fn start_worker(&self, granted: Granted, generation: Option<u32>) -> Result<()> {
        let inner = &self.inner;
        let Some(split) = &inner.settings else { return Ok(()) };
        let transport = transport(split, granted)?;
        let live = inner.live.get_or_init(|| Live::new(split, Arc::clone(&inner.counters)));
        live.queue.set_closed(false);
        let (sender, receiver) = commands();
        let overseer = ClientOverseer {
            gate: Arc::clone(&self.gate),
            oversight: inner.oversight.clone(),
            clock: inner.clock.clone(),
        };
        let debug = inner.oversight.as_ref().is_some_and(|oversight| oversight.decision().debug_print());
        let generation = generation.unwrap_or_else(|| self.gate.open());
        let worker = Worker::new(Parts {
            queue: Arc::clone(&live.queue),
            gate: Arc::clone(&self.gate),
            generation,
            counters: Arc::clone(&inner.counters),
            common: Arc::clone(&split.terms.common),
            commands: receiver,
            batching: split.batching.clone(),
            clock: inner.clock.clone(),
            sending: sending(split, debug, Arc::clone(&transport), Box::new(overseer)),
            farewell: split.shutdown_timeout,
        });
        let handle = WorkerHandle::start(worker, sender, transport)?;
        *inner.worker.lock() = Some(handle);
        inner.has_worker.store(true, Ordering::Release);
        Ok(())
    }

    /// Captures an event: encodes it on this thread and queues it for the worker.
    ///
    /// Returns nothing, never panics, and never waits, unless the host chose [`Overflow::Wait`]. When off
    /// it is one atomic load. What is lost is counted in [`stats`](Self::stats) with its reason.
    #[inline]
    pub fn capture<E: Event>(&self, event: E) {
        match self.gate.look() {
            Look::Open(generation) => self.capture_open(&event, generation),
            Look::Closed => {}
            Look::Stopped => self.capture_stopped(),
        }
    }

    /// Captures an event in a context, on top of the one in force on this thread or task.
    pub fn capture_in<E: Event>(&self, context: &Context, event: E) {
        if self.gate.look() == Look::Closed {
            return;
        }
        context.run(|| self.capture(event));
    }

    /// Captures an event that is made only where the gate is open.
    fn capture_made<E: Event>(&self, make: impl FnOnce() -> E) {
        match self.gate.look() {
            Look::Open(generation) => self.capture_open(&make(), generation),
            Look::Closed => {}
            Look::Stopped => self.capture_stopped(),
        }
    }

    /// Returns whether events are captured now.
    #[inline]
    pub fn is_open(&self) -> bool {
        self.gate.is_open()
    }

    #[inline(never)]
    fn capture_open<E: Event>(&self, event: &E, generation: u32) {
        let wall = self.inner.clock.wall();
        let now = Timestamp::from(wall);
        if self.holds_at(wall, now) {
            self.capture_at(event, now, generation);
        }
    }

    #[inline]
    fn capture_at<E: Event>(&self, event: &E, now: Timestamp, generation: u32) {
        let inner = &*self.inner;
        let Some(live) = inner.live.get() else { return };
        inner.counters.captured();
        match live.capture.record(event, now, generation) {
            Ok(record) => self.push(live, record, generation),
            Err(reason) => inner.counters.lost(reason, 1),
        }
    }

    #[inline]
    fn push(&self, live: &Live, record: Record, generation: u32) {
        if let Err(record) = live.queue.push(record) {
            self.refused(live, record, generation);
        }
        if self.gate.look_again() != Look::Open(generation) {
            self.overtaken(live);
        }
    }

    /// The queue is full: the event is dropped, or waits for room if the host chose so.
    #[cold]
    fn refused(&self, live: &Live, record: Record, generation: u32) {
        let kept = match live.overflow {
            Overflow::Wait(timeout) => self.wait_and_push(live, record, timeout, generation),
            Overflow::DropNewest => false,
        };
        if kept {
            return;
        }
        self.inner.counters.lost(LossReason::QueueFull, 1);
        if live.queue.lost_one() {
            log::warn!(target: "candor", "the queue is full: new events are dropped until half of it is free");
        }
    }

    /// Waits for room and pushes; returns whether the record went in.
    #[cold]
    fn wait_and_push(&self, live: &Live, mut record: Record, timeout: Duration, generation: u32) -> bool {
        let deadline = later(Instant::now(), timeout);
        let still_wanted = || self.gate.look() == Look::Open(generation);
        while still_wanted() && live.queue.may_wait() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            live.queue.wait_for_room(left, still_wanted);
            match live.queue.push(record) {
                Ok(()) => return true,
                Err(again) => record = again,
            }
        }
        false
    }

    /// The gate was closed while the event was on its way to the queue.
    #[cold]
    fn overtaken(&self, live: &Live) {
        let reason = match self.gate.look() {
            Look::Open(_) => return, // Open anew: the worker drops what is of an older generation.
            Look::Closed => LossReason::ConsentWithdrawn,
            Look::Stopped => LossReason::ShuttingDown,
        };
        if live.queue.is_closed() {
            self.inner.counters.lost(reason, live.queue.purge());
        }
    }

    #[cold]
    fn capture_stopped(&self) {
        self.inner.counters.captured();
        self.inner.counters.lost(LossReason::ShuttingDown, 1);
    }

    /// Waits until what was captured before is delivered or lost, for `timeout` at the most.
    ///
    /// Returns early where everything that is left waits for a retry beyond the timeout. When off, it
    /// returns at once with nothing delivered.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotRunning`] in a forked child, whose parent has the worker, and after a shutdown.
    pub fn flush(&self, timeout: Duration) -> Result<Flushed> {
        let deadline = later(self.inner.clock.now(), timeout);
        let before = self.stats();
        if !self.inner.has_worker() || self.gate.look() == Look::Closed {
            return Ok(Flushed::default());
        }
        let lanes = [Some(self), self.known_ai_lane()];
        let mut flushes = Vec::new();
        for lane in lanes.into_iter().flatten() {
            let Some(worker) = lane.inner.worker.try_lock_for(LOCK.min(timeout)) else {
                return Ok(self.flushed_since(&before));
            };
            match &*worker {
                Some(handle) if !handle.is_ours() => return Err(forked()),
                Some(handle) if handle.is_current() => return Ok(self.flushed_since(&before)),
                Some(handle) => flushes.push(handle.flush(deadline)),
                None => return Err(Error::new(ErrorKind::NotRunning, "the client was shut down")),
            }
        }
        for done in flushes {
            // The time is up, the worker has ended, or it is done: the counts tell which.
            let _ = done.recv_deadline(deadline);
        }
        Ok(self.flushed_since(&before))
    }

    /// Delivers what can be delivered within `timeout`, then stops the worker. What is left is counted.
    ///
    /// A request in flight is cut when the time is up; a name that is being resolved or a connection that
    /// is being made is not, but nobody waits for it. A second call does nothing. Later captures are
    /// dropped and counted.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotRunning`] in a forked child, whose parent has the worker.
    pub fn shutdown(&self, timeout: Duration) -> Result<Flushed> {
        let deadline = later(Instant::now(), timeout);
        let before = self.stats();
        self.inner.is_shut_down.store(true, Ordering::Release);
        if !self.inner.has_worker() {
            return Ok(Flushed::default());
        }
        self.gate.stop();
        let Some(handle) = self.inner.worker.try_lock_for(LOCK.min(timeout)).and_then(|mut w| w.take())
        else {
            return Ok(Flushed::default());
        };
        if !handle.is_ours() {
            return Err(forked());
        }
        let lane = self.known_ai_lane().and_then(|lane| lane.inner.worker.try_lock_for(LOCK)?.take());
        let lane = lane.filter(WorkerHandle::is_ours).map(|lane| (lane.ask_to_end(deadline), lane));
        handle.shutdown(deadline);
        if let Some((done, lane)) = lane {
            lane.ended(&done, deadline);
        }
        for lane in [Some(self), self.known_ai_lane()].into_iter().flatten() {
            if let Some(live) = lane.inner.live.get() {
                live.queue.call_waiting();
            }
        }
        Ok(self.flushed_since(&before))
    }

    /// Returns what became of the events so far.
    pub fn stats(&self) -> Stats {
        self.inner.counters.snapshot()
    }

    /// Returns why the client was off when it was made; `None` where it was not.
    pub fn off_because(&self) -> Option<&str> {
        self.inner.off_because.as_deref()
    }

    fn flushed_since(&self, before: &Stats) -> Flushed {
        let stats = self.stats().since(before);
        Flushed { delivered: stats.sent, waiting: stats.queued, stats }
    }

    pub(crate) fn shutdown_timeout(&self) -> Duration {
        self.inner.shutdown_timeout
    }

    /// Returns whether another client may take this one's place: it was shut down, or is a parent's.
    pub(crate) fn is_replaceable(&self) -> bool {
        self.inner.made_by != process::id() || self.inner.is_shut_down()
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("open", &self.is_open()).field("stats", &self.stats()).finish()
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
            has_worker: AtomicBool::new(false),
            made_by: process::id(),
            settings: None,
            shutdown_timeout: Duration::ZERO,
            off_because: None,
            oversight: None,
            pace: Pace::default(),
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

impl Live {
    fn new(split: &Split, counters: Arc<Counters>) -> Self {
        let batching = &split.batching;
        let limits = Limits {
            events: batching.queue_events as u64,
            bytes: batching.queue_bytes as u64,
            wake_events: batching.leaves_at_events(),
            wake_bytes: batching.leaves_at_bytes(),
        };
        let capture = Capture::new(split.terms.clone(), counters);
        Self { capture, queue: Arc::new(Queue::new(limits)), overflow: batching.overflow }
    }
}

/// Makes the transport; only a granted decision gets this far.
fn transport(split: &Split, granted: Granted) -> Result<Arc<dyn Transport>> {
    match (&split.transport, &split.endpoint) {
        (Some(factory), _) => Ok(Arc::from(factory(granted)?)),
        (None, Some(endpoint)) => Ok(Arc::new(HttpTransport::new(granted, &split.http, endpoint)?)),
        (None, None) => Err(Error::new(ErrorKind::Config, "endpoint: none was set")),
    }
}

fn sending(
    split: &Split,
    debug: bool,
    transport: Arc<dyn Transport>,
    overseer: Box<dyn Overseer>,
) -> Sending {
    let path = split.envelope.path();
    let url = split.endpoint.as_ref().map_or_else(|| path.to_owned(), |endpoint| endpoint.join(path));
    Sending {
        envelope: Arc::clone(&split.envelope),
        transport,
        overseer,
        url,
        timeout: split.http.total,
        compression: split.http.compression,
        retry: split.retry.clone(),
        on_error: split.on_error.clone(),
        prints: split.prints || debug,
        is_dry_run: split.is_dry_run,
        hide: split.hide.clone(),
    }
}

fn forked() -> Error {
    Error::new(ErrorKind::NotRunning, "the worker is the parent process's; initialise anew in a forked child")
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

/// Says in a few words what decided, where the decision is not granted.
fn off_because(oversight: &Oversight) -> Option<String> {
    let decision = oversight.decision();
    let report = decision.deciding_report().filter(|_| decision.state() != ConsentState::Granted)?;
    Some(format!("{}: {}", report.source, report.reason))
}
