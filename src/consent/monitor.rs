//! Decides again while the process runs, and owns the gate.
//!
//! The gate is open only while the decision is granted. Nothing is logged while the lock is held.

use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use parking_lot::{Mutex, MutexGuard};

use super::choice::Answer;
use super::ci::CiProvider;
use super::decide::{ConsentState, Decision, decide};
use super::gate::Gate;
use super::inputs::{Facts, FileState, Inputs, Runtime, StaysOff};
use super::places::{self, Platform};
use super::sources::collect;
use super::status::Status;
use super::store::Store;
use super::throttle::RecheckThrottle;
use super::user;
use super::watch::FileWatch;
use crate::clock::Clock;
use crate::consent::declaration::{Consent, Notice};
use crate::error::{Error, ErrorKind, Result};
use crate::observe::Counters;
use crate::panic::catch_panic;
use crate::settings::{Env, variable_prefix};

/// Decides again while the process runs, and owns the gate. Used by the caller's threads and by the worker.
#[derive(Debug)]
pub(crate) struct ConsentMonitor {
    gate: Gate,
    throttle: RecheckThrottle,
    clock: Clock,
    facts: Facts,
    env: Env,
    inner: Mutex<Inner>,
    made_at: SystemTime,
    owner_pid: u32,
    /// Tells how many events are dropped when consent ends.
    counters: Arc<Counters>,
}

/// How long a forked child waits for the lock, which may have been held by a thread that exists only in the parent.
const LOCK: Duration = Duration::from_millis(100);

#[derive(Debug)]
struct Inner {
    runtime: Runtime,
    decision: Decision,
    /// Present only while granted: a process that is off has no files to watch.
    watch: Option<FileWatch>,
    /// A decision that has not been logged yet.
    news: Option<News>,
    /// Whether consent was granted at any time.
    was_granted: bool,
}

#[derive(Debug)]
struct News {
    decision: Decision,
    /// How many events waited when consent ended with it.
    dropped: Option<u64>,
}

impl ConsentMonitor {
    /// Makes the first decision, and logs what is malformed.
    pub(crate) fn new(facts: Facts, env: Env, clock: Clock) -> Self {
        let monitor = Self::with_runtime(facts, env, Runtime::default(), clock);
        let decision = monitor.decision();
        // If it is not granted, the client logs that itself when it is created.
        let is_granted = decision.state() == ConsentState::Granted;
        catch_panic(|| if is_granted { log_decision(&decision) } else { warn_of_malformed(&decision) });
        monitor
    }

    /// Creates a monitor that always denies.
    pub(crate) fn disabled() -> Self {
        Self::failed(Facts::new("", Consent::opt_in(), None), Env::empty())
    }

    /// Creates a monitor that always denies, because of the error in the facts.
    pub(crate) fn failed(facts: Facts, env: Env) -> Self {
        let runtime = Runtime { disabled: true, ..Runtime::default() };
        Self::with_runtime(facts, env, runtime, Clock::System)
    }

    /// Sets the client's counters, which tell how many events are dropped when consent ends.
    pub(crate) fn with_counters(mut self, counters: Arc<Counters>) -> Self {
        self.counters = counters;
        self
    }

    fn with_runtime(facts: Facts, env: Env, runtime: Runtime, clock: Clock) -> Self {
        let made_at = clock.wall();
        let (decision, watch) = look(&facts, &env, runtime, made_at);
        let was_granted = decision.state() == ConsentState::Granted;
        let inner = Mutex::new(Inner { runtime, decision, watch, news: None, was_granted });
        let (gate, throttle) = (Gate::default(), RecheckThrottle::default());
        let (owner_pid, counters) = (process::id(), Arc::default());
        Self { gate, throttle, clock, facts, env, inner, made_at, owner_pid, counters }
    }

    /// Returns the gate. Anyone may read and stop it, but only a decision opens it.
    #[inline]
    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Opens the gate if the decision is granted, and returns its generation.
    pub(crate) fn open(&self) -> Option<u32> {
        let inner = self.locked()?;
        (inner.decision.state() == ConsentState::Granted).then(|| self.gate.open())
    }

