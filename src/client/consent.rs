//! Consent while a client exists: queried, given, withdrawn, explained.

use std::process::Command;
use std::time::SystemTime;

use super::lane::Route;
use super::shutdown::forked;
use super::{Client, on_disk};
use crate::consent::{ConsentMonitor, ConsentState, Decision, GateState, LastSend, OptIn, Status};
use crate::error::{Error, ErrorKind, Result};
use crate::timestamp::Timestamp;

impl Client {
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

    /// Passes a denial on to a child process; see [`Decision::apply_to_child`].
    pub fn apply_to_child(&self, command: &mut Command) {
        if !self.monitor.is_disabled() {
            self.monitor.decision().apply_to_child(self.monitor.app(), command);
        }
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

    /// Returns the monitor, unless the client was created disabled.
    fn configured(&self) -> Result<&ConsentMonitor> {
        if self.monitor.is_disabled() {
            return Err(Error::new(ErrorKind::NotRunning, "this client was created disabled"));
        }
        Ok(&self.monitor)
    }
}
