//! The decision while a process runs, and the gate that stands for it: made, made again, withdrawn and given.
//!
//! The gate is open only while the decision is granted. Nothing is logged under the lock.

use std::path::PathBuf;
use std::process;
use std::time::{Duration, SystemTime};

use parking_lot::{Mutex, MutexGuard};

use super::choice::Answer;
use super::ci::CiProvider;
use super::decide::{ConsentState, Decision, decide};
use super::gate::Gate;
use super::inputs::{Facts, FileState, Inputs, Runtime};
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
use crate::panic::catch_panic;
use crate::settings::{Env, variable_prefix};

/// Decides again while a process runs, and owns the gate; the caller's threads and the worker's ask it.
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
}

/// How long a forked child waits for a lock that a thread of its parent may have held, which is not there to open it.
const LOCK: Duration = Duration::from_millis(100);

#[derive(Debug)]
struct Inner {
    runtime: Runtime,
    decision: Decision,
    /// There while granted, and only then: what is off has nothing to look at.
    watch: Option<FileWatch>,
    /// A decision that the log has not been told of.
    news: Option<Decision>,
}

impl ConsentMonitor {
    /// Decides for the first time, and says in the log what was found wrong.
    pub(crate) fn new(facts: Facts, env: Env, clock: Clock) -> Self {
        let monitor = Self::with_runtime(facts, env, Runtime::default(), clock);
        let decision = monitor.decision();
        // If it is not granted, the client says so itself when it is created.
        let is_granted = decision.state() == ConsentState::Granted;
        catch_panic(|| if is_granted { log_decision(&decision) } else { warn_of_malformed(&decision) });
        monitor
    }

    /// Returns a monitor that says no for good.
    pub(crate) fn disabled() -> Self {
        let mut facts = Facts::new("", Consent::opt_in(), None);
        // What is missing besides is beside the point.
        facts.own_transport = true;
        let runtime = Runtime { disabled: true, ..Runtime::default() };
        Self::with_runtime(facts, Env::empty(), runtime, Clock::System)
    }

    fn with_runtime(facts: Facts, env: Env, runtime: Runtime, clock: Clock) -> Self {
        let made_at = clock.wall();
        let (decision, watch) = look(&facts, &env, runtime, made_at);
        let inner = Mutex::new(Inner { runtime, decision, watch, news: None });
        let (gate, throttle) = (Gate::default(), RecheckThrottle::default());
        Self { gate, throttle, clock, facts, env, inner, made_at, owner_pid: process::id() }
    }

    /// Returns the gate, which anybody may read and stop; only a decision opens it.
    #[inline]
    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Opens the gate if the decision is granted; returns the generation that begins.
    pub(crate) fn open(&self) -> Option<u32> {
        let inner = self.locked()?;
        (inner.decision.state() == ConsentState::Granted).then(|| self.gate.open())
    }

