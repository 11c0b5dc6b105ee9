//! The client's use of the spool: events are appended, left at the end of a run, and taken away with the consent.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Client;
use super::lane::{Lane, Route};
use super::on_disk;
use super::worker_handle::WorkerHandle;
use crate::clock::later;
use crate::consent::SpoolStatus;
use crate::deliver::{Batch, BatchBuilder, SpoolWriter};
use crate::event::EncodedEvent;
use crate::observe::LossReason;
use crate::panic::catch_panic;
use crate::queue::Backlog;
use crate::queue::spool::{Purged, purge_all};

/// How long a run that ends waits, at most once a day, for events that have been on disk for more than a day.
const LONG_WAIT: Duration = Duration::from_millis(500);

/// How long a run that ends waits for an idle worker; one that is stuck is left behind.
const NO_WAIT: Duration = Duration::from_millis(1);

/// How long undelivered events may be written to disk once the timeout of a shutdown is over.
const WRITES: Duration = Duration::from_millis(200);

/// How long a worker gets to count the events that it had no time to write.
const COUNTS: Duration = Duration::from_millis(50);

impl Lane {
    /// Returns the spool's writer, if there is one.
    fn spool(&self) -> Option<Arc<SpoolWriter>> {
        // A forked child must not wait for a thread that exists only in its parent.
        self.spool.try_read_for(Duration::from_millis(100)).and_then(|spool| spool.clone())
    }

    /// Writes a captured event to disk; returns `false` if it has to be queued instead.
    pub(super) fn append(&self, event: &EncodedEvent<'_>) -> bool {
        let Some(writer) = self.spool().filter(|_| self.queue.is_ours()) else { return false };
        // A panic in the application's envelope must not reach the caller.
        catch_panic(|| writer.append(event, || self.queue.wake())).unwrap_or(false)
    }
}

impl Client {
    /// Describes the events on disk; `None` if the client is disabled or keeps none there.
    pub(super) fn spool_status(&self) -> Option<SpoolStatus> {
        let lane = self.inner.lanes.get(Route::Events).filter(|_| self.is_enabled())?;
        lane.spool().map(|writer| on_disk::describe(writer.dir()))
    }

    /// Returns whether this run, which has ended, must start the process that sends the events on disk.
    pub(crate) fn leaves_events_to_sender(&self) -> bool {
        let writers: Vec<_> = self.inner.lanes.iter().filter_map(Lane::spool).collect();
        !writers.is_empty()
            && self.monitor.still_granted()
            && writers.iter().any(|writer| writer.has_events_for_sender())
    }

    /// Renames all buckets, including those of other runs, so no process can use them. They still have to be removed.
    pub(super) fn purge_spool(&self) -> Option<io::Result<Purged>> {
        let purged = self.monitor.spool_dir().map(|dir| purge_all(&dir));
        for writer in self.inner.lanes.iter().filter_map(Lane::spool) {
            writer.forget();
        }
        purged
    }

    /// Limits the time for writing events to disk, in a shutdown that ends by `deadline`.
    pub(super) fn limit_writes(&self, deadline: Instant) {
        for writer in self.inner.lanes.iter().filter_map(Lane::spool) {
            writer.write_until(later(deadline, WRITES));
        }
    }

    /// Returns how long a worker may take to write the remaining events to disk, or to count them.
    pub(super) fn time_to_write(&self) -> Duration {
        let writes = self.inner.lanes.iter().filter_map(Lane::spool).any(|writer| writer.can_write());
        if writes { WRITES + COUNTS } else { Duration::ZERO }
    }

    /// Writes to disk the events in the queue of a worker that is stuck in the application's code.
    pub(super) fn keep_the_rest(&self) {
        let Some(generation) = self.monitor.gate().sendable_generation() else { return };
        for lane in self.inner.lanes.iter() {
            let Some(writer) = lane.spool() else { continue };
            if writer.is_on() {
                writer.write_until(Instant::now() + WRITES);
                let left = drain(lane, &writer, generation);
                let lost = left.iter().map(|batch| batch.ids().len() as u64).sum();
                self.inner.counters.lost(LossReason::ShuttingDown, lost);
            }
            writer.leave();
        }
    }

    /// Ends a run that leaves its events to the next: this thread writes all queued events to disk, and waits only for
    /// a worker that is writing to disk, and for events that are long overdue. Returns `false` if events cannot be kept
    /// on disk and have to be sent now.
    pub(super) fn leave_to_next_run(&self, handles: &[Arc<WorkerHandle>], deadline: Instant) -> bool {
        let lanes = &self.inner.lanes;
        let Some(generation) = self.monitor.gate().sendable_generation() else { return false };
        // Checked only once: the worker may find meanwhile that nothing can be written, and queued events must not stay
        // in the queue.
        let writers: Vec<_> = Route::ALL
            .into_iter()
            .filter_map(|route| lanes.get(route).map(|lane| (route, lane, lane.spool())))
            .filter_map(|(route, lane, writer)| Some((route, lane, writer?)))
            .filter(|(_, _, writer)| writer.leaves_events())
            .collect();
        if handles.is_empty() || writers.len() != lanes.iter().count() {
            return false;
        }
        if writers.iter().any(|(_, _, writer)| writer.is_long_overdue()) {
            let until = deadline.min(Instant::now() + LONG_WAIT);
            for done in handles.iter().map(|handle| handle.flush(until)).collect::<Vec<_>>() {
                let _ = done.recv_deadline(until);
            }
        }
        self.limit_writes(deadline);
        let mut has_kept_all = true;
        for (route, lane, writer) in &writers {
            let left = drain(lane, writer, generation);
            // The worker may hold events that it could not write.
            has_kept_all &= left.is_empty() && writer.can_write();
            if !left.is_empty()
                && let Some(handle) = lanes.workers().and_then(|workers| workers.get(*route))
            {
                handle.deliver(left);
            }
        }
        if has_kept_all {
            let until = Instant::now() + NO_WAIT;
            for handle in handles {
                handle.ask_to_end(until);
                handle.cut();
            }
            for handle in handles {
                handle.wait(until);
            }
            for (_, _, writer) in &writers {
                writer.leave();
            }
            if self.stats().queued > 0 {
                // A worker holds events that it has taken from the queue and not yet written.
                let until = later(deadline, WRITES + COUNTS);
                for handle in handles {
                    handle.wait(until);
                }
            }
        }
        has_kept_all
    }
}

/// Writes all queued events to disk, and returns those that cannot be written.
fn drain(lane: &Lane, writer: &SpoolWriter, generation: u32) -> Vec<Batch> {
    let mut builder = BatchBuilder::default();
    let (_, left) = writer.drain(&mut builder, (&mut Backlog::default(), &*lane.queue), generation);
    left
}
