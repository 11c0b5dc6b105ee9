//! Waits for the worker: flush and shutdown.
//!
//! Never waits for a worker of another process, nor longer than the timeout plus the time to cut off a request.

use std::fmt;
use std::mem;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Client;
use super::worker_handle::CUT;
use crate::clock::later;
use crate::consent::GateState;
use crate::error::{Error, ErrorKind, Result};
use crate::observe::Stats;

/// The result of a flush or a shutdown.
///
/// Displays as one line with the reasons of all losses, such as `delivered 3, waiting 0, lost 2 (queue full: 2)`.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Flushed {
    /// Events that the receiver accepted during the call.
    pub delivered: u64,
    /// Events that are still waiting: for a retry, because the timeout expired, or on disk for a later run.
    pub waiting: u64,
    /// Everything counted during the call, including the losses by reason.
    pub stats: Stats,
}

impl Flushed {
    /// Returns how many events were lost during the call.
    pub fn lost(&self) -> u64 {
        self.stats.lost_total()
    }

    /// Returns whether nothing is waiting and nothing was lost.
    pub fn is_complete(&self) -> bool {
        self.waiting == 0 && self.lost() == 0
    }
}

impl fmt::Display for Flushed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "delivered {}, waiting {}, ", self.delivered, self.waiting)?;
        self.stats.write_losses(f)
    }
}

impl Client {
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

    /// Ends all workers at once, cuts off their requests and empties the queues. The gate is already closed.
    ///
    /// Does nothing if the gate was opened again: whoever opened it has ended the earlier workers.
    pub(super) fn withdraw(&self) {
        let lanes = &self.inner.lanes;
        let Some(mut workers) = lanes.workers() else {
            // A forked child has its own queue, but no worker.
            return lanes.close_before(self.monitor.gate().generation(), &self.inner.counters);
        };
        if self.is_enabled() {
            return;
        }
        let handles = workers.take_all();
        lanes.close_before(self.monitor.gate().generation(), &self.inner.counters);
        drop(workers);
        lanes.notify_waiters();
        for handle in &handles {
            handle.withdraw();
        }
        let until = Instant::now() + CUT;
        for handle in &handles {
            handle.wait(until);
        }
    }

    /// Tells the workers that consent has ended, without waiting. They count and drop what is left.
    #[cold]
    pub(super) fn tell_withdrawn(&self) {
        let handles = self.inner.lanes.try_workers().map(|workers| workers.all()).unwrap_or_default();
        for handle in &handles {
            handle.withdraw();
        }
        for lane in self.inner.lanes.iter() {
            lane.queue.wake();
        }
    }

    fn flushed_since(&self, before: &Stats) -> Flushed {
        let stats = self.stats().since(before);
        Flushed { delivered: stats.sent, waiting: stats.queued + stats.spooled, stats }
    }
}

pub(super) fn forked() -> Error {
    Error::new(
        ErrorKind::NotRunning,
        "the worker belongs to the parent process; create a new client in a forked child",
    )
}
