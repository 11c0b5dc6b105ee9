//! Writes events to disk: of a batch, of the queue, or of a single capture.

use std::io;
use std::path::Path;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use uuid::Uuid;

use super::files::{Files, InHand};
use crate::clock::{Clock, later};
use crate::deliver::awaited::{Awaited, Delivered};
use crate::deliver::batch::{Batch, BatchBuilder, BatchLimits};
use crate::deliver::report::{DeliveryError, OnError};
use crate::event::{CommonProperties, EncodedEvent};
use crate::observe::{Counters, LossReason};
use crate::queue::spool::{Bucket, Caps, Events, FileLimits, FileName, Journal, Purged, list, purge_bucket};
use crate::queue::{Backlog, Queue};
use crate::settings::{Durability, Spool};
use crate::timestamp::{Rfc3339, Timestamp};
use crate::wire::{BatchInfo, Envelope, Ids, WireEvent};

/// Everything a spool needs from the client.
pub(crate) struct SpoolContext {
    pub(crate) bucket: Arc<Bucket>,
    pub(crate) spool: Spool,
    pub(crate) envelope: Arc<dyn Envelope>,
    pub(crate) common: Arc<CommonProperties>,
    pub(crate) counters: Arc<Counters>,
    /// The callers that wait for the delivery of an event.
    pub(crate) awaited: Arc<Awaited>,
    pub(crate) on_error: OnError,
    pub(crate) clock: Clock,
    pub(crate) batch_bytes: usize,
    /// How many events wake the worker, as for the queue.
    pub(crate) wake_events: u64,
}

/// Writes events to disk, on the worker's thread or a caller's. The worker and the client share it.
pub(crate) struct SpoolWriter {
    pub(super) context: SpoolContext,
    journal: Option<Mutex<Journal>>,
    ids: Mutex<Ids>,
    pub(super) files: Mutex<Files>,
    /// Held while events are between the queue and a file, so the process does not end in between.
    draining: Mutex<()>,
    /// Until when this process may write, once it ends.
    writes_until: Mutex<Option<Instant>>,
    /// Set once nothing more is written, since the disk failed. The events on disk are still sent.
    is_full: AtomicBool,
    /// Set once this process no longer uses the spool, since consent was withdrawn or nothing can be locked.
    is_off: AtomicBool,
    /// Set once the events on disk are counted as withdrawn.
    is_forgotten: AtomicBool,
    owner_pid: u32,
}

/// What a drain of the queue has done. It outlives a panic of the application's envelope.
#[derive(Debug, Default)]
pub(crate) struct Drain {
    /// How many events were taken from the queue.
    pub(crate) taken: u64,
    /// The events that could not be written.
    pub(crate) left: Vec<Batch>,
}

/// How long a process that ends waits for a thread that is writing to disk.
const PATIENCE: Duration = Duration::from_millis(250);

/// How long a thread that ends the process waits for one that should be done in an instant.
const MOMENT: Duration = Duration::from_millis(25);

impl SpoolWriter {
    pub(crate) fn new(context: SpoolContext) -> Self {
        let limits =
            FileLimits { events: context.spool.file_events as u64, bytes: context.spool.file_bytes as u64 };
        let keeps_each = context.spool.durability == Durability::EachEvent;
        let journal = keeps_each.then(|| Mutex::new(Journal::new(Arc::clone(&context.bucket), limits)));
        Self {
            context,
            journal,
            ids: Mutex::new(Ids::seeded(Uuid::new_v4())),
            files: Mutex::default(),
            draining: Mutex::new(()),
            writes_until: Mutex::default(),
            is_full: AtomicBool::new(false),
            is_off: AtomicBool::new(false),
            is_forgotten: AtomicBool::new(false),
            owner_pid: process::id(),
        }
    }

    /// Returns whether this process may send the events on disk; never in a forked child.
    pub(crate) fn is_on(&self) -> bool {
        !self.is_off.load(Ordering::Acquire) && self.owner_pid == process::id()
    }

    /// Returns whether events can be written to disk.
    pub(crate) fn can_write(&self) -> bool {
        self.is_on() && !self.is_full.load(Ordering::Acquire)
    }

    /// Limits the time for writing, since the process ends. What is not written by then is left to the caller.
    pub(crate) fn write_until(&self, until: Instant) {
        *self.writes_until.lock() = Some(until);
    }

