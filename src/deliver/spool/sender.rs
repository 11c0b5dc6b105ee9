//! Sends the events on disk: chooses the files of the next batch, and settles them after its attempt.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::files::{InHand, Waiting};
use super::writer::SpoolWriter;
use crate::clock::later;
use crate::deliver::batch::{Batch, BatchLimits};
use crate::deliver::halving::Part;
use crate::deliver::report::DeliveryError;
use crate::observe::LossReason;
use crate::queue::spool::{FileName, Lock, LockedFile, POISON, Unreadable, plan, sweep_others};
use crate::settings::Durability;
use crate::timestamp::Timestamp;
use crate::wire::BatchInfo;

/// How long to wait before trying a lock again that another process holds.
const BUSY: Duration = Duration::from_millis(250);

/// The maximum number of files in one batch, all of which must be renamed if the process ends during its request.
const MAX_FILES: usize = 50;

/// Why a file is set aside if the processes that send it keep ending.
const POISONED: &str = "each process that sent it ended before it was done";

/// What to do about the files on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SpoolStep {
    /// Send the next batch.
    Send,
    /// Ask again at this instant.
    At(Instant),
    /// Another process is sending; ask again at this instant.
    Busy(Instant),
    /// There is nothing to send.
    Nothing,
}

/// The worker's side of a bucket.
pub(crate) struct SpoolSender {
    writer: Arc<SpoolWriter>,
    /// The lock of the process that sends; held only while files wait to be sent.
    lock: Option<LockedFile>,
    has_looked: bool,
    has_listed: bool,
    /// Files that this process does not send: those of a later version, and those that could not be removed after they
    /// were sent.
    skip: HashSet<FileName>,
    /// The last file of a failed batch; the next batch begins after it.
    cursor: Option<FileName>,
    /// The files of the current request, in case they are given back before its response is known.
    current: Vec<InHand>,
    /// Files with a part of a refused batch. Each is sent alone, and its part decides whether it is cut again.
    parts: HashMap<FileName, Part>,
    /// Nothing is sent from disk before this instant, since the endpoint has failed.
    not_before: Option<Instant>,
    failures: u32,
    bad_responses: u32,
    /// Another process holds the lock, which is not tried again before this instant.
    busy_until: Option<Instant>,
    /// Since when this process's own files have been collected for the next batch.
    since: Option<Instant>,
    /// Whether the endpoint refuses this client, so everything is kept for a later run.
    is_refused: bool,
    interval: Duration,
    flush_at: u64,
}

impl SpoolSender {
    pub(crate) fn new(writer: Arc<SpoolWriter>, interval: Duration, flush_at: u64) -> Self {
        Self {
            writer,
            lock: None,
            has_looked: false,
            has_listed: false,
            skip: HashSet::new(),
            cursor: None,
            current: Vec::new(),
            parts: HashMap::new(),
            not_before: None,
            failures: 0,
            bad_responses: 0,
            busy_until: None,
            since: None,
            is_refused: false,
            interval,
            flush_at,
        }
    }

    pub(crate) fn writer(&self) -> &Arc<SpoolWriter> {
        &self.writer
    }

    /// Returns whether the last attempt failed, or the endpoint refuses this client.
    pub(crate) fn is_failing(&self) -> bool {
        self.is_refused || self.failures > 0
    }

    /// Keeps everything from now on, since the endpoint refuses this client.
    pub(crate) fn refuse(&mut self, status: Option<u16>) {
        if !self.is_refused {
            let status = status.map_or_else(String::new, |status| format!(" with status {status}"));
            log::warn!(
                target: "candor",
                "the endpoint refused events{status}; they are kept on disk for a later run: check the endpoint and the API key"
            );
        }
        self.is_refused = true;
        self.lock = None;
    }

    /// Records the failure of a batch that is not from disk.
    pub(crate) fn failed_live(&mut self, batch: &Batch, until: Instant) {
        self.bad_responses = batch.bad_responses;
        self.failures = self.failures.saturating_add(1);
        self.hold_until(until);
    }

    /// Sends nothing from disk before this instant, since the endpoint has failed.
    pub(crate) fn hold_until(&mut self, until: Instant) {
        self.not_before = Some(self.not_before.map_or(until, |known| known.max(until)));
    }

    /// Lets waiting files be sent, since the endpoint has just accepted events.
    pub(crate) fn release(&mut self) {
        (self.not_before, self.failures, self.bad_responses) = (None, 0, 0);
    }

