//! Events on their way back from disk: which files make the next batch, and what becomes of them after its attempt.

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

/// How long another process is left to send before the lock is tried again.
const BUSY: Duration = Duration::from_millis(250);

/// Files that make one batch at most: so many have to be renamed when a process ends amid its request.
const MAX_FILES: usize = 50;

/// Why a file is set aside that ends each process which sends it.
const POISONED: &str = "was on its way each time a process ended";

/// What is to be done about the files on disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SpoolStep {
    /// Send the next.
    Send,
    /// Look again at this instant.
    At(Instant),
    /// Another process sends what there is; look again at this instant.
    Busy(Instant),
    /// There is nothing to send.
    Nothing,
}

/// The worker's hold on a bucket.
pub(crate) struct SpoolSender {
    writer: Arc<SpoolWriter>,
    /// There while this process is the one that sends, and only while something waits.
    lock: Option<LockedFile>,
    has_looked: bool,
    has_listed: bool,
    /// Files that this process does not send: of a later version, or sent and not to be removed.
    skip: HashSet<FileName>,
    /// The last file of a batch that has failed, which the next batch begins after.
    cursor: Option<FileName>,
    /// Files that hold a part of a batch which was refused. Each is sent alone, and what part it is decides whether it
    /// is cut again.
    parts: HashMap<FileName, Part>,
    /// The endpoint has failed: nothing is sent from disk before this instant.
    not_before: Option<Instant>,
    failures: u32,
    bad_responses: u32,
    /// Another process holds the lock, and is not asked for it before this instant.
    busy_until: Option<Instant>,
    /// Since when files of our own wait that no delivery has failed for.
    since: Option<Instant>,
    /// The endpoint refuses whatever is sent; all is kept for a later run.
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

    /// Returns whether the last attempt has failed, or the endpoint refuses whatever is sent.
    pub(crate) fn is_failing(&self) -> bool {
        self.is_refused || self.failures > 0
    }

    /// Keeps everything from now on: the endpoint does not know us.
    pub(crate) fn refuse(&mut self, status: Option<u16>) {
        if !self.is_refused {
            let status = status.map_or_else(String::new, |status| format!(" with status {status}"));
            log::warn!(
                target: "candor",
                "the endpoint refused events{status}: check endpoint and API key; events are kept on disk for a later run"
            );
        }
        self.is_refused = true;
        self.lock = None;
    }

    /// An attempt with a batch that does not come from disk has failed.
    pub(crate) fn failed_live(&mut self, batch: &Batch, until: Instant) {
        self.bad_responses = batch.bad_responses;
        self.failures = self.failures.saturating_add(1);
        self.hold_until(until);
    }

    /// Sends nothing from disk before this instant: the endpoint has failed.
    pub(crate) fn hold_until(&mut self, until: Instant) {
        self.not_before = Some(self.not_before.map_or(until, |known| known.max(until)));
    }

    /// The endpoint has just taken something: what waits may follow.
    pub(crate) fn release(&mut self) {
        (self.not_before, self.failures, self.bad_responses) = (None, 0, 0);
    }