    fn is_time_over(&self) -> bool {
        self.writes_until.lock().is_some_and(|until| Instant::now() >= until)
    }

    /// Returns until when to wait for a thread that is writing to disk.
    fn patient_until(&self) -> Instant {
        let until = later(Instant::now(), PATIENCE);
        self.writes_until.lock().map_or(until, |known| known.max(until))
    }

    /// Returns whether events are always written to disk first, and sent only from there.
    pub(crate) fn writes_first(&self) -> bool {
        let spool = &self.context.spool;
        self.can_write() && (spool.durability != Durability::Sealed || spool.leaves_events())
    }

    /// Returns whether this run leaves its events to another process.
    pub(crate) fn leaves_events(&self) -> bool {
        self.can_write() && self.context.spool.leaves_events()
    }

    /// Returns whether events are on disk for the process that this run is to start.
    pub(crate) fn has_events_for_sender(&self) -> bool {
        let is_there = || self.bucket().list().is_ok_and(|listing| !listing.events.is_empty());
        self.is_on() && self.context.spool.has_sender && is_there()
    }

    /// Returns the maximum time until a captured event is on disk, if that was set.
    pub(crate) fn write_ahead(&self) -> Option<Duration> {
        match self.context.spool.durability {
            Durability::WriteAhead(interval) => Some(interval),
            Durability::Sealed | Durability::EachEvent => None,
        }
    }

    /// Returns whether a batch may be kept. If events are sent at most once, it must not have been sent yet.
    pub(crate) fn may_keep(&self, batch: &Batch) -> bool {
        !self.context.spool.at_most_once || batch.attempts == 0
    }

    /// Returns the directory of the bucket.
    pub(crate) fn dir(&self) -> &Path {
        self.bucket().dir()
    }

    pub(super) fn bucket(&self) -> &Bucket {
        &self.context.bucket
    }

    pub(super) fn caps(&self) -> Caps {
        let Spool { max_files, max_events, max_bytes, max_age, .. } = self.context.spool;
        let age = u64::try_from(max_age.as_millis()).unwrap_or(u64::MAX);
        Caps { files: max_files, events: max_events, bytes: max_bytes, age }
    }

    /// Returns the current time in milliseconds since 1970.
    pub(super) fn now(&self) -> u64 {
        millis(Timestamp::of_clock(self.context.clock.wall()))
    }

    /// Writes the events of a batch to disk. Returns those that could not be written; `None` if there are none.
    ///
    /// Once the time for writing is over, a batch still gets one file.
    pub(crate) fn keep(&self, batch: Batch) -> Option<Batch> {
        self.keep_as(batch, None).err().map(|left| *left)
    }

    /// Writes events to disk, with `created` as their age if they have been there before. Returns the names of the
    /// files.
    ///
    /// Fails with the events that could not be written.
    pub(super) fn keep_as(&self, batch: Batch, created: Option<u64>) -> Result<Vec<FileName>, Box<Batch>> {
        if !self.can_write() {
            return Err(Box::new(batch));
        }
        let mut written = 0;
        let mut names = Vec::new();
        for events in self.lay_out(&batch) {
            // The parts of a batch from disk are all written, since the file with the whole is removed next.
            if written > 0 && created.is_none() && self.is_time_over() {
                self.enforce_caps();
                return Err(Box::new(batch.select(|index| index >= written)));
            }
            let count = u64::from(events.count());
            let now = millis(batch.info.created_at);
            // Locked until the file is recorded; a listing in between would take it for an earlier run's.
            let mut files = self.files.lock();
            if self.is_forgotten() {
                return Err(Box::new(batch.select(|index| index >= written)));
            }
            let name = match created {
                Some(created) => self.bucket().write_part(&events, created, now),
                None => self.bucket().write(&events, now),
            };
            match name {
                Ok(name) => {
                    self.context.counters.spooled(count);
                    files.add_own(name);
                    names.push(name);
                }
                Err(error) => {
                    drop(files);
                    let rest = batch.select(|index| index >= written);
                    self.failed(&error);
                    return Err(Box::new(rest));
                }
            }
            written += events.count() as usize;
        }
        self.enforce_caps();
        Ok(names)
    }