    /// Returns what to do now; with `wants_all`, a flush or a shutdown is waiting.
    pub(crate) fn next(&mut self, now: Instant, wants_all: bool) -> SpoolStep {
        if self.is_refused || !self.writer.is_on() {
            self.lock = None;
            return SpoolStep::Nothing;
        }
        if self.writer.context.spool.has_sender && !wants_all {
            // The process that this run starts at its end needs the lock.
            self.lock = None;
            return SpoolStep::Nothing;
        }
        if !self.has_looked {
            // The disk is touched only under a grant, without which there is no worker.
            self.has_looked = true;
            self.take_lock();
        }
        if let Some(until) =
            self.not_before.filter(|until| *until > now && !self.writer.files.lock().is_empty())
        {
            return SpoolStep::At(until);
        }
        if let Some(until) = self.busy_until.filter(|until| *until > now) {
            return SpoolStep::Busy(until);
        }
        let waiting = self.waiting(wants_all);
        if waiting.events == 0 {
            (self.lock, self.since) = (None, None);
            return SpoolStep::Nothing;
        }
        let until = self.collects_until(now, waiting, wants_all);
        if until > now {
            return SpoolStep::At(until);
        }
        if self.lock.is_none() && !self.take_lock() {
            self.busy_until = Some(later(now, BUSY));
            return if self.writer.is_on() { SpoolStep::Busy(later(now, BUSY)) } else { SpoolStep::Nothing };
        }
        if self.waiting(wants_all).events == 0 { SpoolStep::Nothing } else { SpoolStep::Send }
    }

    /// Returns whether no files are left that could be sent before the deadline of a flush.
    pub(crate) fn is_settled(&mut self, now: Instant, deadline: Instant) -> bool {
        match self.next(now, true) {
            SpoolStep::Send => false,
            SpoolStep::At(at) => at > deadline,
            SpoolStep::Busy(_) | SpoolStep::Nothing => true,
        }
    }

    /// Returns until when this process's own files are collected into one request, like events in the queue.
    fn collects_until(&mut self, now: Instant, waiting: Waiting, wants_all: bool) -> Instant {
        let collects = self.writer.context.spool.durability != Durability::Sealed;
        if !collects || wants_all || waiting.has_older || waiting.events >= self.flush_at {
            return now;
        }
        later(*self.since.get_or_insert(now), self.interval)
    }

    /// Returns the files that may be sent now. A tool that leaves its events to the next run sends only those of
    /// earlier runs.
    fn waiting(&self, wants_all: bool) -> Waiting {
        let leaves_own = self.writer.context.spool.leaves_events() && !wants_all;
        let files = self.writer.files.lock();
        let mut waiting = files
            .waiting(|name| !(self.skip.contains(&name.with_tries(0)) || leaves_own && files.is_own(*name)));
        if !leaves_own {
            drop(files);
            waiting.events += self.writer.journal_events();
        }
        waiting
    }

    /// Tries to become the process that sends, and lists the bucket. Returns whether it holds the lock.
    fn take_lock(&mut self) -> bool {
        match self.writer.bucket().lock() {
            Ok(Lock::Held(file)) => self.lock = Some(file),
            Ok(Lock::Busy) if self.has_listed => return false,
            Ok(Lock::Busy) => {}
            Ok(Lock::Unsupported) | Err(_) => {
                log::debug!(target: "candor", "the events on disk cannot be locked, so this process does not use the spool");
                self.writer.turn_off();
            }
        }
        self.look();
        self.lock.is_some()
    }

    /// Lists the bucket, and carries out the plan if this process is the one that sends.
    fn look(&mut self) {
        self.has_listed = true;
        // Locked throughout, so a file that is finished meanwhile is added after the listing and not forgotten.
        let mut files = self.writer.files.lock();
        let Ok(listing) = self.writer.bucket().list() else { return };
        let now = self.writer.now();
        let mut planned = plan(&listing, &self.writer.caps(), now);
        if self.lock.is_none() {
            files.replace(listing.events);
            return;
        }
        for open in &listing.open {
            planned.send.extend(self.writer.bucket().recover(open, now).ok().flatten());
        }
        for name in &planned.sweep {
            let _ = self.writer.bucket().remove_name(name);
        }
        files.replace(planned.send);
        drop(files);
        let caps = self.writer.caps();
        let old = sweep_others(self.writer.dir(), caps.age, now);
        let old = old.iter().map(|name| self.count_removed(*name)).sum();
        self.writer.report(&DeliveryError::unsent(LossReason::SpoolExpired, old, Vec::new()));
        self.writer.discard(&planned.expired, LossReason::SpoolExpired);
        self.writer.discard(&planned.evicted, LossReason::SpoolFull);
        for name in planned.poison {
            self.set_aside(name, POISONED);
        }
    }

