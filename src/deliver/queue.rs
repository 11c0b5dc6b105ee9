//! The wall between the callers' threads and the worker's: one bounded channel.
//!
//! Never lets a caller wait, unless the application chose a bounded wait.

use std::process;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use parking_lot::{Condvar, Mutex};

use crate::clock::later;
use crate::event::EncodedEvent;

/// Events and bytes in one word, so that a push counts both with one atomic addition: the events above
/// bit 40, the bytes below.
const ONE_EVENT: u64 = 1 << 40;
const BYTES: u64 = ONE_EVENT - 1;

/// More slots than the channel is ever allowed to fill. In a forked child a slot may stay half read for
/// ever, and a push that came round to it would spin; it never comes round.
const SPARE_SLOTS: usize = 8;

/// The bounded queue, and what wakes the worker.
#[derive(Debug)]
pub(crate) struct Queue {
    sender: Sender<EncodedEvent>,
    receiver: Receiver<EncodedEvent>,
    depth: AtomicU64,
    limits: Limits,
    wake: Sender<()>,
    wake_signal: Receiver<()>,
    owner_pid: u32,
    /// The worker's thread, which would wait for itself.
    worker: Mutex<Option<ThreadId>>,
    is_full: AtomicBool,
    is_closed: AtomicBool,
    waiting: AtomicUsize,
    room: Mutex<()>,
    has_room: Condvar,
}

/// The bounds of the queue, and the levels at which the worker is woken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) events: u64,
    pub(crate) bytes: u64,
    pub(crate) wake_events: u64,
    pub(crate) wake_bytes: u64,
}

/// How much lies in the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct QueueDepth {
    pub(crate) events: u64,
    pub(crate) bytes: u64,
}

impl QueueDepth {
    fn of(word: u64) -> Self {
        Self { events: word >> 40, bytes: word & BYTES }
    }

    fn word(self) -> u64 {
        (self.events << 40) + self.bytes
    }
}

impl Queue {
    pub(crate) fn new(limits: Limits) -> Self {
        let slots = usize::try_from(limits.events).unwrap_or(usize::MAX).saturating_add(SPARE_SLOTS);
        let (sender, receiver) = bounded(slots);
        let (wake, wake_signal) = bounded(1);
        Self {
            sender,
            receiver,
            depth: AtomicU64::new(0),
            limits,
            wake,
            wake_signal,
            owner_pid: process::id(),
            worker: Mutex::new(None),
            is_full: AtomicBool::new(false),
            is_closed: AtomicBool::new(false),
            waiting: AtomicUsize::new(0),
            room: Mutex::new(()),
            has_room: Condvar::new(),
        }
    }

    /// Pushes a record, or hands it back where the queue is full.
    #[inline]
    pub(crate) fn push(&self, encoded: EncodedEvent) -> Result<(), EncodedEvent> {
        let weight = encoded.weight() as u64;
        let before = QueueDepth::of(self.depth.fetch_add(ONE_EVENT + weight, Ordering::AcqRel));
        let after = QueueDepth { events: before.events + 1, bytes: before.bytes + weight };
        let crossed = |line: u64, from: u64, to: u64| from < line && to >= line;
        let wakes = before.events == 0
            || crossed(self.limits.wake_events, before.events, after.events)
            || crossed(self.limits.wake_bytes, before.bytes, after.bytes);
        if after.events > self.limits.events || after.bytes > self.limits.bytes {
            return Err(self.refuse(encoded, weight, wakes));
        }
        if let Err(TrySendError::Full(encoded) | TrySendError::Disconnected(encoded)) =
            self.sender.try_send(encoded)
        {
            return Err(self.refuse(encoded, weight, wakes));
        }
        if wakes {
            self.wake();
        }
        Ok(())
    }

    /// Takes back what a push has counted. Had that crossed a line, then a push that came between has not, and its
    /// event would lie there unseen: so the worker is woken all the same.
    #[cold]
    fn refuse(&self, encoded: EncodedEvent, weight: u64, wakes: bool) -> EncodedEvent {
        self.depth.fetch_sub(ONE_EVENT + weight, Ordering::AcqRel);
        if wakes {
            self.wake();
        }
        encoded
    }

