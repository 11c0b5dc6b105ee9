//! The client, which connects the caller's side with the worker's.
//!
//! Creates no thread, transport or queue before consent is granted.

mod awaiting;
mod flushed;
mod internal;
mod lane;
mod on_disk;
mod preview;
mod spool;
mod worker_handle;

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};
use std::{fmt, mem};

use serde::Serialize;

use crate::clock::{Clock, later};
use crate::config::{ClientSettings, Config};
use crate::consent::{
    ConsentMonitor, ConsentState, Decision, GateState, LastSend, OptIn, Status, explain, spool_dir,
};
use crate::deliver::{Awaited, Delivered};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Context, DynamicEvent, Event};
use crate::observe::{Counters, LossReason, Stats};
use crate::settings::Env;
use crate::timestamp::Timestamp;
use flushed::forked;
use lane::{Lanes, Route};
use worker_handle::CUT;

pub use flushed::Flushed;
pub use preview::Preview;

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
        Self::with(None, ConsentMonitor::disabled(), |_| Some("created with Client::disabled()".to_owned()))
    }

    /// Returns whether events are being captured.
    #[inline]
    pub fn is_enabled(&self) -> bool {
        self.monitor.gate().is_enabled()
    }

    /// Returns why the client was off when it was created, or `None` if it was on.
    pub fn disabled_reason(&self) -> Option<&str> {
        self.inner.disabled_reason.as_deref()
    }

    /// Returns what has become of the events so far.
    pub fn stats(&self) -> Stats {
        self.inner.counters.snapshot()
    }

    /// Captures an event: encodes it on this thread and queues it for the worker.
    ///
    /// Returns nothing, never panics, and never waits unless the application chose
    /// [`Overflow::Wait`](crate::Overflow::Wait). While telemetry is off, it costs one atomic load. Lost events are
    /// counted in [`stats`](Self::stats) with their reasons.
    ///
    /// An event's own code, a hook and a logger may capture events themselves. Such an event is captured as usual,
    /// including its hooks. An event captured inside that second capture is dropped and counted as
    /// [`LossReason::Recursion`], because the recursion might never end.
    #[inline]
    pub fn capture<E: Event>(&self, event: E) {
        match self.monitor.gate().state() {
            GateState::Open(generation) => self.capture_open(&event, generation),
            GateState::Closed => {}
            GateState::Stopped => self.capture_stopped(),
        }
    }

    /// Captures an event in a context, on top of any context in force on this thread or task.
    pub fn capture_in<E: Event>(&self, context: &Context, event: E) {
        if self.monitor.gate().state() == GateState::Closed {
            return;
        }
        context.run(|| self.capture(event));
    }

    /// Captures events one after another, waiting for room whenever the queue is full, for at most `timeout` in
    /// total. Returns how many were queued; the others are counted as lost, with their reasons.
    ///
    /// Use this for old data: give each event its [`timestamp`](crate::DynamicEvent::timestamp), and create a
    /// separate client with [`Config::historical_migration`](crate::Config::historical_migration), because that
    /// setting applies to whole requests. While telemetry is off, no event is taken from the iterator.
    pub fn capture_batch<E: Event>(&self, events: impl IntoIterator<Item = E>, timeout: Duration) -> u64 {
        let deadline = later(Instant::now(), timeout);
        let mut queued = 0;
        if self.monitor.gate().state() == GateState::Closed {
            return queued;
        }
        for event in events {
            match self.monitor.gate().state() {
                GateState::Open(generation) => {
                    queued += u64::from(self.capture_waiting(&event, generation, deadline));
                }
                GateState::Closed => break,
                GateState::Stopped => self.capture_stopped(),
            }
        }
        queued
    }

    /// Captures an AI event (`$ai_generation`, `$ai_span` and so on) on PostHog's separate route for them,
    /// `/i/v0/ai/batch/`, which accepts events of up to 8 MiB.
    ///
    /// These events have their own worker, started with the first event, and their own queue of 1,000 events and 32
    /// MiB, so they never delay other events. [`capture`](Self::capture) also accepts `$ai_` events, within its own
    /// limits. The route exists only in PostHog's v0 protocol, and is used whichever protocol the client speaks. An
    /// event whose name does not start with `$ai_` is sent anyway, with one warning.
    pub fn capture_ai<E: Event>(&self, event: E) {
        match self.monitor.gate().state() {
            GateState::Open(generation) => self.capture_ai_open(&event, generation),
            GateState::Closed => {}
            GateState::Stopped => self.capture_stopped(),
        }
    }

    /// Captures an event, sends it at once, and waits for at most `timeout` until the receiver has accepted it or
    /// it is lost.
    ///
    /// This is for the few events whose delivery a program must confirm, such as an audit record. Each call makes
    /// its own request, which also carries what is queued. If the receiver asks for the event to be sent again, it
    /// is retried as usual during the wait.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # fn archive(client: &candor::Client) -> candor::Result<()> {
    /// let event = candor::DynamicEvent::new("access granted", "usr_123");
    /// if !client.deliver(event, Duration::from_secs(5))?.is_accepted() {
    ///     eprintln!("the record was not delivered");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::Timeout`] if the timeout expires: the event may still be delivered, or may have been.
    /// Returns [`ErrorKind::NotRunning`] while telemetry is off, after a shutdown, in a forked child, and in a hook
    /// on the worker's own thread; the event is then not captured.
    pub fn deliver<E: Event>(&self, event: E, timeout: Duration) -> Result<Delivered> {
        let deadline = later(Instant::now(), timeout);
        self.begin(&event, deadline)?.wait(&self.inner.awaited, deadline)
    }

    /// Does the same as [`deliver`](Self::deliver) without blocking the task's thread. Requires the feature
    /// `tokio`.
    ///
    /// The event is captured by the call itself, in the caller's context; the future only waits.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`deliver`](Self::deliver), and [`ErrorKind::NotRunning`] outside a Tokio runtime.
    #[cfg(feature = "tokio")]
    pub fn deliver_async<E: Event>(
        &self,
        event: E,
        timeout: Duration,
    ) -> impl Future<Output = Result<Delivered>> + Send + use<E> {
        let deadline = later(Instant::now(), timeout);
        let begun = self.begin(&event, deadline);
        drop(event);
        let inner = Arc::clone(&self.inner);
        async move {
            match begun? {
                awaiting::Begun::Lost(reason) => Ok(Delivered::Lost(reason)),
                queued @ awaiting::Begun::Queued(..) => {
                    awaiting::blocking(move || queued.wait(&inner.awaited, deadline)).await
                }
            }
        }
    }

    /// Tells PostHog who a distinct id is (`$identify`), with properties of the person. `properties` must serialize
    /// to an object, such as a struct, a map or `serde_json::json!({..})`; `()` stands for none.
    ///
    /// Blank ids and ids that strangers share (`anonymous`, `0`, `null` and so on) are dropped and counted, because
    /// PostHog would merge everyone who has them. See [`DynamicEvent::identify`] for details.
    pub fn identify<P: Serialize>(&self, distinct_id: impl Into<String>, properties: P) {
        self.capture_made(|| DynamicEvent::identify(distinct_id).set(properties));
    }

    /// Merges the persons of `previous` and `alias` (`$create_alias`).
    ///
    /// Blank and shared ids on either side are dropped and counted.
    pub fn alias(&self, previous: impl Into<String>, alias: impl Into<String>) {
        self.capture_made(|| DynamicEvent::alias(previous, alias));
    }

    /// Sets properties of a group (`$groupidentify`). `properties` must serialize to an object; `()` stands for
    /// none.
    pub fn group_identify<P: Serialize>(
        &self,
        group_type: impl Into<String>,
        key: impl Into<String>,
        properties: P,
    ) {
        self.capture_made(|| DynamicEvent::group_identify(group_type, key, properties));
    }

    /// Sets properties of a person. `properties` must serialize to an object.
    pub fn set_person<P: Serialize>(&self, distinct_id: impl Into<String>, properties: P) {
        self.capture_made(|| DynamicEvent::person(distinct_id).set(properties));
    }

    /// Sets properties of a person that are not set yet. `properties` must serialize to an object.
    pub fn set_person_once<P: Serialize>(&self, distinct_id: impl Into<String>, properties: P) {
        self.capture_made(|| DynamicEvent::person(distinct_id).set_once(properties));
    }

    /// Removes properties of a person.
    pub fn unset_person<K: AsRef<str>>(
        &self,
        distinct_id: impl Into<String>,
        keys: impl IntoIterator<Item = K>,
    ) {
        self.capture_made(|| DynamicEvent::person(distinct_id).unset(keys));
    }

    /// Waits for at most `timeout` until everything captured before is delivered or lost.
    ///
    /// The timeout only ends the wait: everything captured before is still sent, even with a timeout of zero.
    /// Returns early if everything that is left waits for a retry after the timeout. While telemetry is off,
    /// returns at once with nothing delivered.
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::NotRunning`] in a forked child, because the worker belongs to its parent, and after a
    /// shutdown.
    pub fn flush(&self, timeout: Duration) -> Result<Flushed> {
        let deadline = later(self.inner.clock.now(), timeout);
        let before = self.stats();
        let lanes = &self.inner.lanes;
        if !lanes.has_worker() || self.monitor.gate().state() == GateState::Closed {
            return Ok(Flushed::default());
        }
        let Some(workers) = lanes.workers() else { return Err(forked()) };
        if workers.is_shut_down {
            return Err(Error::new(ErrorKind::NotRunning, "the client was shut down"));
        }
        let handles = workers.all();
        drop(workers);
        let flushes: Vec<_> = handles.iter().map(|handle| handle.flush(deadline)).collect();
        // A worker must not wait for itself.
        if !handles.iter().any(|handle| handle.is_current()) {
            for done in flushes {
                // Whether the time is up, the worker has ended or it is done, the counts tell the result.
                let _ = done.recv_deadline(deadline);
            }
        }
        Ok(self.flushed_since(&before))
    }

    /// Does the same as [`flush`](Self::flush) without blocking the task's thread. Requires the feature `tokio`.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`flush`](Self::flush), and [`ErrorKind::NotRunning`] outside a Tokio runtime.
    #[cfg(feature = "tokio")]
    pub async fn flush_async(&self, timeout: Duration) -> Result<Flushed> {
        let client = self.clone();
        awaiting::blocking(move || client.flush(timeout)).await
    }

    /// Delivers what it can within `timeout`, then stops the worker. Everything left is counted.
    ///
    /// Requests that never reached the endpoint, because the connection was refused or the name did not resolve,
    /// are not retried: their events are lost at once, and counted.
    ///
    /// A request in flight is cut off when the time is up, which may take another 100 ms. If a name is being
    /// resolved or a connection made at that moment, the full 100 ms pass: names are resolved on a thread of the
    /// HTTP library, which is left behind. With a [`Spool`](crate::Spool), what was not delivered is then written to
    /// disk, for which a slow disk gets up to 250 ms more. Events that could not be written by then are lost, and
    /// counted as [`ShuttingDown`](crate::LossReason::ShuttingDown).
    ///
    /// A transport or hook of the application that does not return by then is left behind with its thread. See
    /// [`Stats::queued`] for what is counted later.
    ///
    /// A second call changes nothing: while the first is running, it waits for it within its own timeout, and
    /// reports what is still waiting. Later captures are dropped and counted. On the worker's own thread, such as
    /// in an [`on_error`](crate::Config::on_error) hook, the call requests the shutdown but does not wait for it.
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::NotRunning`] in a forked child, because the worker belongs to its parent.
    pub fn shutdown(&self, timeout: Duration) -> Result<Flushed> {
        let deadline = later(Instant::now(), timeout);
        let before = self.stats();
        let lanes = &self.inner.lanes;
        let Some(mut workers) = lanes.workers() else {
            return if lanes.has_worker() { Err(forked()) } else { Ok(Flushed::default()) };
        };
        let is_first = !mem::replace(&mut workers.is_shut_down, true);
        self.inner.is_shut_down.store(true, Ordering::Release);
        self.monitor.gate().stop();
        let handles = workers.all();
        drop(workers);
        lanes.notify_waiters();
        if handles.iter().any(|handle| handle.is_current()) {
            // A worker must not wait for itself.
            self.limit_writes(later(deadline, CUT));
            for handle in &handles {
                handle.ask_to_end(deadline);
            }
            return Ok(self.flushed_since(&before));
        }
        if is_first && self.leave_to_next_run(&handles, deadline) {
            return Ok(self.flushed_since(&before));
        }
        if is_first {
            self.limit_writes(later(deadline, CUT));
            for handle in &handles {
                handle.ask_to_end(deadline);
            }
        }
        let mut ended: Vec<bool> = handles.iter().map(|handle| handle.wait(deadline)).collect();
        if is_first && ended.contains(&false) {
            let late = || handles.iter().zip(&ended).filter(|(_, has_ended)| !**has_ended);
            late().for_each(|(handle, _)| handle.cut());
            let until = Instant::now() + CUT + self.time_to_write();
            ended = handles.iter().map(|handle| handle.wait(until)).collect();
            for (handle, _) in handles.iter().zip(&ended).filter(|(_, has_ended)| !**has_ended) {
                self.inner.counters.lost(LossReason::ShuttingDown, handle.leave_behind());
            }
            self.keep_the_rest();
        }
        if let Some(mut workers) = lanes.workers() {
            handles
                .iter()
                .zip(ended)
                .filter(|(_, ended)| *ended)
                .for_each(|(handle, _)| workers.remove(handle));
        }
        Ok(self.flushed_since(&before))
    }

    /// Does the same as [`shutdown`](Self::shutdown) without blocking the task's thread. Requires the feature
    /// `tokio`.
    ///
    /// The shutdown continues even if the future is dropped.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`shutdown`](Self::shutdown), and [`ErrorKind::NotRunning`] outside a Tokio runtime.
    #[cfg(feature = "tokio")]
    pub async fn shutdown_async(&self, timeout: Duration) -> Result<Flushed> {
        let client = self.clone();
        awaiting::blocking(move || client.shutdown(timeout)).await
    }

    /// Returns the state of consent that was last decided.
    pub fn state(&self) -> ConsentState {
        self.monitor.state()
    }

    /// Returns the current decision, with the report of every layer.
    pub fn decision(&self) -> Decision {
        self.monitor.decision()
    }

    /// Explains whether consent is in force and why, and what is waiting to be sent. Reads the files of the gate again.
    ///
    /// A refusal found there counts at once. A grant that came after the client was turned off does not count before
    /// [`opt_in`](Self::opt_in) or a restart, so the status is then denied by the layer
    /// [`Runtime`](crate::consent::Layer::Runtime), as it is after a [`shutdown`](Self::shutdown).
    ///
    /// It contains raw values of variables, so show it only to the person at the terminal.
    pub fn status(&self) -> Status {
        let inner = &self.inner;
        let mut status = self.monitor.status(inner.is_shut_down());
        status.would_send = status.would_send && self.is_enabled();
        status.queue.mem = inner.counters.snapshot().queued;
        status.spool = self.spool_status();
        status.queue.disk = status.spool.as_ref().map_or(0, |spool| spool.events);
        status.last_send = inner
            .counters
            .last_send()
            .map(|(at, outcome)| LastSend { outcome, at: Timestamp::from_unix_millis(at).to_rfc3339() });
        status
    }

    /// Records that the user said yes, and starts if nothing else denies. The result says whether telemetry is now
    /// on and, if it is not, why.
    ///
    /// Call this only when the user asks for it, because it reverses a refusal. Nothing captured before is sent.
    /// After a [`shutdown`](Self::shutdown) the grant is stored, and takes effect with the next client.
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::Storage`] if the answer could not be stored: it then does not count, and nothing
    /// changes. Returns [`ErrorKind::NotRunning`] for a client that was created disabled and in a forked child, and
    /// otherwise the errors of [`Client::new`].
    pub fn opt_in(&self) -> Result<OptIn> {
        let monitor = self.configured()?;
        if !self.inner.lanes.is_ours() {
            return Err(forked());
        }
        let decision = monitor.opt_in()?;
        if self.monitor.gate().state() == GateState::Closed {
            // A withdrawal by another process or by a file may have left a worker running.
            self.withdraw();
        }
        if decision.state() == ConsentState::Granted && !self.inner.is_shut_down() {
            self.start(Route::Events)?;
        }
        Ok(OptIn::new(decision, self.inner.is_shut_down()))
    }

    /// Records that the user said no, and stops at once: nothing captured before is sent any more.
    ///
    /// When this returns, the gate is closed, the queue is empty and any request in flight has been cut off. The
    /// refusal is on disk; it holds for later runs and, from their next check, for other running processes. What
    /// the receiver has already accepted cannot be recalled.
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::Storage`] if the refusal could not be stored. It then holds only for this process, and
    /// the message names the variable that makes it permanent. Returns [`ErrorKind::NotRunning`] for a client that
    /// was created disabled.
    pub fn opt_out(&self) -> Result<()> {
        let stored = self.configured()?.opt_out();
        // The files are first moved out of reach with one call each, before the request is cut off and they are
        // deleted.
        let purged = self.purge_spool();
        self.withdraw();
        on_disk::remove(purged);
        stored
    }

    /// Returns the text of the notice if it should be shown now, because nothing else is missing.
    ///
    /// Show it to a person at a terminal, then call [`notice_shown`](Self::notice_shown).
    pub fn notice_due(&self) -> Option<&str> {
        self.monitor.notice_due()
    }

    /// Records that this run has shown the notice. This run sends nothing, but the next one may.
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::Config`] if no notice is due, and [`ErrorKind::Storage`] if the receipt could not be
    /// stored: nothing is then sent until a later run has shown the notice and stored its receipt.
    pub fn notice_shown(&self) -> Result<()> {
        self.configured()?.notice_shown()
    }

    /// Moves a stored choice that cannot be read out of the way, so the user can answer again.
    ///
    /// Call this only when the user asks for it: until then, such a file means no. The file is renamed to a name
    /// ending in `.corrupt-<seconds>` and never deleted. A refusal takes its place until the user answers.
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::Storage`] if the file cannot be renamed or no state directory is known.
    pub fn quarantine_choice(&self) -> Result<()> {
        self.configured()?.quarantine_choice()
    }

    /// Passes a denial on to a child process; see [`Decision::apply_to_child`].
    pub fn apply_to_child(&self, command: &mut Command) {
        if !self.monitor.is_disabled() {
            self.monitor.decision().apply_to_child(self.monitor.app(), command);
        }
    }

    /// Returns the exact bytes that capturing the event would send now, whether the client is on or off. Nothing is
    /// sent, queued or counted, and consent is not asked for.
    ///
    /// Hooks run, because they change what is sent; sampling is skipped. A client that was created
    /// [`disabled`](Self::disabled) shows what the settings of a new [`Config`] would send.
    ///
    /// # Errors
    ///
    /// Returns the reason why the capture would lose the event.
    pub fn preview<E: Event>(&self, event: &E) -> Result<Preview, LossReason> {
        let now = Timestamp::of_clock(self.inner.clock.wall());
        if let Some(settings) = &self.inner.settings {
            return preview::preview(settings, event, now);
        }
        match Config::new("app", "0").resolve(&Env::empty()) {
            Ok(settings) => preview::preview(&settings, event, now),
            // The settings of a new configuration are always valid.
            Err(_) => Err(LossReason::ShuttingDown),
        }
    }

    /// Returns whether an event would be captured now, and counts one that comes after a shutdown. Used by
    /// `event!`, which creates its event only if so.
    #[doc(hidden)]
    #[inline]
    pub fn admits_event(&self) -> bool {
        match self.monitor.gate().state() {
            GateState::Open(_) => true,
            GateState::Closed => false,
            GateState::Stopped => {
                self.capture_stopped();
                false
            }
        }
    }

    /// Returns whether consent still holds, and rechecks the files of the gate if a recheck is due.
    ///
    /// Public only for the benchmark of the gate.
    #[doc(hidden)]
    #[inline]
    pub fn holds_at(&self, wall: SystemTime, now: Timestamp) -> bool {
        let holds = self.monitor.holds_at(wall, now.unix_millis().unsigned_abs());
        if !holds {
            self.tell_withdrawn();
        }
        holds
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
