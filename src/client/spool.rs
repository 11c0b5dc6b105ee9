//! A lane's use of the spool, and how long the end of a run may take for it.

use std::sync::Arc;
use std::time::Duration;

use super::lane::Lane;
use crate::deliver::{Batch, BatchBuilder, Drain, SpoolWriter};
use crate::event::EncodedEvent;
use crate::panic::catch_panic;
use crate::queue::Backlog;

/// How long a run that ends waits, at most once a day, for events that have been on disk for more than a day.
pub(super) const LONG_WAIT: Duration = Duration::from_millis(500);

/// How long a run that ends waits for an idle worker; one that is stuck is left behind.
pub(super) const NO_WAIT: Duration = Duration::from_millis(1);

/// How long undelivered events may be written to disk once the timeout of a shutdown is over.
pub(super) const WRITES: Duration = Duration::from_millis(200);

/// How long a worker gets to count the events that it had no time to write.
pub(super) const COUNTS: Duration = Duration::from_millis(50);

impl Lane {
    /// Returns the spool's writer, if there is one.
    pub(super) fn spool(&self) -> Option<Arc<SpoolWriter>> {
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

/// Writes all queued events to disk, and returns those that cannot be written.
pub(super) fn drain(lane: &Lane, writer: &SpoolWriter, generation: u32) -> Vec<Batch> {
    let mut builder = BatchBuilder::default();
    let (mut backlog, mut drain, queue) = (Backlog::default(), Drain::default(), &*lane.queue);
    let mut write =
        |builder: &mut _| writer.drain(builder, (&mut backlog, queue), generation, u64::MAX, &mut drain);
    // A panic in the application's envelope must not reach the caller. It costs the batch that was being built.
    while catch_panic(|| write(&mut builder)).is_none() {
        let lost = std::mem::take(&mut builder.taken).depth;
        queue.release(lost);
        writer.report_panicked(lost.events);
        if lost.events == 0 {
            break;
        }
    }
    let lost = backlog.clear(queue);
    queue.release(lost);
    writer.report_panicked(lost.events);
    drain.left
}
