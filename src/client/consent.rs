//! Consent while a client lives: asked, given, withdrawn, explained.
//!
//! Never decides: the gate's rules do.

use std::process::Command;
use std::time::SystemTime;

use super::lane::Route;
use super::shutdown::forked;
use super::{Client, spool};
use crate::consent::{ConsentMonitor, ConsentState, Decision, GateState, LastSend, OptIn, Status};
use crate::error::{Error, ErrorKind, Result};
use crate::timestamp::Timestamp;

impl Client {
    /// Returns what consent was last decided to be.
    pub fn state(&self) -> ConsentState {
        self.monitor.state()
    }

    /// Returns the decision that holds, with what every layer said.
    pub fn decision(&self) -> Decision {
        self.monitor.decision()
    }

    /// Explains what consent would decide now, and what is waiting. Reads the files of the gate again.
    ///
    /// Raw values of variables are in it: it is for the person at the terminal.
    pub fn status(&self) -> Status {
        let inner = &self.inner;
        let mut status = self.monitor.status();
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
        let stored = self.configured()?.opt_out();
        // Out of reach by one call each, before the request is cut and the files are removed.
        let purged = self.purge_spool();
        self.withdraw();
        spool::remove(purged);
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
        let monitor = self.configured()?;
        if !self.inner.lanes.is_ours() {
            return Err(forked());
        }
        let decision = monitor.opt_in()?;
        if self.monitor.gate().state() == GateState::Closed {
            // What another process or a file has withdrawn before may have left a worker.
            self.withdraw();
        }
        if decision.state() == ConsentState::Granted && !self.inner.is_shut_down() {
            self.start(Route::Events)?;
        }
        Ok(OptIn::new(decision, self.inner.is_shut_down()))
    }

    /// Hands a denial down to a process that is about to be started; see [`Decision::apply_to_child`].
    pub fn apply_to_child(&self, command: &mut Command) {
        if !self.monitor.is_disabled() {
            self.monitor.decision().apply_to_child(self.monitor.app(), command);
        }
    }

    /// Returns the words of the notice if this is the moment to show them: nothing else is missing.
    ///
    /// Show them to a person at a terminal, and then call [`notice_shown`](Self::notice_shown).
    pub fn notice_due(&self) -> Option<&str> {
        self.monitor.notice_due()
    }

    /// Records that this run has shown the notice. This run sends nothing; the next may.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if no notice is due, [`ErrorKind::Storage`] if the receipt could not be stored:
    /// nothing is sent then until a later run has shown the notice and stored that.
    pub fn notice_shown(&self) -> Result<()> {
        self.configured()?.notice_shown()
    }

    /// Moves a stored choice that cannot be read out of the way, so that the user can answer again.
    ///
    /// For the user's own doing only: until then such a file means no. It is renamed to end in
    /// `.corrupt-<seconds>`, and never deleted. A refusal stands in its place until the user answers.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Storage`] if it cannot be renamed, and if no state directory is known.
    pub fn quarantine_choice(&self) -> Result<()> {
        self.configured()?.quarantine_choice()
    }

    /// Returns whether consent still holds at a moment; looks at the files of the gate if that is due.
    ///
    /// Public for the benchmark of the gate alone.
    #[doc(hidden)]
    #[inline]
    pub fn holds_at(&self, wall: SystemTime, now: Timestamp) -> bool {
        let holds = self.monitor.holds_at(wall, now.unix_millis().unsigned_abs());
        if !holds {
            self.tell_withdrawn();
        }
        holds
    }

    /// Returns the monitor of a client that was made with a configuration.
    fn configured(&self) -> Result<&ConsentMonitor> {
        if self.monitor.is_disabled() {
            return Err(Error::new(ErrorKind::NotRunning, "this client was made disabled"));
        }
        Ok(&self.monitor)
    }
}
