//! Waiting for the worker: flush and shutdown.
//!
//! Never waits for a worker of another process, nor beyond the limit by more than a request's cut.

use std::process;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Client;
use super::worker_handle::WorkerHandle;
use crate::clock::later;
use crate::consent::GateState;
use crate::error::{Error, ErrorKind, Result};
use crate::observe::Stats;

/// How long `flush` and `shutdown` wait for another thread that is doing the same.
pub(super) const LOCK: Duration = Duration::from_millis(100);

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
    /// Waits until what was captured before is delivered or lost, for `timeout` at most.
    ///
    /// The timeout ends the waiting alone: what was captured before leaves all the same, also with a timeout of zero.
    /// Returns early where everything that is left waits for a retry beyond the timeout. When off, it returns at once
    /// with nothing delivered.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::NotRunning`] in a forked child, whose parent has the worker, and after a shutdown.
    pub fn flush(&self, timeout: Duration) -> Result<Flushed> {
        let deadline = later(self.inner.clock.now(), timeout);
        let before = self.stats();
        if !self.inner.has_worker() || self.gate.state() == GateState::Closed {
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
        let Some(handle) = self.take_worker(LOCK.min(timeout)) else { return Ok(Flushed::default()) };
        if !handle.is_ours() {
            return Err(forked());
        }
        let lane = self.known_ai_lane().and_then(|lane| lane.take_worker(LOCK));
        let lane = lane.filter(WorkerHandle::is_ours).map(|lane| (lane.ask_to_end(deadline), lane));
        handle.shutdown(deadline);
        if let Some((done, lane)) = lane {
            lane.ended(&done, deadline);
        }
        for lane in [Some(self), self.known_ai_lane()].into_iter().flatten() {
            lane.inner.ending.lock().take();
            if let Some(live) = lane.inner.live.get() {
                live.queue.notify_waiters();
            }
        }
        Ok(self.flushed_since(&before))
    }

    /// Takes the worker out for its end. Whoever withdraws consent meanwhile can still cut its request.
    fn take_worker(&self, patience: Duration) -> Option<WorkerHandle> {
        let mut worker = self.inner.worker.try_lock_for(patience)?;
        let handle = worker.take()?;
        if handle.is_ours() {
            *self.inner.ending.lock() = Some(handle.transport());
        }
        Some(handle)
    }

    /// Cuts the request of a worker that a shutdown waits for.
    pub(super) fn cut_ending(&self) {
        if self.inner.owner_pid != process::id() {
            return;
        }
        let ending = self.inner.ending.lock().clone();
        if let Some(transport) = ending {
            transport.abort();
        }
    }

    fn flushed_since(&self, before: &Stats) -> Flushed {
        let stats = self.stats().since(before);
        Flushed { delivered: stats.sent, waiting: stats.queued, stats }
    }
}

pub(super) fn forked() -> Error {
    Error::new(ErrorKind::NotRunning, "the worker is the parent process's; initialise anew in a forked child")
}