    /// Moves a file out of the way, and counts its events as lost.
    fn set_aside(&mut self, name: FileName, why: &str) {
        let bucket = self.writer.bucket();
        let is_moved = bucket.set_aside(name).is_ok() || bucket.remove(name).is_ok();
        if !is_moved {
            self.skip.insert(name.with_tries(0));
        }
        log::warn!(target: "candor", "a file of {} events on disk was set aside: {why}", name.events);
        let lost = self.count_removed(name);
        self.writer.report(&DeliveryError::unsent(LossReason::SpoolDamaged, lost, Vec::new()));
    }

    /// Counts the events of a file that was removed from the bucket, and returns their number.
    fn count_removed(&self, name: FileName) -> u64 {
        let mut files = self.writer.files.lock();
        let events = self.writer.take_in_hand(&mut files, name, name.events.into());
        files.remove(name);
        events
    }

    /// Reads the next files into a batch; `None` if none of them can be used.
    pub(crate) fn load(&mut self, generation: u32, limits: BatchLimits, wants_all: bool) -> Option<Batch> {
        let leaves_own = self.writer.context.spool.leaves_events() && !wants_all;
        if !leaves_own {
            self.writer.finish_journal();
        }
        self.since = None;
        let names = {
            let files = self.writer.files.lock();
            files.next(self.cursor.take(), |name| {
                !(self.skip.contains(&name.with_tries(0)) || leaves_own && files.is_own(*name))
            })
        };
        let mut batch = self.empty_batch(generation);
        let mut seen = HashSet::new();
        let mut taken: Vec<InHand> = Vec::new();
        let (mut events, mut bytes) = (0_usize, 0_u64);
        for name in names {
            events = events.saturating_add(name.events as usize);
            bytes = bytes.saturating_add(name.bytes);
            let is_part = |name: FileName| self.parts.contains_key(&name.with_tries(0));
            let is_full = is_part(name)
                || taken.first().is_some_and(|first| is_part(first.name))
                || taken.len() >= MAX_FILES
                || events > limits.events
                || bytes > limits.bytes as u64;
            if is_full && !taken.is_empty() {
                break;
            }
            taken.extend(self.read(name, &mut batch, &mut seen));
        }
        if self.writer.context.spool.at_most_once {
            self.remove(&taken);
            self.writer.files.lock().end();
        } else {
            self.current.clone_from(&taken);
        }
        if let [InHand { name, .. }] = taken.as_slice() {
            batch.part = self.parts.get(&name.with_tries(0)).copied().unwrap_or(Part::Whole);
        }
        (batch.attempts, batch.bad_responses) = (self.failures, self.bad_responses);
        (batch.len() > 0).then_some(batch)
    }

    fn empty_batch(&self, generation: u32) -> Batch {
        let context = &self.writer.context;
        let created_at = Timestamp::of_clock(context.clock.wall());
        let info = BatchInfo { created_at, id: Uuid::new_v4() };
        Batch::new(&*context.envelope, info, generation, context.clock.now(), u64::MAX, Vec::new())
    }

    /// Reads one file into the batch; `None` if it cannot be used.
    fn read(&mut self, name: FileName, batch: &mut Batch, seen: &mut HashSet<Uuid>) -> Option<InHand> {
        let writer = Arc::clone(&self.writer);
        if name.tries >= POISON {
            self.set_aside(name, POISONED);
            return None;
        }
        let tried = {
            // Renamed and recorded under one lock, so a process that ends here gives back every file that it has begun.
            let mut files = writer.files.lock();
            if !files.may_begin() {
                return None;
            }
            let Ok(tried) = writer.bucket().set_tries(name, name.tries.saturating_add(1)) else {
                // Another process has taken it, or it cannot be renamed, in which case attempts could not be counted.
                files.remove(name);
                return None;
            };
            files.begin(tried);
            tried
        };
        match writer.bucket().read(tried) {
            Ok(contents) => {
                // A process that died while cleaning up may leave an event in two files; only one of them is sent.
                let fresh: Vec<_> = contents.events().filter(|(id, _)| seen.insert(*id)).collect();
                let events = fresh.len() as u64;
                {
                    let mut files = writer.files.lock();
                    if !files.is_begun(tried) {
                        // Given back, since this process is ending.
                        return None;
                    }
                    writer.take_in_hand(&mut files, tried, events);
                }
                for (id, event) in fresh {
                    batch.push_encoded(id, event);
                }
                Some(InHand { name: tried, events })
            }
            Err(Unreadable::Broken) => {
                writer.files.lock().drop_begun(tried);
                self.set_aside(tried, "it cannot be read");
                None
            }
            Err(Unreadable::Missing) => {
                let mut files = writer.files.lock();
                files.drop_begun(tried);
                files.remove(tried);
                None
            }
            Err(Unreadable::LaterVersion) => {
                self.skip.insert(tried.with_tries(0));
                writer.files.lock().drop_begun(tried);
                if let Ok(renamed) = writer.bucket().set_tries(tried, name.tries) {
                    writer.files.lock().rename(renamed);
                }
                None
            }
        }
    }

