//! The decision while a process runs: made, made again, withdrawn and given.
//!
//! Never opens or closes anything itself: who asks does that.

use std::process;
use std::time::{Duration, SystemTime};

use parking_lot::{Mutex, MutexGuard};

use super::choice::Answer;
use super::decide::{ConsentState, Decision, decide};
use super::inputs::{Facts, FileState, Inputs, Runtime};
use super::layer::Layer;
use super::sources::collect;
use super::status::Status;
use super::store::Store;
use super::watch::FileWatch;
use crate::consent::declaration::Notice;
use crate::error::{Error, ErrorKind, Result};
use crate::settings::{Env, variable_prefix};

/// Holds what a decision is made of, for as long as a client lives.
#[derive(Debug)]
pub(crate) struct ConsentMonitor {
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
}

impl ConsentMonitor {
    /// Decides for the first time, and says in the log what was found wrong.
    pub(crate) fn new(facts: Facts, env: Env, now: SystemTime) -> Self {
        let (decision, watch) = look(&facts, &env, Runtime::default(), now);
        log_decision(&decision);
        let inner = Inner { runtime: Runtime::default(), decision, watch };
        Self { facts, env, inner: Mutex::new(inner), made_at: now, owner_pid: process::id() }
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

    /// Returns the name of the application.
    pub(crate) fn app(&self) -> &str {
        &self.facts.app
    }

    /// Returns the decision that holds.
    pub(crate) fn decision(&self) -> Decision {
        self.read(|decision, _| decision.clone())
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
    pub(crate) fn status(&self, now: SystemTime) -> Status {
        let runtime = self.read(|_, runtime| runtime);
        let inputs = collect(self.facts.clone(), self.env.clone(), runtime, seconds(now));
        let mut status = Status::new(&inputs, &decide(&inputs));
        status.variables_as_of = super::time_text(seconds(self.made_at));
        status
    }

    /// Does what [`recheck`](Self::recheck) does, or nothing if another thread is at it.
    pub(crate) fn try_recheck(&self, now: SystemTime) -> Option<ConsentState> {
        self.inner.try_lock().map(|mut inner| self.recheck_locked(&mut inner, now))
    }

    /// Decides again if a file of the gate was changed, and returns the state that holds then.
    ///
    /// A process that is off stays off: it is not asked again until the user opts in here, or it is started anew.
    pub(crate) fn recheck(&self, now: SystemTime) -> ConsentState {
        self.recheck_locked(&mut self.inner.lock(), now)
    }

    fn recheck_locked(&self, inner: &mut Inner, now: SystemTime) -> ConsentState {
        if inner.watch.as_ref().is_some_and(|watch| watch.changed(now)) {
            self.decide_again(inner, now);
        }
        inner.decision.state()
    }

    /// Takes back consent in this process, and stores the refusal.
    ///
    /// The decision is denied when this returns, also if the refusal could not be stored.
    pub(crate) fn opt_out(&self, now: SystemTime) -> Result<()> {
        let mut inner = self.locked();
        if let Some(inner) = &mut inner {
            inner.runtime.withdrawn = true;
        }
        let written = self.write(Answer::Denied, now);
        if let Some(inner) = &mut inner {
            self.decide_again(inner, now);
        }
        written.map_err(|error| {
            let name = format!("{}_TELEMETRY_DISABLED", variable_prefix(&self.facts.app));
            let text = format!("off in this process only, as {error}; set {name}=1 to keep it off");
            Error::new(ErrorKind::Storage, text).caused_by(error)
        })
    }

    /// Stores the user's yes, and decides again. Others may still deny.
    ///
    /// If it cannot be stored it does not count, and what held before holds on.
    pub(crate) fn opt_in(&self, now: SystemTime) -> Result<Decision> {
        let mut inner = self.locked().ok_or_else(held)?;
        self.write(Answer::Granted, now)?;
        inner.runtime.withdrawn = false;
        self.decide_again(&mut inner, now);
        Ok(inner.decision.clone())
    }

    /// Stores that this run has shown the notice. This run sends nothing; the next may.
    pub(crate) fn notice_shown(&self, now: SystemTime) -> Result<()> {
        let mut inner = self.locked().ok_or_else(held)?;
        if !inner.decision.notice_is_due() {
            return Err(Error::new(
                ErrorKind::Config,
                "no notice is due: telemetry is on, or off for another reason",
            ));
        }
        inner.runtime.notice_shown = true;
        let store = Store::open(&self.facts, &self.env);
        let written = store.and_then(|store| store.write_receipt(&self.facts, seconds(now)));
        self.decide_again(&mut inner, now);
        written
    }

    /// Moves a choice that cannot be read out of the way; one that can be read stays where it is.
    pub(crate) fn quarantine_choice(&self, now: SystemTime) -> Result<()> {
        let _one = self.locked();
        Store::open(&self.facts, &self.env)?.set_aside(seconds(now))
    }

    /// Stops for the rest of this process, since the endpoint answered that it wants nothing more.
    pub(crate) fn stop(&self, status: u16, now: SystemTime) {
        let mut inner = self.inner.lock();
        inner.runtime.stopped_by = Some(status);
        self.decide_again(&mut inner, now);
    }

    fn write(&self, answer: Answer, now: SystemTime) -> Result<()> {
        Store::open(&self.facts, &self.env)?.write_choice(answer, &self.facts, seconds(now))
    }

    fn decide_again(&self, inner: &mut Inner, now: SystemTime) {
        let (decision, watch) = look(&self.facts, &self.env, inner.runtime, now);
        if decision != inner.decision {
            log_decision(&decision);
        }
        *inner = Inner { runtime: inner.runtime, decision, watch };
    }
}

/// Explains a decision without a client.
pub(crate) fn explain(facts: Facts, env: Env, now: SystemTime) -> Status {
    let inputs: Inputs = collect(facts, env, Runtime::default(), seconds(now));
    Status::new(&inputs, &decide(&inputs))
}

fn look(facts: &Facts, env: &Env, runtime: Runtime, now: SystemTime) -> (Decision, Option<FileWatch>) {
    let unread = decide(&unread(facts, env, runtime, seconds(now)));
    if unread.state() == ConsentState::Denied && unread.decided_by() <= Layer::Flag {
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
    for report in decision.layers().iter().filter(|report| report.malformed) {
        log::warn!(target: "candor", "telemetry is off: {} {}", report.source.escape_debug(), report.reason);
    }
    if let Some(report) = decision.deciding_report().filter(|report| !report.malformed) {
        let (state, layer) = (decision.state().name(), report.layer.name());
        let source = report.source.escape_debug();
        log::debug!(target: "candor", "telemetry is {state}, decided by {layer}: {source}: {}", report.reason);
    }
}

fn held() -> Error {
    Error::new(ErrorKind::NotRunning, "the parent process was changing its consent when this one was forked")
}

fn seconds(now: SystemTime) -> u64 {
    now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs()
}