    /// Describes what to do now. With `wants_all` a flush waits.
    pub(crate) fn next(&mut self, now: Instant, wants_all: bool) -> SpoolStep {
        if self.is_refused || !self.writer.is_on() {
            self.lock = None;
            return SpoolStep::Nothing;
        }
        if self.writer.context.spool.has_sender && !wants_all {
            // The process that this run starts at its end takes the lock, and must find it free.
            self.lock = None;
            return SpoolStep::Nothing;
        }
        if !self.has_looked {
            // Only after consent was asked: a worker exists under a grant alone.
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

    /// Returns whether nothing waits that could be sent before the deadline of a flush.
    pub(crate) fn is_settled(&mut self, now: Instant, deadline: Instant) -> bool {
        match self.next(now, true) {
            SpoolStep::Send => false,
            SpoolStep::At(at) => at > deadline,
            SpoolStep::Busy(_) | SpoolStep::Nothing => true,
        }
    }

    /// Until when files of our own are collected into one request, as events in the queue are.
    fn collects_until(&mut self, now: Instant, waiting: Waiting, wants_all: bool) -> Instant {
        let collects = self.writer.context.spool.durability != Durability::Sealed;
        if !collects || wants_all || waiting.has_older || waiting.events >= self.flush_at {
            return now;
        }
        later(*self.since.get_or_insert(now), self.interval)
    }

    /// Returns what may be sent now: for a tool that leaves its events to the next run, what earlier runs have left.
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

    /// Becomes the process that sends, and looks what there is. Returns whether that is so.
    fn take_lock(&mut self) -> bool {
        match self.writer.bucket().lock() {
            Ok(Lock::Held(file)) => self.lock = Some(file),
            Ok(Lock::Busy) if self.has_listed => return false,
            Ok(Lock::Busy) => {}
            Ok(Lock::Unsupported) | Err(_) => {
                log::debug!(target: "candor", "the events on disk cannot be locked: this process uses no spool");
                self.writer.turn_off();
            }
        }
        self.look();
        self.lock.is_some()
    }

    /// Lists the bucket, and does what the plan says if this process is the one that sends.
    fn look(&mut self) {
        self.has_listed = true;
        // Locked from the look to its end: a file that is finished meanwhile is added after it, and not forgotten.
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

    /// Moves a file out of the way and counts its events.
    fn set_aside(&mut self, name: FileName, why: &str) {
        let bucket = self.writer.bucket();
        let is_moved = bucket.set_aside(name).is_ok() || bucket.remove(name).is_ok();
        if !is_moved {
            self.skip.insert(name.with_tries(0));
        }
        log::warn!(target: "candor", "a file of {} events on disk {why}: it is set aside", name.events);
        let lost = self.count_removed(name);
        self.writer.report(&DeliveryError::unsent(LossReason::SpoolDamaged, lost, Vec::new()));
    }

    /// Counts the events of a file that is gone from the bucket; returns how many.
    fn count_removed(&self, name: FileName) -> u64 {
        let mut files = self.writer.files.lock();
        let events = self.writer.take_in_hand(&mut files, name, name.events.into());
        files.remove(name);
        events
    }

    /// Reads the next files into a batch. `None` if none of them can be used.
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

    /// Reads one file into the batch. Returns its name while it is under way.
    fn read(&mut self, name: FileName, batch: &mut Batch, seen: &mut HashSet<Uuid>) -> Option<InHand> {
        let writer = Arc::clone(&self.writer);
        if name.tries >= POISON {
            self.set_aside(name, POISONED);
            return None;
        }
        let tried = {
            // Renamed and noted in one step: a process that ends here gives back every file that it has begun.
            let mut files = writer.files.lock();
            if !files.may_begin() {
                return None;
            }
            let Ok(tried) = writer.bucket().set_tries(name, name.tries.saturating_add(1)) else {
                // Another process has taken it, or nothing can be renamed here: then an attempt could not be counted.
                files.remove(name);
                return None;
            };
            files.begin(tried);
            tried
        };
        match writer.bucket().read(tried) {
            Ok(contents) => {
                // The same event twice, of a process that died amid its cleaning up: one of them is sent.
                let fresh: Vec<_> = contents.events().filter(|(id, _)| seen.insert(*id)).collect();
                let events = fresh.len() as u64;
                {
                    let mut files = writer.files.lock();
                    if !files.is_begun(tried) {
                        // Given back, since this process ends.
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
                self.set_aside(tried, "cannot be read");
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

    /// All events of the batch under way have come to their end: its files go.
    pub(crate) fn finished(&mut self) {
        let done = self.writer.files.lock().end();
        self.remove(&done);
    }

    /// The batch under way could not be sent: its files stay, and nothing is sent before the instant.
    pub(crate) fn failed(&mut self, batch: &Batch, until: Instant) {
        self.bad_responses = batch.bad_responses;
        let kept = self.writer.files.lock().end();
        self.cursor = kept.last().map(|file| file.name);
        self.writer.put_back(&kept);
        self.failures = self.failures.saturating_add(1);
        self.hold_until(until);
    }

    /// The batch under way, a part of one that was refused, is sent again after the other part.
    pub(crate) fn defer(&mut self, batch: &Batch) {
        let kept = self.writer.files.lock().end();
        self.cursor = kept.last().map(|file| file.name);
        self.parts.extend(kept.iter().map(|file| (file.name.with_tries(0), batch.part)));
        self.writer.put_back(&kept);
    }

    /// The batch under way stays on disk as it is.
    pub(crate) fn put_back(&mut self) {
        let kept = self.writer.files.lock().end();
        self.writer.put_back(&kept);
    }

    /// The worker panicked. Returns whether it had a batch of ours in hand: its files stay, and the attempt counts, so
    /// that a file which does this every time is set aside.
    pub(crate) fn panicked(&mut self) -> bool {
        let kept = self.writer.files.lock().end();
        for InHand { events, .. } in &kept {
            self.writer.context.counters.spooled(*events);
        }
        !kept.is_empty()
    }

    /// Returns what is lost of a batch that could not be sent: all of it if it is no longer on disk.
    pub(crate) fn once(&self, batch: Batch) -> Vec<Batch> {
        if self.writer.context.spool.at_most_once { vec![batch] } else { Vec::new() }
    }

    /// Writes parts of the batch under way back, before the files go that held the whole. Returns the parts that
    /// could not be written.
    pub(crate) fn split(&mut self, parts: impl IntoIterator<Item = Batch>) -> Vec<Batch> {
        let whole = self.writer.files.lock().end();
        let created = whole.first().map(|file| file.name.created);
        let mut left = Vec::new();
        for (place, batch) in parts.into_iter().filter(|batch| batch.len() > 0).enumerate() {
            let part = batch.part;
            // The first part stays before the second.
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
                // Sent, and still there: another process may send it again, this one does not.
                self.skip.insert(name.with_tries(0));
            } else {
                self.writer.files.lock().remove(*name);
            }
            self.parts.remove(&name.with_tries(0));
        }
    }
}