    /// Locks the state; `None` in a forked child that would wait forever.
    fn locked(&self) -> Option<MutexGuard<'_, Inner>> {
        if self.owner_pid == process::id() {
            return Some(self.inner.lock());
        }
        self.inner.try_lock_for(LOCK)
    }

    /// Reads the current decision; a forked child that cannot take the lock decides again instead.
    fn read<T>(&self, read: impl FnOnce(&Decision, Runtime) -> T) -> T {
        if let Some(inner) = self.locked() {
            return read(&inner.decision, inner.runtime);
        }
        let (decision, _) = look(&self.facts, &self.env, Runtime::default(), self.made_at);
        read(&decision, Runtime::default())
    }

    /// Returns whether this monitor belongs to a client that was created disabled.
    pub(crate) fn is_disabled(&self) -> bool {
        self.read(|_, runtime| runtime.disabled)
    }

    /// Returns the name of the application.
    pub(crate) fn app(&self) -> &str {
        &self.facts.app
    }

    /// Returns whether the application has declared its consent.
    pub(crate) fn declares_consent(&self) -> bool {
        self.facts.declares_consent
    }

    /// Returns the current decision.
    pub(crate) fn decision(&self) -> Decision {
        self.read(|decision, _| decision.clone())
    }

    /// Returns the directory of events on disk, if a state directory is known.
    pub(crate) fn spool_dir(&self) -> Option<PathBuf> {
        spool_dir(&self.facts, &self.env)
    }

    /// Returns whether this process may keep events on disk: not under sudo, and not in continuous integration.
    pub(crate) fn may_keep_events(&self) -> bool {
        user::sudo_caller(&self.env).is_none() && CiProvider::detect_with_source(&self.env).is_none()
    }

    /// Returns the version of the notice, and the fingerprint of the catalogue if grants are bound to it.
    pub(crate) fn notice_and_catalogue(&self) -> (u32, Option<String>) {
        (self.facts.consent.notice_version, self.facts.consent.catalogue.clone())
    }

    /// Returns the current state.
    pub(crate) fn state(&self) -> ConsentState {
        self.read(|decision, _| decision.state())
    }

    /// Returns the text of the notice if it should be shown now.
    pub(crate) fn notice_due(&self) -> Option<&str> {
        match &self.facts.consent.notice {
            Some(Notice::Shown { text }) if self.read(|decision, _| decision.notice_is_due()) => Some(text),
            _ => None,
        }
    }

    /// Explains the decision as it would be made now, or why the client stays off whatever would be decided.
    pub(crate) fn status(&self, is_shut_down: bool) -> Status {
        let now = self.clock.wall();
        let (runtime, in_force) = self.read(|decision, runtime| (runtime, decision.state()));
        if runtime.disabled {
            let inputs = unread(&self.facts, &self.env, runtime, seconds(now));
            return Status::new(&inputs, &decide(&inputs));
        }
        let mut inputs = collect(self.facts.clone(), self.env.clone(), runtime, seconds(now));
        let mut decision = decide(&inputs);
        if decision.state() == ConsentState::Granted {
            inputs.runtime.stays_off = self.stays_off(in_force, is_shut_down);
            decision = decide(&inputs);
        }
        let mut status = Status::new(&inputs, &decision);
        status.variables_as_of = super::time_text(seconds(self.made_at));
        status
    }

    fn stays_off(&self, in_force: ConsentState, is_shut_down: bool) -> Option<StaysOff> {
        if is_shut_down {
            return Some(StaysOff::ShutDown);
        }
        let was_granted = self.locked().is_some_and(|inner| inner.was_granted);
        (in_force != ConsentState::Granted).then_some(if was_granted {
            StaysOff::Withdrawn
        } else {
            StaysOff::NotGranted
        })
    }

    /// Returns whether consent still holds, and rechecks the files of the gate if a recheck is due.
    ///
    /// Meant for a caller's thread, which never waits: while another thread holds the lock, consent counts as
    /// unchanged.
    #[inline]
    pub(crate) fn holds_at(&self, wall: SystemTime, unix_millis: u64) -> bool {
        !self.throttle.is_due(unix_millis) || self.try_recheck(wall)
    }

    #[cold]
    fn try_recheck(&self, now: SystemTime) -> bool {
        let Some(inner) = self.inner.try_lock() else { return true };
        self.recheck(inner, now)
    }

    /// Rechecks the files of the gate, and returns whether events of this generation may still be sent.
    pub(crate) fn may_send(&self, generation: u32) -> bool {
        self.recheck(self.inner.lock(), self.clock.wall()) && self.gate.may_send(generation)
    }

    /// Rechecks the files of the gate, and returns whether consent is granted.
    pub(crate) fn still_granted(&self) -> bool {
        self.recheck(self.inner.lock(), self.clock.wall())
    }

    /// Decides again if a file of the gate has changed, and returns whether the decision is granted.
    ///
    /// A process that is off stays off until the user opts in through it, or it is restarted.
    fn recheck(&self, inner: MutexGuard<'_, Inner>, now: SystemTime) -> bool {
        Self::change(inner, |inner| {
            if inner.watch.as_ref().is_some_and(|watch| watch.changed(now)) {
                let refusals = inner.decision.refusals();
                self.decide_again(inner, now);
                let is_granted = inner.decision.state() == ConsentState::Granted;
                if is_granted && inner.decision.refusals() != refusals {
                    // Somebody said no and then yes again since the last check: what was captured before that no
                    // must not be sent.
                    inner.runtime.withdrawn = true;
                    self.decide_again(inner, now);
                }
            }
            inner.decision.state() == ConsentState::Granted
        })
    }

    /// Withdraws consent in this process, and stores the refusal. The gate is closed first.
    ///
    /// The decision is denied when this returns, even if the refusal could not be stored.
    pub(crate) fn opt_out(&self) -> Result<()> {
        // Counted before the gate is closed, since the worker may then drop them at any time.
        let waiting = self.counters.snapshot().queued;
        self.gate.close();
        let now = self.clock.wall();
        let written = match self.locked() {
            Some(inner) => Self::change(inner, |inner| {
                inner.runtime.withdrawn = true;
                let written = self.write(Answer::Denied, now);
                self.decide_again(inner, now);
                inner.news.iter_mut().for_each(|news| news.dropped = news.dropped.and(Some(waiting)));
                written
            }),
            None => self.write(Answer::Denied, now),
        };
        written.map_err(|error| {
            let name = format!("{}_TELEMETRY_DISABLED", variable_prefix(&self.facts.app));
            let text = format!("telemetry is off in this process only: {error}; set {name}=1 to keep it off");
            Error::new(ErrorKind::Storage, text).caused_by(error)
        })
    }

    /// Stores the user's grant, and decides again. Other layers may still deny.
    ///
    /// A grant that cannot be stored does not count, and the previous decision remains.
    pub(crate) fn opt_in(&self) -> Result<Decision> {
        let now = self.clock.wall();
        Self::change(self.locked().ok_or_else(held)?, |inner| {
            self.write(Answer::Granted, now)?;
            inner.runtime.withdrawn = false;
            let refusals = inner.decision.refusals();
            self.decide_again(inner, now);
            if inner.decision.refusals() != refusals {
                // Another process said no since the last check: what was captured before is not sent.
                self.gate.close();
            }
            Ok(inner.decision.clone())
        })
    }

    /// Stores that this run has shown the notice. This run sends nothing, but the next one may.
    pub(crate) fn notice_shown(&self) -> Result<()> {
        let now = self.clock.wall();
        Self::change(self.locked().ok_or_else(held)?, |inner| {
            if !inner.decision.notice_is_due() {
                return Err(Error::new(
                    ErrorKind::Config,
                    "no notice is due: telemetry is on, or off for another reason",
                ));
            }
            inner.runtime.notice_shown = true;
            let store = Store::open(&self.facts, &self.env);
            let written = store.and_then(|store| store.write_receipt(&self.facts, seconds(now)));
            self.decide_again(inner, now);
            written
        })
    }

    /// Moves a choice that cannot be read out of the way. A choice that can be read stays where it is.
    pub(crate) fn quarantine_choice(&self) -> Result<()> {
        let _one = self.locked();
        Store::open(&self.facts, &self.env)?.set_aside(&self.facts, seconds(self.clock.wall()))
    }

    /// Turns telemetry off for the rest of this process, like the flag. Nothing is stored.
    pub(crate) fn turn_off(&self) {
        self.gate.close();
        if let Some(inner) = self.locked() {
            Self::change(inner, |inner| {
                inner.runtime.no_telemetry_flag = true;
                self.decide_again(inner, self.clock.wall());
            });
        }
    }

    /// Stops for the rest of this process, because the endpoint answered that it accepts no more events.
    pub(crate) fn stop(&self, status: u16) {
        self.gate.close();
        Self::change(self.inner.lock(), |inner| {
            inner.runtime.stopped_by = Some(status);
            self.decide_again(inner, self.clock.wall());
            // The line below says so.
            inner.news.iter_mut().for_each(|news| news.dropped = None);
        });
        let text = "this process sends nothing more";
        catch_panic(|| log::info!(target: "candor", "the endpoint answered {status}: {text}"));
    }

    fn write(&self, answer: Answer, now: SystemTime) -> Result<()> {
        Store::open(&self.facts, &self.env)?.write_choice(answer, &self.facts, seconds(now))
    }

    /// Runs `work` under the lock, and logs the decision once the lock is released: the logger belongs to the
    /// application, and may call this monitor.
    fn change<T>(mut inner: MutexGuard<'_, Inner>, work: impl FnOnce(&mut Inner) -> T) -> T {
        let done = work(&mut inner);
        let news = inner.news.take();
        drop(inner);
        Self::tell(news);
        done
    }

    fn tell(news: Option<News>) {
        let Some(News { decision, dropped }) = news else { return };
        catch_panic(|| match dropped {
            Some(dropped) => log_withdrawal(&decision, dropped),
            None => log_decision(&decision),
        });
    }

    fn decide_again(&self, inner: &mut Inner, now: SystemTime) {
        let (decision, watch) = look(&self.facts, &self.env, inner.runtime, now);
        let is_granted = decision.state() == ConsentState::Granted;
        let ends = inner.decision.state() == ConsentState::Granted && !is_granted;
        let dropped = ends.then(|| self.counters.snapshot().queued);
        if !is_granted {
            self.gate.close();
        }
        let news = (decision != inner.decision).then(|| News { decision: decision.clone(), dropped });
        let was_granted = inner.was_granted || is_granted;
        *inner = Inner { runtime: inner.runtime, decision, watch, news, was_granted };
    }
}