    /// Splits the events of a batch into files.
    fn lay_out(&self, batch: &Batch) -> Vec<Events> {
        let Spool { file_events, file_bytes, .. } = self.context.spool;
        let max_events = file_events.min(self.context.envelope.limits().max_events);
        let mut files = vec![Events::default()];
        for (id, event) in batch.events() {
            let is_full = |file: &Events| {
                file.count() as usize >= max_events
                    || file.count() > 0 && file.len() + event.len() > file_bytes
            };
            if files.last().is_some_and(is_full) {
                files.push(Events::default());
            }
            if let Some(file) = files.last_mut() {
                file.push(id, event);
            }
        }
        files.retain(|file| file.count() > 0);
        files
    }

    /// Stops writing for this process after a failed write; events are then sent from memory. There the gate is checked
    /// again, which drops them if another process purged the bucket.
    fn failed(&self, error: &io::Error) {
        if error.kind() == io::ErrorKind::NotFound {
            self.turn_off();
        }
        self.is_full.store(true, Ordering::Release);
        log::debug!(target: "candor", "events are no longer kept on disk by this process: {error}");
    }

    /// Stops all writing.
    pub(super) fn turn_off(&self) {
        self.is_off.store(true, Ordering::Release);
    }

    /// Removes the oldest files over the caps.
    fn enforce_caps(&self) {
        let excess = self.files.lock().excess(&self.caps());
        self.discard(&excess, LossReason::SpoolFull);
    }

    /// Removes files, and counts their events as lost.
    pub(super) fn discard(&self, names: &[FileName], reason: LossReason) {
        let mut lost = 0;
        for name in names {
            let removed = self.bucket().remove(*name);
            let mut files = self.files.lock();
            match removed {
                Ok(true) => lost += self.take_in_hand(&mut files, *name, name.events.into()),
                // Another process has sent or removed it, and counted it.
                Ok(false) => {}
                Err(_) => continue,
            }
            files.remove(*name);
        }
        self.report(&DeliveryError::unsent(reason, lost, Vec::new()));
    }

    /// Counts the events of a file as no longer on disk, and returns their number. Events of an earlier run are counted
    /// here for the first time.
    pub(super) fn take_in_hand(&self, files: &mut Files, name: FileName, events: u64) -> u64 {
        let counted = files.count(name, events);
        match counted {
            Some(counted) => self.context.counters.unspooled(counted),
            None => self.context.counters.recovered(events),
        }
        counted.unwrap_or(events)
    }

    /// Writes one event to disk before its capture returns. Returns `false` if the event has to be queued instead.
    pub(crate) fn append(&self, encoded: &EncodedEvent<'_>, wake: impl Fn()) -> bool {
        let Some(journal) = self.journal.as_ref().filter(|_| self.can_write()) else { return false };
        let id = encoded.uuid().unwrap_or_else(|| self.ids.lock().next(encoded.timestamp()));
        let mut timestamp = Vec::new();
        Rfc3339::default().write(encoded.timestamp(), &mut timestamp);
        let mut text = [0; uuid::fmt::Hyphenated::LENGTH];
        let uuid = &*id.hyphenated().encode_lower(&mut text);
        let mut event = Vec::with_capacity(encoded.size() + 256);
        let common = &self.context.common;
        self.context.envelope.event(&WireEvent { encoded, common, uuid, timestamp: &timestamp }, &mut event);
        let mut journal = journal.lock();
        if !self.can_write() {
            return false;
        }
        let finished = match journal
            .append(id, &event, millis(encoded.timestamp()), |name| self.files.lock().announce(name))
        {
            Ok(finished) => finished,
            Err(error) => {
                drop(journal);
                self.failed(&error);
                return false;
            }
        };
        let open = journal.open_events();
        // Counted under the lock, so `forget` always includes it.
        self.context.counters.spooled(1);
        drop(journal);
        if let Some(name) = finished {
            self.files.lock().add_own(name);
            self.enforce_caps();
        }
        if finished.is_some() || open == 1 || open == self.context.wake_events {
            wake();
        }
        true
    }

    /// Returns how many events are in the file that captures append to.
    pub(super) fn journal_events(&self) -> u64 {
        self.journal.as_ref().map_or(0, |journal| journal.lock().open_events())
    }