    /// Notes that an event was lost to a full queue; returns whether it is the first of this episode.
    pub(crate) fn mark_full(&self) -> bool {
        !self.is_full.swap(true, Ordering::Relaxed)
    }

    /// Returns whether this process made the queue, and not the parent of a fork.
    pub(crate) fn is_ours(&self) -> bool {
        self.owner_pid == process::id()
    }

    /// Notes that the current thread is the one that takes the records.
    pub(crate) fn worked_by_this_thread(&self) {
        *self.worker.lock() = Some(thread::current().id());
    }

    /// Returns whether the current thread may wait for room, which it cannot where it has to make it.
    pub(crate) fn may_wait(&self) -> bool {
        self.is_ours() && *self.worker.lock() != Some(thread::current().id())
    }

    /// Wakes the worker, unless it belongs to the parent of this forked process.
    #[cold]
    pub(crate) fn wake(&self) {
        if self.is_ours() {
            // A token that lies there already says the same.
            let _ = self.wake.try_send(());
        }
    }

    /// Waits until half of the queue is free again; at the most until `deadline`.
    ///
    /// Half, and not one slot: a caller that waits for each slot would pay for a change of threads with
    /// every event.
    #[cold]
    pub(crate) fn wait_for_room(&self, timeout: Duration, still_wanted: impl Fn() -> bool) {
        if !self.may_wait() {
            return;
        }
        let deadline = later(Instant::now(), timeout);
        self.waiting.fetch_add(1, Ordering::AcqRel);
        // A worker that waits for a batch to fill must know that it fills no further.
        self.wake();
        let mut room = self.room.lock();
        while !self.is_half_empty() && still_wanted() {
            if self.has_room.wait_until(&mut room, deadline).timed_out() {
                break;
            }
        }
        drop(room);
        self.waiting.fetch_sub(1, Ordering::AcqRel);
    }

    /// Returns whether a caller waits for room.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.waiting.load(Ordering::Acquire) > 0
    }

    fn is_half_empty(&self) -> bool {
        let depth = self.depth();
        depth.events <= self.limits.events / 2 && depth.bytes <= self.limits.bytes / 2
    }

    /// Returns how much lies in the queue.
    pub(crate) fn depth(&self) -> QueueDepth {
        QueueDepth::of(self.depth.load(Ordering::Acquire))
    }

    /// Returns how many records can be taken right now.
    pub(crate) fn len(&self) -> usize {
        self.receiver.len()
    }

    /// Takes the oldest record; its bytes count until they are [released](Self::release).
    pub(crate) fn pop(&self) -> Option<EncodedEvent> {
        self.receiver.try_recv().ok()
    }

    /// Gives back the room of records that were taken.
    pub(crate) fn release(&self, taken: QueueDepth) {
        self.depth.fetch_sub(taken.word(), Ordering::AcqRel);
        if self.is_full.load(Ordering::Relaxed) && self.is_half_empty() {
            self.is_full.store(false, Ordering::Relaxed);
        }
        if self.waiting.load(Ordering::Acquire) > 0 && self.is_half_empty() {
            self.notify_waiters();
        }
    }

    /// Lets callers that wait for room look again.
    pub(crate) fn notify_waiters(&self) {
        drop(self.room.lock());
        self.has_room.notify_all();
    }

    /// Takes everything out and returns how many events that were.
    pub(crate) fn purge(&self) -> u64 {
        let mut taken = QueueDepth::default();
        // Bounded, so that callers who push meanwhile cannot keep this going.
        for _ in 0..=self.len() {
            let Some(encoded) = self.pop() else { break };
            taken.events += 1;
            taken.bytes += encoded.weight() as u64;
        }
        self.release(taken);
        taken.events
    }

    /// Notes whether a worker empties the queue; without one, whoever pushes last empties it.
    pub(crate) fn set_closed(&self, is_closed: bool) {
        self.is_closed.store(is_closed, Ordering::SeqCst);
    }

    /// Returns whether no worker empties the queue any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }

    /// The channel that wakes the worker.
    pub(crate) fn wake_signal(&self) -> &Receiver<()> {
        &self.wake_signal
    }
}

#[cfg(test)]
mod tests;