/// Returns the directory of an application's events on disk, if a state directory is known.
pub(crate) fn spool_dir(facts: &Facts, env: &Env) -> Option<PathBuf> {
    Some(places::state_dir(facts, env, Platform::HERE)?.join("spool"))
}

/// Explains the decision of an application that has no client.
pub(crate) fn explain(facts: Facts, env: Env, now: SystemTime) -> Status {
    let inputs: Inputs = collect(facts, env, Runtime::default(), seconds(now));
    Status::new(&inputs, &decide(&inputs))
}

fn look(facts: &Facts, env: &Env, runtime: Runtime, now: SystemTime) -> (Decision, Option<FileWatch>) {
    let unread = decide(&unread(facts, env, runtime, seconds(now)));
    if runtime.disabled {
        return (unread, None);
    }
    if unread.state() == ConsentState::Denied && unread.decided_by().decides_without_files() {
        // No file could change that, and no layer with a file comes before it, so none is even looked for.
        return (unread, None);
    }
    let read = || decide(&collect(facts.clone(), env.clone(), runtime, seconds(now)));
    let first = read();
    if first.state() != ConsentState::Granted {
        return (first, None);
    }
    // A grant is read again. The stamps are taken first, so no change falls between them and the reading.
    let watch = FileWatch::new(facts, env);
    let decision = read();
    let granted = decision.state() == ConsentState::Granted;
    (decision, granted.then_some(watch))
}

