//! Consent while a client lives: asked, given, withdrawn, explained.
//!
//! Never decides: the gate's rules do.

use std::process::{self, Command};
use std::sync::Arc;
use std::time::SystemTime;

use parking_lot::MutexGuard;

use super::shutdown::{LOCK, forked};
use super::{Client, WorkerHandle};
use crate::clock::Clock;
use crate::consent::{
    Consent, ConsentMonitor, ConsentState, Decision, Facts, Gate, GateState, Inputs, LastSend, OptIn, Status,
    decide,
};
use crate::deliver::Overseer;
use crate::error::{Error, ErrorKind, Result};
use crate::observe::LossReason;
use crate::settings::Env;
use crate::timestamp::Timestamp;

impl Client {
    /// Returns what consent was last decided to be.
    pub fn state(&self) -> ConsentState {
        self.inner.monitor.as_ref().map_or(ConsentState::Denied, |monitor| monitor.state())
    }

    /// Returns the decision that holds, with what every layer said.
    pub fn decision(&self) -> Decision {
        match &self.inner.monitor {
            Some(monitor) => monitor.decision(),
            None => decide(&disabled()),
        }
    }

    /// Explains what consent would decide now, and what is waiting. Reads the files of the gate again.
    ///
    /// Raw values of variables are in it: it is for the person at the terminal.
    pub fn status(&self) -> Status {
        let inner = &self.inner;
        let mut status = match &inner.monitor {
            Some(monitor) => monitor.status(inner.clock.wall()),
            None => Status::new(&disabled(), &decide(&disabled())),
        };
        status.would_send = status.would_send && self.is_enabled();
        status.queue.mem = inner.counters.snapshot().queued;
        status.last_send = inner.counters.last_send().map(|(at, outcome)| LastSend {
            outcome: outcome.to_owned(),
            at: Timestamp::from_unix_millis(at).to_rfc3339(),
        });
        status
    }

    /// Records that the user said no, and stops at once: nothing that was captured before is sent any more.
    ///
    /// When this returns the gate is closed, the queue is empty and a request in flight is cut. The refusal is on
    /// disk, and holds for later runs and, from their next look, for other processes. What the receiver has taken
    /// already is not called back.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Storage`] if the refusal could not be stored. It then holds for this process only, and the
    /// text names the variable that makes it last. [`ErrorKind::NotRunning`] for a client that was made disabled.
    pub fn opt_out(&self) -> Result<()> {
        let monitor = self.monitor()?;
        let _one = self.one_change();
        self.gate.close();
        let stored = monitor.opt_out(self.inner.clock.wall());
        self.end_worker();
        stored
    }

    /// Records that the user said yes, and starts if nobody else says no. Returns whether telemetry is on now,
    /// and if not, the sentence why.
    ///
    /// Call it for the user's own doing only: it reverses a refusal. Nothing captured before is sent. After a
    /// [`shutdown`](Self::shutdown) the yes is stored, and the next client starts with it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Storage`] if the answer could not be stored: it then does not count, and nothing changes.
    /// [`ErrorKind::NotRunning`] for a client that was made disabled, and in a forked child; otherwise those of
    /// [`Client::new`].
    pub fn opt_in(&self) -> Result<OptIn> {
        let monitor = self.monitor()?;
        let _one = self.one_change();
        let decision = monitor.opt_in(self.inner.clock.wall())?;
        if decision.state() == ConsentState::Granted {
            self.start_anew(monitor)?;
        } else if self.gate.close() {
            self.end_worker();
        }
        Ok(OptIn::new(decision, self.inner.is_shut_down()))
    }

    /// Hands a denial down to a process that is about to be started; see [`Decision::apply_to_child`].
    pub fn apply_to_child(&self, command: &mut Command) {
        if let Some(monitor) = &self.inner.monitor {
            monitor.decision().apply_to_child(monitor.app(), command);
        }
    }

    /// Returns the words of the notice if this is the moment to show them: nothing else is missing.
    ///
    /// Show them to a person at a terminal, and then call [`notice_shown`](Self::notice_shown).
    pub fn notice_due(&self) -> Option<&str> {
        let monitor = self.inner.monitor.as_ref()?;
        monitor.notice_due()
    }

    /// Records that this run has shown the notice. This run sends nothing; the next may.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if no notice is due, [`ErrorKind::Storage`] if the receipt could not be stored:
    /// nothing is sent then until a later run has shown the notice and stored that.
    pub fn notice_shown(&self) -> Result<()> {
        self.monitor()?.notice_shown(self.inner.clock.wall())
    }