    /// Finishes the file that captures append to.
    pub(super) fn finish_journal(&self) {
        let Some(journal) = &self.journal else { return };
        let finished = journal.lock().finish(|name| self.files.lock().announce(name));
        if let Ok(Some(name)) = finished {
            self.files.lock().add_own(name);
        }
    }

    /// Writes up to `max` of the oldest queued events to disk, or all of them once the process ends.
    ///
    /// Called by the worker, or by the thread that ends the process without waiting for the worker, but only by one at
    /// a time: the process does not end while events are between the queue and a file, unless its time is over.
    pub(crate) fn drain(
        &self,
        builder: &mut BatchBuilder,
        (backlog, queue): (&mut Backlog, &Queue),
        generation: u32,
        max: u64,
        drain: &mut Drain,
    ) {
        let Some(_one) = self.draining.try_lock_until(self.patient_until()) else { return };
        let context = &self.context;
        let envelope = &*context.envelope;
        let mut ids = Ids::seeded(Uuid::new_v4());
        let limits = BatchLimits::new(&envelope.limits(), context.batch_bytes);
        loop {
            let ends = self.writes_until.lock().is_some();
            let room = if ends { u64::MAX } else { max.saturating_sub(drain.taken) };
            if room == 0 {
                return;
            }
            let events = limits.events.min(usize::try_from(room).unwrap_or(usize::MAX));
            let limits = BatchLimits { events, ..limits };
            let created_at = Timestamp::of_clock(context.clock.wall());
            let info = BatchInfo { created_at, id: ids.next(created_at) };
            let mut batch = Batch::new(envelope, info, generation, context.clock.now(), 0, Vec::new());
            let source = (&mut *backlog, queue);
            let taken = builder.fill(&mut batch, envelope, &context.common, &mut ids, limits, source);
            queue.release(taken.depth);
            drain.taken += taken.depth.events;
            self.report(&DeliveryError::unsent(LossReason::ConsentWithdrawn, taken.stale, Vec::new()));
            let too_large = builder.take_too_large();
            self.report(&DeliveryError::unsent(LossReason::TooLarge, too_large.len() as u64, too_large));
            if batch.len() > 0 {
                drain.left.extend(self.keep(batch));
            }
            if taken.depth.events == 0 {
                return;
            }
        }
    }

    /// Returns whether another thread seems to be stuck in a write, so waiting for it would take too long.
    pub(crate) fn is_stuck(&self) -> bool {
        let is_recorded = self.files.try_lock_for(MOMENT).is_some();
        let is_free = |journal: &Mutex<Journal>| journal.try_lock_for(MOMENT).is_some();
        self.draining.is_locked() || !is_recorded || !self.journal.as_ref().is_none_or(is_free)
    }

    /// Leaves the bucket to the next run: finishes the file that captures append to, and does not count an attempt that
    /// was cut off.
    pub(crate) fn leave(&self) {
        self.finish_journal();
        let cut = self.files.lock().leave();
        self.put_back(&cut);
        if self.is_removed() {
            self.forget_as(LossReason::SpoolDamaged);
        }
    }

    /// Returns whether the spool's directory is gone, because of a withdrawal or removed by hand.
    pub(crate) fn is_removed(&self) -> bool {
        let spool = self.dir().parent().unwrap_or_else(|| self.dir());
        spool.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
    }

    /// Returns whether events have been on disk for more than a day and no run has waited for them within a day.
    /// Records that this run waits.
    pub(crate) fn is_long_overdue(&self) -> bool {
        const DAY: u64 = 24 * 60 * 60 * 1000;
        let now = self.now();
        let oldest = {
            let files = self.files.lock();
            // A command may end before its worker has looked.
            if files.is_listed() { files.oldest() } else { list(self.dir()).first().map(|name| name.created) }
        };
        let is_old = oldest.is_some_and(|oldest| now.saturating_sub(oldest) > DAY);
        is_old && self.bucket().note_wait(now, DAY).unwrap_or(false)
    }

    /// Counts the events of a request that has ended as on disk again, or as withdrawn if their files were removed.
    pub(super) fn count_back(&self, files: &[InHand]) {
        let events = files.iter().map(|file| file.events).sum();
        // Locked, so `forget` either includes them or is seen here.
        let known = self.files.lock();
        let lost = if self.is_forgotten() { events } else { 0 };
        self.context.counters.spooled(events - lost);
        drop(known);
        self.report(&DeliveryError::unsent(LossReason::ConsentWithdrawn, lost, Vec::new()));
    }