/// Returns the inputs as far as they are known without looking at a file.
fn unread(facts: &Facts, env: &Env, runtime: Runtime, now: u64) -> Inputs {
    let mut inputs = Inputs::new(facts.clone(), env.clone(), now);
    inputs.runtime = runtime;
    let files = &mut inputs.files;
    for source in
        [&mut files.policy, &mut files.deployment, &mut files.project, &mut files.choice, &mut files.receipt]
    {
        source.state = FileState::NotRead;
    }
    inputs
}

/// Logs what was decided and why, and what is malformed: where it was read and how, never the value.
fn log_decision(decision: &Decision) {
    warn_of_malformed(decision);
    if let Some(report) = decision.deciding_report().filter(|report| !report.malformed) {
        let (state, layer) = (decision.state().name(), report.layer.name());
        let source = report.source.escape_debug();
        log::debug!(target: "candor", "telemetry is {state}, decided by {layer}: {source}: {}", report.reason);
    }
}

/// Logs that consent has ended while the process ran: who said so, and how many events are dropped.
fn log_withdrawal(decision: &Decision, dropped: u64) {
    warn_of_malformed(decision);
    let Some(report) = decision.deciding_report() else { return };
    let (layer, source, reason) = (report.layer.name(), report.source.escape_debug(), &report.reason);
    let noun = if dropped == 1 { "event" } else { "events" };
    log::info!(
        target: "candor",
        "telemetry is now off in this process, decided by {layer}: {source}: {reason}; {dropped} waiting {noun} dropped"
    );
}

fn warn_of_malformed(decision: &Decision) {
    for report in decision.layers().iter().filter(|report| report.malformed) {
        log::warn!(target: "candor", "telemetry is off: {} {}", report.source.escape_debug(), report.reason);
    }
}

fn held() -> Error {
    Error::new(
        ErrorKind::NotRunning,
        "consent cannot be changed here: this process was forked while its parent was changing it",
    )
}

fn seconds(now: SystemTime) -> u64 {
    now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}