    /// Removes the files of the current batch, whose events are all settled.
    pub(crate) fn finished(&mut self) {
        let done = self.end();
        self.remove(&done);
    }

    /// Ends the current request, and returns its files, of which no event is counted as on disk any more. The thread
    /// that ends the process may have given them back a moment before the response came.
    fn end(&mut self) -> Vec<InHand> {
        let mut files = self.writer.files.lock();
        let (ended, mut current) = (files.end(), std::mem::take(&mut self.current));
        if !ended.is_empty() || self.writer.is_forgotten() {
            return ended;
        }
        for file in &mut current {
            file.name = file.name.with_tries(file.name.tries.saturating_sub(1));
            self.writer.context.counters.unspooled(file.events);
        }
        current
    }

    /// Keeps the files of the current batch, which could not be sent. Nothing is sent before this instant.
    pub(crate) fn failed(&mut self, batch: &Batch, until: Instant) {
        self.bad_responses = batch.bad_responses;
        let kept = self.writer.files.lock().end();
        self.cursor = kept.last().map(|file| file.name);
        self.writer.put_back(&kept);
        self.failures = self.failures.saturating_add(1);
        self.hold_until(until);
    }

    /// Keeps the files of the current batch, a part of a refused one, to be sent again after the other part.
    pub(crate) fn defer(&mut self, batch: &Batch) {
        let kept = self.writer.files.lock().end();
        self.cursor = kept.last().map(|file| file.name);
        self.parts.extend(kept.iter().map(|file| (file.name.with_tries(0), batch.part)));
        self.writer.put_back(&kept);
    }

    /// Keeps the files of the current batch unchanged.
    pub(crate) fn put_back(&mut self) {
        let kept = self.writer.files.lock().end();
        self.writer.put_back(&kept);
    }

    /// Handles a panic of the worker. Returns whether the current batch was from disk: its files stay, and the attempt
    /// counts, so a file that causes a panic every time is eventually set aside.
    pub(crate) fn panicked(&mut self) -> bool {
        let kept = self.writer.files.lock().end();
        self.writer.count_back(&kept);
        !kept.is_empty()
    }

    /// Returns what is lost of a batch that could not be sent: nothing, or all of it if it is no longer on disk.
    pub(crate) fn once(&self, batch: Batch) -> Vec<Batch> {
        if self.writer.context.spool.at_most_once { vec![batch] } else { Vec::new() }
    }

    /// Writes parts of the current batch to disk, and then removes the files with the whole. Returns the parts that
    /// could not be written.
    pub(crate) fn split(&mut self, parts: impl IntoIterator<Item = Batch>) -> Vec<Batch> {
        let whole = self.end();
        let created = whole.first().map(|file| file.name.created);
        let mut left = Vec::new();
        for (place, batch) in parts.into_iter().filter(|batch| batch.len() > 0).enumerate() {
            let part = batch.part;
            // Keeps the first part before the second.
            match self.writer.keep_as(batch, created.map(|created| created + place as u64)) {
                Ok(names) => self.parts.extend(names.into_iter().map(|name| (name.with_tries(0), part))),
                Err(batch) => left.push(*batch),
            }
        }
        self.remove(&whole);
        left
    }

    fn remove(&mut self, files: &[InHand]) {
        for InHand { name, .. } in files {
            if self.writer.bucket().remove(*name).is_err() {
                // It was sent but could not be removed. This process does not send it again; another one may.
                self.skip.insert(name.with_tries(0));
            } else {
                self.writer.files.lock().remove(*name);
            }
            self.parts.remove(&name.with_tries(0));
        }
    }
}