    /// Gives back the files of a request that has ended, without counting the attempt: it did not end the process.
    pub(super) fn put_back(&self, files: &[InHand]) {
        // Counted even if renaming fails: the file is on disk, whatever its name.
        self.count_back(files);
        for InHand { name, .. } in files {
            if let Ok(renamed) = self.bucket().set_tries(*name, name.tries.saturating_sub(1)) {
                self.files.lock().rename(renamed);
            }
        }
    }

    /// Removes this bucket for all processes, as on a withdrawal of consent.
    pub(crate) fn purge(&self) {
        if self.is_forgotten() {
            // Already removed; a bucket of this name would belong to the next grant.
            return;
        }
        let purged = purge_bucket(self.bucket().dir());
        self.forget();
        if let Err(error) = purged.and_then(Purged::remove) {
            log::debug!(target: "candor", "events on disk could not be removed: {error}");
        }
    }

    /// Counts the events on disk as withdrawn, since they were removed, and stops all writing.
    pub(crate) fn forget(&self) {
        self.forget_as(LossReason::ConsentWithdrawn);
    }

    /// Returns whether the events on disk were counted as lost.
    pub(super) fn is_forgotten(&self) -> bool {
        self.is_forgotten.load(Ordering::Acquire)
    }

    fn forget_as(&self, reason: LossReason) {
        if self.owner_pid != process::id() || self.is_forgotten.swap(true, Ordering::AcqRel) {
            return;
        }
        let journal = self.journal.as_ref().map(|journal| journal.lock());
        self.turn_off();
        let lost = {
            let mut files = self.files.lock();
            files.forget();
            self.context.counters.take_spooled()
        };
        if let Some(mut journal) = journal {
            journal.forget();
        }
        self.report(&DeliveryError::unsent(reason, lost, Vec::new()));
    }

    /// Counts the events of a batch as lost, and calls the application's hook.
    pub(crate) fn report_lost(&self, reason: LossReason, batch: &Batch) {
        let ids = batch.ids().to_vec();
        self.report(&DeliveryError::unsent(reason, ids.len() as u64, ids));
    }

    /// Counts events that were lost to a panic.
    pub(crate) fn report_panicked(&self, events: u64) {
        self.report(&DeliveryError::unsent(LossReason::WorkerPanicked, events, Vec::new()));
    }

    /// Counts lost events, and calls the application's hook.
    pub(super) fn report(&self, failure: &DeliveryError) {
        let DeliveryError { count, reason, .. } = *failure;
        if count == 0 {
            return;
        }
        self.context.counters.lost(reason, count);
        self.context.awaited.settle(&failure.events, Delivered::Lost(reason));
        log::debug!(target: "candor", "{count} events lost: {reason}");
        self.context.on_error.call(failure);
    }
}

fn millis(at: Timestamp) -> u64 {
    u64::try_from(at.unix_millis()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::spool::{Provenance, Scratch};
    use crate::wire::PostHogBatch;

    #[test]
    fn a_thread_that_is_stuck_in_a_write_is_noticed() {
        let scratch = Scratch::new();
        let bucket = Bucket::create(&scratch.path().join("spool"), "0123456789abcdef", Provenance::default());
        let writer = SpoolWriter::new(SpoolContext {
            bucket: Arc::new(bucket.unwrap()),
            spool: Spool::server().each_event(),
            envelope: Arc::new(PostHogBatch::default()),
            common: Arc::default(),
            counters: Arc::default(),
            awaited: Arc::default(),
            on_error: OnError::default(),
            clock: Clock::System,
            batch_bytes: 1 << 20,
            wake_events: 100,
        });
        assert!(!writer.is_stuck());
        let draining = writer.draining.lock();
        assert!(writer.is_stuck());
        drop(draining);
        let files = writer.files.lock();
        assert!(writer.is_stuck());
        drop(files);
        let journal = writer.journal.as_ref().unwrap().lock();
        assert!(writer.is_stuck());
        drop(journal);
        assert!(!writer.is_stuck());
    }
}