    /// Locks what holds now; `None` in a forked child that would wait for ever.
    fn locked(&self) -> Option<MutexGuard<'_, Inner>> {
        if self.owner_pid == process::id() {
            return Some(self.inner.lock());
        }
        self.inner.try_lock_for(LOCK)
    }

    /// Reads what holds now; in a forked child that cannot, what would be decided anew.
    fn read<T>(&self, read: impl FnOnce(&Decision, Runtime) -> T) -> T {
        if let Some(inner) = self.locked() {
            return read(&inner.decision, inner.runtime);
        }
        let (decision, _) = look(&self.facts, &self.env, Runtime::default(), self.made_at);
        read(&decision, Runtime::default())
    }

    /// Returns whether this is the monitor of a client that was made disabled.
    pub(crate) fn is_disabled(&self) -> bool {
        self.read(|_, runtime| runtime.disabled)
    }

    /// Returns the name of the application.
    pub(crate) fn app(&self) -> &str {
        &self.facts.app
    }

    /// Returns the decision that holds.
    pub(crate) fn decision(&self) -> Decision {
        self.read(|decision, _| decision.clone())
    }

    /// Returns where events are kept on disk, if a state directory is known.
    pub(crate) fn spool_dir(&self) -> Option<PathBuf> {
        spool_dir(&self.facts, &self.env)
    }

    /// Returns whether this process may keep events on disk: not for a user who called it through sudo, and not in
    /// continuous integration.
    pub(crate) fn may_keep_events(&self) -> bool {
        user::sudo_caller(&self.env).is_none() && CiProvider::detect_with_source(&self.env).is_none()
    }

    /// Returns the version of the notice, and the fingerprint of the catalogue if the yes is bound to it.
    pub(crate) fn notice_and_catalogue(&self) -> (u32, Option<String>) {
        (self.facts.consent.notice_version, self.facts.consent.catalogue.clone())
    }

    /// Returns the state that holds.
    pub(crate) fn state(&self) -> ConsentState {
        self.read(|decision, _| decision.state())
    }

    /// Returns the words of the notice if this is the moment to show them.
    pub(crate) fn notice_due(&self) -> Option<&str> {
        match &self.facts.consent.notice {
            Some(Notice::Shown { text }) if self.read(|decision, _| decision.notice_is_due()) => Some(text),
            _ => None,
        }
    }

    /// Explains the decision as it would be made now.
    pub(crate) fn status(&self) -> Status {
        let now = self.clock.wall();
        let runtime = self.read(|_, runtime| runtime);
        if runtime.disabled {
            let inputs = unread(&self.facts, &self.env, runtime, seconds(now));
            return Status::new(&inputs, &decide(&inputs));
        }
        let inputs = collect(self.facts.clone(), self.env.clone(), runtime, seconds(now));
        let mut status = Status::new(&inputs, &decide(&inputs));
        status.variables_as_of = super::time_text(seconds(self.made_at));
        status
    }

    /// Returns whether consent still holds at a moment; looks at the files of the gate if that is due.
    ///
    /// For a caller's thread, which never waits: while another thread is looking, what was last decided holds.
    #[inline]
    pub(crate) fn holds_at(&self, wall: SystemTime, unix_millis: u64) -> bool {
        !self.throttle.is_due(unix_millis) || self.try_recheck(wall)
    }

    #[cold]
    fn try_recheck(&self, now: SystemTime) -> bool {
        let Some(inner) = self.inner.try_lock() else { return true };
        self.recheck(inner, now)
    }

    /// Returns whether events of this generation may still be sent; looks at the files of the gate first.
    pub(crate) fn may_send(&self, generation: u32) -> bool {
        self.recheck(self.inner.lock(), self.clock.wall()) && self.gate.may_send(generation)
    }

    /// Returns whether consent is granted; looks at the files of the gate first.
    pub(crate) fn still_granted(&self) -> bool {
        self.recheck(self.inner.lock(), self.clock.wall())
    }

    /// Decides again if a file of the gate was changed; returns whether the decision is granted then.
    ///
    /// A process that is off stays off: it is not asked again until the user opts in here, or it is started anew.
    fn recheck(&self, inner: MutexGuard<'_, Inner>, now: SystemTime) -> bool {
        Self::change(inner, |inner| {
            if inner.watch.as_ref().is_some_and(|watch| watch.changed(now)) {
                let refusals = inner.decision.refusals();
                self.decide_again(inner, now);
                let is_granted = inner.decision.state() == ConsentState::Granted;
                if is_granted && inner.decision.refusals() != refusals {
                    // Between two looks somebody said no, and yes again: what was captured before that no stays here.
                    inner.runtime.withdrawn = true;
                    self.decide_again(inner, now);
                }
            }
            inner.decision.state() == ConsentState::Granted
        })
    }

    /// Takes back consent in this process, and stores the refusal. The gate is closed first.
    ///
    /// The decision is denied when this returns, also if the refusal could not be stored.
    pub(crate) fn opt_out(&self) -> Result<()> {
        self.gate.close();
        let now = self.clock.wall();
        let written = match self.locked() {
            Some(inner) => Self::change(inner, |inner| {
                inner.runtime.withdrawn = true;
                let written = self.write(Answer::Denied, now);
                self.decide_again(inner, now);
                written
            }),
            None => self.write(Answer::Denied, now),
        };
        written.map_err(|error| {
            let name = format!("{}_TELEMETRY_DISABLED", variable_prefix(&self.facts.app));
            let text = format!("off in this process only, as {error}; set {name}=1 to keep it off");
            Error::new(ErrorKind::Storage, text).caused_by(error)
        })
    }

    /// Stores the user's yes, and decides again. Others may still deny.
    ///
    /// If it cannot be stored it does not count, and what held before holds on.
    pub(crate) fn opt_in(&self) -> Result<Decision> {
        let now = self.clock.wall();
        Self::change(self.locked().ok_or_else(held)?, |inner| {
            self.write(Answer::Granted, now)?;
            inner.runtime.withdrawn = false;
            let refusals = inner.decision.refusals();
            self.decide_again(inner, now);
            if inner.decision.refusals() != refusals {
                // Another process said no since the last look: what was captured before is not sent.
                self.gate.close();
            }
            Ok(inner.decision.clone())
        })
    }

    /// Stores that this run has shown the notice. This run sends nothing; the next may.
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

    /// Moves a choice that cannot be read out of the way; one that can be read stays where it is.
    pub(crate) fn quarantine_choice(&self) -> Result<()> {
        let _one = self.locked();
        Store::open(&self.facts, &self.env)?.set_aside(&self.facts, seconds(self.clock.wall()))
    }

    /// Stops for the rest of this process, since the endpoint answered that it wants nothing more.
    pub(crate) fn stop(&self, status: u16) {
        self.gate.close();
        Self::change(self.inner.lock(), |inner| {
            inner.runtime.stopped_by = Some(status);
            self.decide_again(inner, self.clock.wall());
        });
        let text = "nothing more is sent by this process";
        catch_panic(|| log::info!(target: "candor", "the endpoint answered {status}: {text}"));
    }

    fn write(&self, answer: Answer, now: SystemTime) -> Result<()> {
        Store::open(&self.facts, &self.env)?.write_choice(answer, &self.facts, seconds(now))
    }

    /// Runs `work` under the lock, and tells the log what was decided once that is open again: the logger is the
    /// application's, and may ask this very monitor.
    fn change<T>(mut inner: MutexGuard<'_, Inner>, work: impl FnOnce(&mut Inner) -> T) -> T {
        let done = work(&mut inner);
        let news = inner.news.take();
        drop(inner);
        Self::tell(news);
        done
    }

    fn tell(news: Option<Decision>) {
        if let Some(decision) = news {
            catch_panic(|| log_decision(&decision));
        }
    }

    fn decide_again(&self, inner: &mut Inner, now: SystemTime) {
        let (decision, watch) = look(&self.facts, &self.env, inner.runtime, now);
        if decision.state() != ConsentState::Granted {
            self.gate.close();
        }
        let news = (decision != inner.decision).then(|| decision.clone());
        *inner = Inner { runtime: inner.runtime, decision, watch, news };
    }
}