    /// Moves a stored choice that cannot be read out of the way, so that the user can answer again.
    ///
    /// For the user's own doing only: until then such a file means no. It is renamed to end in
    /// `.corrupt-<seconds>`, and never deleted.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Storage`] if it cannot be renamed, and if no state directory is known.
    pub fn quarantine_choice(&self) -> Result<()> {
        self.monitor()?.quarantine_choice(self.inner.clock.wall())
    }

    /// Returns whether consent still holds at a moment; looks at the files of the gate if that is due.
    ///
    /// Public for the benchmark of the gate alone.
    #[doc(hidden)]
    #[inline]
    pub fn holds_at(&self, wall: SystemTime, now: Timestamp) -> bool {
        !self.inner.throttle.is_due(now.unix_millis().unsigned_abs()) || self.still_granted(wall)
    }

    /// Looks again whether consent holds; called every 250 ms on the way of a capture. Returns whether it does.
    #[cold]
    fn still_granted(&self, now: SystemTime) -> bool {
        let state = self.inner.monitor.as_ref().and_then(|monitor| monitor.try_recheck(now));
        if state.is_none_or(|state| state == ConsentState::Granted) {
            return true;
        }
        self.gate.close();
        for lane in [Some(self), self.known_ai_lane()].into_iter().flatten() {
            lane.tell_withdrawn();
        }
        false
    }

    /// Told and not waited for: a capture never waits. The worker counts and drops what is left.
    fn tell_withdrawn(&self) {
        if let Some(handle) = self.inner.worker.try_lock().as_deref().and_then(Option::as_ref) {
            handle.tell_withdrawn();
        }
        if let Some(live) = self.inner.live.get() {
            live.queue.wake();
        }
    }

    fn monitor(&self) -> Result<&Arc<ConsentMonitor>> {
        let missing = || Error::new(ErrorKind::NotRunning, "this client was made disabled");
        self.inner.monitor.as_ref().ok_or_else(missing)
    }

    /// Waits for other changes to end. In a forked child one may seem to go on for ever, and there is none.
    fn one_change(&self) -> Option<MutexGuard<'_, ()>> {
        if self.inner.owner_pid == process::id() {
            return Some(self.inner.changes.lock());
        }
        self.inner.changes.try_lock_for(LOCK)
    }

    fn start_anew(&self, monitor: &ConsentMonitor) -> Result<()> {
        if self.inner.owner_pid != process::id() {
            return Err(forked());
        }
        if self.gate.state() != GateState::Closed || self.inner.is_shut_down() {
            return Ok(());
        }
        self.end_worker();
        match monitor.decision().granted() {
            Some(granted) => self.start(granted),
            None => Ok(()),
        }
    }

    /// Ends the worker, cuts its request and empties the queue. The gate is closed already.
    pub(super) fn end_worker(&self) {
        if let Some(lane) = self.known_ai_lane() {
            lane.end_worker();
        }
        let inner = &self.inner;
        let handle = inner.worker.try_lock_for(LOCK).and_then(|mut worker| worker.take());
        match handle.filter(WorkerHandle::is_ours) {
            Some(handle) => handle.withdraw(),
            None => self.cut_ending(),
        }
        if let Some(live) = inner.live.get() {
            let dropped = live.queue.close_before(self.gate.generation());
            inner.counters.lost(LossReason::ConsentWithdrawn, dropped);
            live.queue.notify_waiters();
        }
    }
}

/// What the worker asks before each attempt.
pub(super) struct ClientOverseer {
    pub(super) gate: Arc<Gate>,
    pub(super) monitor: Option<Arc<ConsentMonitor>>,
    pub(super) clock: Clock,
}

impl Overseer for ClientOverseer {
    fn may_send(&self) -> bool {
        let Some(monitor) = &self.monitor else { return false };
        if monitor.recheck(self.clock.wall()) != ConsentState::Granted {
            self.gate.close();
        }
        self.gate.sendable_generation().is_some()
    }

    fn gone(&self, status: u16) {
        self.gate.close();
        if let Some(monitor) = &self.monitor {
            monitor.stop(status, self.clock.wall());
        }
        log::info!(target: "candor", "the endpoint answered {status}: nothing more is sent by this process");
    }
}

/// The inputs of a client that was made disabled.
fn disabled() -> Inputs {
    let mut facts = Facts::new("", Consent::opt_in(), None);
    // What is missing besides is beside the point.
    facts.own_transport = true;
    let mut inputs = Inputs::new(facts, Env::empty(), 0);
    inputs.runtime.disabled = true;
    inputs
}
