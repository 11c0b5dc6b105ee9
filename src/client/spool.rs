//! The client's side of the spool: opens it under a grant, leaves it at the end, and purges it on a withdrawal.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Client;
use super::lane::{Lane, Route};
use super::worker_handle::WorkerHandle;
use crate::clock::Clock;
use crate::config::ClientSettings;
use crate::consent::{ConsentMonitor, SpoolStatus};
use crate::deliver::{Batch, BatchBuilder, SpoolContext, SpoolWriter};
use crate::event::EncodedEvent;
use crate::observe::{Counters, LossReason};
use crate::panic::catch_panic;
use crate::queue::Backlog;
use crate::queue::spool::{self, Bucket, Provenance, Purged, bucket_name, list, purge_all};
use crate::timestamp::Timestamp;

/// How long a run that ends waits, at most once a day, for events that have been on disk for more than a day.
const LONG_WAIT: Duration = Duration::from_millis(500);

/// How long a run that ends waits for an idle worker; one that is stuck is left behind.
const NO_WAIT: Duration = Duration::from_millis(1);

/// How much longer than its timeout a shutdown waits for a worker that writes undelivered events to disk.
const WRITES: Duration = Duration::from_millis(250);

/// Opens the bucket of a new grant; `None` if events are not to be kept on disk, or cannot be.
pub(super) fn open(
    settings: &ClientSettings,
    monitor: &ConsentMonitor,
    counters: &Arc<Counters>,
    clock: &Clock,
) -> Option<Arc<SpoolWriter>> {
    let spool = settings.spool.clone().filter(|_| !settings.is_dry_run)?;
    let Some(Place { dir, name, grant }) = place(settings, monitor) else {
        log::debug!(target: "candor", "events are not kept on disk: there is no state directory, or this is sudo or continuous integration");
        return None;
    };
    let (notice, catalogue) = monitor.notice_and_catalogue();
    let bucket = match Bucket::create(&dir, &name, Provenance { grant, notice, catalogue }) {
        Ok(bucket) => bucket,
        Err(error) => {
            log::debug!(target: "candor", "events are not kept on disk: {error}");
            return None;
        }
    };
    let writer = Arc::new(SpoolWriter::new(SpoolContext {
        bucket: Arc::new(bucket),
        spool,
        envelope: Arc::clone(&settings.envelope),
        common: Arc::clone(&settings.capture.common),
        counters: Arc::clone(counters),
        on_error: settings.on_error.clone(),
        clock: clock.clone(),
        batch_bytes: settings.batching.batch_bytes,
        wake_events: settings.batching.leaves_at_events(),
    }));
    // A refusal in the meantime has removed the buckets that were there, but not this one.
    if monitor.still_granted() {
        return Some(writer);
    }
    writer.purge();
    None
}

/// The place of a client's events on disk.
struct Place {
    /// The spool's directory, and the bucket's name in it.
    dir: PathBuf,
    name: String,
    grant: String,
}

/// Returns the place of events under the current grant; `None` if none may be kept.
fn place(settings: &ClientSettings, monitor: &ConsentMonitor) -> Option<Place> {
    let spool = settings.spool.as_ref()?;
    let dir = monitor.spool_dir().filter(|_| monitor.may_keep_events())?;
    let grant = monitor.decision().grant_name();
    let origin = settings.endpoint.as_ref().map_or("transport", |endpoint| endpoint.as_str());
    let origin = crate::consent::origin(origin);
    let key = settings.hide.as_ref().map_or("", |(secret, _)| secret);
    let account = format!("{key}\n{}", spool.tenant);
    let protocol = format!("{} {}", settings.protocol, settings.envelope.path());
    let name = bucket_name(&origin, &protocol, &account, &grant);
    Some(Place { dir, name, grant })
}

/// Returns whether an earlier run with these settings left events on disk. Creates nothing and opens no file.
pub(super) fn holds_events(settings: &ClientSettings, monitor: &ConsentMonitor) -> bool {
    place(settings, monitor).is_some_and(|Place { dir, name, .. }| spool::holds_events(&dir.join(name)))
}

/// Removes the events that an earlier grant left on disk, if a lasting refusal or the end of that grant forbids to keep
/// them. Does nothing unless the application keeps events on disk.
pub(super) fn finish_purge(settings: &ClientSettings, monitor: &ConsentMonitor) {
    if settings.spool.is_none() || !monitor.decision().ends_what_is_kept() {
        return;
    }
    let Some(dir) = monitor.spool_dir() else { return };
    remove(Some(purge_all(&dir)));
}

/// Removes the renamed directories of a purge.
pub(super) fn remove(purged: Option<io::Result<Purged>>) {
    if let Some(Err(error)) = purged.map(|purged| purged.and_then(Purged::remove)) {
        catch_panic(|| log::debug!(target: "candor", "events on disk could not be removed: {error}"));
    }
}

/// Describes the events on disk, from the file names alone.
pub(super) fn describe(dir: &Path) -> SpoolStatus {
    let names = list(dir);
    let oldest = names.first().and_then(|name| i64::try_from(name.created).ok());
    SpoolStatus {
        directory: dir.display().to_string(),
        files: names.len() as u64,
        events: names.iter().map(|name| u64::from(name.events)).sum(),
        bytes: names.iter().map(|name| name.bytes).sum(),
        oldest: oldest.map(|millis| Timestamp::from_unix_millis(millis).to_rfc3339()),
    }
}

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
        lane.spool().map(|writer| describe(writer.dir()))
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

    /// Returns how long a worker may take to write the remaining events to disk.
    pub(super) fn time_to_write(&self) -> Duration {
        let writes = self.inner.lanes.iter().filter_map(Lane::spool).any(|writer| writer.can_write());
        if writes { WRITES } else { Duration::ZERO }
    }

    /// Writes to disk the events in the queue of a worker that is stuck in the application's code.
    pub(super) fn keep_the_rest(&self) {
        let Some(generation) = self.monitor.gate().sendable_generation() else { return };
        for lane in self.inner.lanes.iter() {
            let Some(writer) = lane.spool().filter(|writer| writer.is_on()) else { continue };
            let left = drain(lane, &writer, generation);
            let lost = left.iter().map(|batch| batch.ids().len() as u64).sum();
            self.inner.counters.lost(LossReason::ShuttingDown, lost);
            writer.leave();
        }
    }

    /// Ends a run that leaves its events to the next: this thread writes all queued events to disk, and waits only for
    /// events that are long overdue. Returns `false` if events cannot be kept on disk and have to be sent now.
    pub(super) fn leave_to_next_run(&self, handles: &[Arc<WorkerHandle>], deadline: Instant) -> bool {
        let lanes = &self.inner.lanes;
        let Some(generation) = self.monitor.gate().sendable_generation() else { return false };
        // Asked once: the worker may find meanwhile that nothing can be kept, and what is queued must not be left there.
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
        let mut has_kept_all = true;
        for (route, lane, writer) in &writers {
            let left = drain(lane, writer, generation);
            if !left.is_empty() {
                has_kept_all = false;
                if let Some(handle) = lanes.workers().and_then(|workers| workers.get(*route)) {
                    handle.deliver(left);
                }
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