/// Returns where an application keeps events on disk, if a state directory is known.
pub(crate) fn spool_dir(facts: &Facts, env: &Env) -> Option<PathBuf> {
    Some(places::state_dir(facts, env, Platform::HERE)?.join("spool"))
}

/// Explains a decision without a client.
pub(crate) fn explain(facts: Facts, env: Env, now: SystemTime) -> Status {
    let inputs: Inputs = collect(facts, env, Runtime::default(), seconds(now));
    Status::new(&inputs, &decide(&inputs))
}

fn look(facts: &Facts, env: &Env, runtime: Runtime, now: SystemTime) -> (Decision, Option<FileWatch>) {
    let unread = decide(&unread(facts, env, runtime, seconds(now)));
    if unread.state() == ConsentState::Denied && unread.decided_by().decides_without_files() {
        // No file could change that, and none comes before it: then none is even looked for.
        return (unread, None);
    }
    let read = || decide(&collect(facts.clone(), env.clone(), runtime, seconds(now)));
    let first = read();
    if first.state() != ConsentState::Granted {
        return (first, None);
    }
    // What is granted is looked at again. The stamps come first, so that no change falls between them and the reading.
    let watch = FileWatch::new(facts, env);
    let decision = read();
    let granted = decision.state() == ConsentState::Granted;
    (decision, granted.then_some(watch))
}

/// The inputs as far as they are known without looking at a file.
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

/// Says in the log what was decided and why, and what was found wrong: where, and how it was read, never the value.
fn log_decision(decision: &Decision) {
    warn_of_malformed(decision);
    if let Some(report) = decision.deciding_report().filter(|report| !report.malformed) {
        let (state, layer) = (decision.state().name(), report.layer.name());
        let source = report.source.escape_debug();
        log::debug!(target: "candor", "telemetry is {state}, decided by {layer}: {source}: {}", report.reason);
    }
}

fn warn_of_malformed(decision: &Decision) {
    for report in decision.layers().iter().filter(|report| report.malformed) {
        log::warn!(target: "candor", "telemetry is off: {} {}", report.source.escape_debug(), report.reason);
    }
}

fn held() -> Error {
    Error::new(ErrorKind::NotRunning, "the parent process was changing its consent when this one was forked")
}

fn seconds(now: SystemTime) -> u64 {
    now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}
