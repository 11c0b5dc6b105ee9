//! The queue between the callers' threads and the worker, bounded by events and by bytes.
//!
//! A caller copies its encoded event into the segment of its thread's shard, under a lock that is held only for
//! that copy. The worker takes the segments, walks them and returns them empty. When the queue is full, the newest
//! event is rejected. A caller never waits, unless the application chose a bounded wait.

mod backlog;
mod depth;
mod segment;
mod shard;
pub(crate) mod spool;
mod waiters;

use std::process;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::{Mutex, MutexGuard};

use crate::clock::later;
use crate::event::EncodedEvent;
use depth::DepthCounter;
use segment::{Segment, Stack};
use shard::{Append, Contents, FULL_SEGMENT, SHARDS, Shard};
use waiters::Waiters;

pub(crate) use backlog::Backlog;
pub(crate) use depth::QueueDepth;

/// The size of the empty segments that are kept when the worker is idle.
const KEPT_WHEN_IDLE: usize = 512 * 1024;

/// The bounded queue, and the signal that wakes the worker.
#[derive(Debug)]
pub(crate) struct Queue {
    depth: DepthCounter,
    shards: [Shard; SHARDS],
    limits: Limits,
    /// Segments that the worker has emptied, for callers to fill again.
    empty: (Sender<Box<Segment>>, Receiver<Box<Segment>>),
    /// The memory of all segments in bytes: full, partly filled and empty.
    allocated: AtomicUsize,
    wake: Sender<()>,
    wake_signal: Receiver<()>,
    owner_pid: u32,
    /// The threads that would wait for themselves: the worker, and the thread that sends for it.
    workers: Mutex<[Option<ThreadId>; 2]>,
    is_full: AtomicBool,
    waiters: Waiters,
}

/// The limits of the queue, and the depths at which the worker is woken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) events: u64,
    pub(crate) bytes: u64,
    pub(crate) wake_events: u64,
    pub(crate) wake_bytes: u64,
    /// The depth from which queued events are written to disk; `None` without a spool.
    pub(crate) spill: Option<QueueDepth>,
}

impl Limits {
    /// Returns three quarters of the limits.
    pub(crate) fn nearly_full(self) -> QueueDepth {
        let most = |limit: u64| limit - limit / 4;
        QueueDepth { events: most(self.events), bytes: most(self.bytes) }
    }
}

/// The reason why an event was not queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The queue has no room.
    Full,
    /// Its generation has ended, and no worker takes it any more.
    Closed,
}

impl Queue {
    pub(crate) fn new(limits: Limits) -> Self {
        let (wake, wake_signal) = bounded(1);
        // Empty segments are kept up to the byte limit of the queue; small ones are replaced by large ones.
        let kept = usize::try_from(limits.bytes).unwrap_or(usize::MAX) / FULL_SEGMENT;
        Self {
            depth: DepthCounter::default(),
            shards: Default::default(),
            limits,
            empty: bounded(kept.clamp(8, 1024)),
            allocated: AtomicUsize::new(0),
            wake,
            wake_signal,
            owner_pid: process::id(),
            workers: Mutex::new([None; 2]),
            is_full: AtomicBool::new(false),
            waiters: Waiters::default(),
        }
    }

    /// Queues an event of a consent generation. Fails if there is no room or the generation has ended.
    #[inline]
    pub(crate) fn push(&self, event: &EncodedEvent<'_>, generation: u32) -> Result<(), Refused> {
        let size = event.size();
        let bytes = size as u64;
        let before = self.depth.add(bytes);
        let after = QueueDepth { events: before.events + 1, bytes: before.bytes + bytes };
        let crossed = |line: u64, from: u64, to: u64| from < line && to >= line;
        let wakes = before.events == 0
            || crossed(self.limits.wake_events, before.events, after.events)
            || crossed(self.limits.wake_bytes, before.bytes, after.bytes)
            || self.limits.spill.is_some_and(|spill| {
                crossed(spill.events, before.events, after.events)
                    || crossed(spill.bytes, before.bytes, after.bytes)
            });
        let result = if after.events > self.limits.events || after.bytes > self.limits.bytes {
            Err(Refused::Full)
        } else {
            self.append(event, size, generation)
        };
        if result.is_err() {
            self.depth.subtract(QueueDepth { events: 1, bytes });
        }
        // Even if it was rejected: while it was counted, another push may have seen a threshold as already crossed,
        // and its event would stay unseen.
        if wakes {
            self.wake();
        }
        result
    }

    #[inline]
    fn append(&self, event: &EncodedEvent<'_>, size: usize, generation: u32) -> Result<(), Refused> {
        let Some(shard) = self.shards.get(shard::of_this_thread()) else { return Err(Refused::Full) };
        let Some(mut contents) = self.lock(shard) else { return Err(Refused::Full) };
        match contents.append(event, size, generation, &mut None) {
            Append::Done => Ok(()),
            Append::Closed => Err(Refused::Closed),
            Append::NeedsSegment(capacity) => {
                drop(contents);
                self.append_with(self.empty_segment(capacity, size), shard, event, size, generation)
            }
        }
    }

    #[inline(never)]
    fn append_with(
        &self,
        segment: Box<Segment>,
        shard: &Shard,
        event: &EncodedEvent<'_>,
        size: usize,
        generation: u32,
    ) -> Result<(), Refused> {
        let mut empty = Some(segment);
        let appended = self.lock(shard).map(|mut shard| shard.append(event, size, generation, &mut empty));
        if let Some(unused) = empty {
            // Another thread was faster, or the queue was closed.
            self.recycle(unused);
        }
        match appended {
            Some(Append::Done) => Ok(()),
            Some(Append::Closed) => Err(Refused::Closed),
            Some(Append::NeedsSegment(_)) | None => Err(Refused::Full),
        }
    }

    /// Locks a shard. A forked child only tries: the thread that holds the lock may not exist there.
    #[inline]
    fn lock<'q>(&self, shard: &'q Shard) -> Option<MutexGuard<'q, Contents>> {
        shard.0.try_lock().or_else(|| self.is_ours().then(|| shard.0.lock()))
    }

    /// Returns an empty segment, used or new. A new one is no larger than the event if the segments already use as
    /// much memory as the queue may hold.
    #[expect(clippy::unnecessary_box_returns, reason = "the box of a used segment is reused too")]
    fn empty_segment(&self, capacity: usize, size: usize) -> Box<Segment> {
        // In a forked child the channel may be left in the middle of an operation forever.
        while let Some(segment) = self.is_ours().then(|| self.empty.1.try_recv().ok()).flatten() {
            if segment.capacity() >= capacity {
                return segment;
            }
            self.free(segment);
        }
        let left = self.byte_limit().saturating_sub(self.allocated.load(Ordering::Relaxed));
        let segment = Box::new(Segment::with_capacity(capacity.min(left).max(size)));
        self.allocated.fetch_add(segment.capacity(), Ordering::Relaxed);
        segment
    }

    /// Keeps an empty segment for the next caller that needs one, within the byte limit of the queue.
    fn recycle(&self, mut segment: Box<Segment>) {
        segment.reset(0);
        let is_usual = segment.capacity() <= FULL_SEGMENT;
        let is_within = self.allocated.load(Ordering::Relaxed) <= self.byte_limit();
        if !is_usual || !is_within || !self.is_ours() {
            self.free(segment);
        } else if let Err(full) = self.empty.0.try_send(segment) {
            self.free(full.into_inner());
        }
    }

    fn free(&self, segment: Box<Segment>) {
        self.allocated.fetch_sub(segment.capacity(), Ordering::Relaxed);
        drop(segment);
    }

    fn byte_limit(&self) -> usize {
        usize::try_from(self.limits.bytes).unwrap_or(usize::MAX)
    }

    /// Frees most of the empty segments while there is nothing to do.
    pub(crate) fn rest(&self) {
        while self.allocated.load(Ordering::Relaxed) > KEPT_WHEN_IDLE {
            let Ok(segment) = self.empty.1.try_recv() else { return };
            self.free(segment);
        }
    }

    /// Takes the segments of all shards, each shard's in order, and passes them to `keep`.
    fn take_segments(&self, mut keep: impl FnMut(Stack)) {
        for shard in &self.shards {
            if let Some(mut shard) = self.lock(shard) {
                let taken = shard.take();
                drop(shard);
                keep(taken);
            }
        }
    }

    /// Records that an event was lost because the queue was full. Returns whether it is the first of this episode.
    pub(crate) fn mark_full(&self) -> bool {
        !self.is_full.swap(true, Ordering::Relaxed)
    }

    /// Returns whether this process created the queue, and not the parent of a fork.
    pub(crate) fn is_ours(&self) -> bool {
        self.owner_pid == process::id()
    }

    /// Records that the current thread is the one that takes the events.
    pub(crate) fn worked_by_this_thread(&self) {
        *self.workers.lock() = [Some(thread::current().id()), None];
    }

    /// Records that the current thread sends for the one that takes the events.
    pub(crate) fn helped_by_this_thread(&self) {
        let [_, helper] = &mut *self.workers.lock();
        *helper = Some(thread::current().id());
    }

    /// Returns whether the current thread is one of these two.
    pub(crate) fn is_worked_by_this_thread(&self) -> bool {
        self.is_ours() && self.workers.lock().contains(&Some(thread::current().id()))
    }

    /// Returns whether the current thread may wait for room. A thread that has to make the room must not wait for
    /// it.
    pub(crate) fn may_wait(&self) -> bool {
        self.is_ours() && !self.is_worked_by_this_thread()
    }

    /// Wakes the worker, unless it belongs to the parent of this forked process.
    #[cold]
    pub(crate) fn wake(&self) {
        if self.is_ours() {
            // A signal that is already pending is enough.
            let _ = self.wake.try_send(());
        }
    }

    /// Waits until half of the queue is free again, for at most `timeout`.
    ///
    /// It waits for half of the queue rather than for one place because a caller that waited for each place would
    /// pay for a context switch with every event.
    #[cold]
    pub(crate) fn wait_for_room(&self, timeout: Duration, still_wanted: impl Fn() -> bool) {
        if self.may_wait() {
            let deadline = later(Instant::now(), timeout);
            // A worker that waits for a batch to fill must learn that it will fill no further.
            self.waiters.wait(deadline, || self.wake(), || self.is_half_empty() || !still_wanted());
        }
    }

    /// Returns whether a caller is waiting for room.
    pub(crate) fn is_waited_for(&self) -> bool {
        self.waiters.any()
    }

    /// Makes callers that wait for room check again.
    pub(crate) fn notify_waiters(&self) {
        self.waiters.notify();
    }

    fn is_half_empty(&self) -> bool {
        let depth = self.depth();
        depth.events <= self.limits.events / 2 && depth.bytes <= self.limits.bytes / 2
    }

    /// Returns the depth of the queue. Events that were taken count until they are [released](Self::release).
    pub(crate) fn depth(&self) -> QueueDepth {
        self.depth.get()
    }

    /// Returns whether the queue is so full that events should go to disk.
    pub(crate) fn spills(&self) -> bool {
        let depth = self.depth();
        self.limits.spill.is_some_and(|spill| depth.events >= spill.events || depth.bytes >= spill.bytes)
    }

    /// Returns how many of the oldest events have to leave so that half of the queue is free; with events of different
    /// sizes, about how many.
    pub(crate) fn over_half(&self) -> u64 {
        let (depth, Limits { events, bytes, .. }) = (self.depth(), self.limits);
        let by_bytes = u128::from(depth.events) * u128::from(depth.bytes.saturating_sub(bytes / 2));
        let by_bytes = u64::try_from(by_bytes.div_ceil(depth.bytes.max(1).into())).unwrap_or(u64::MAX);
        depth.events.saturating_sub(events / 2).max(by_bytes)
    }

    /// Returns whether the queue holds enough beyond `taken` to fill a batch.
    fn has_batch_beyond(&self, taken: QueueDepth) -> bool {
        let depth = self.depth();
        depth.events.saturating_sub(taken.events) >= self.limits.wake_events
            || depth.bytes.saturating_sub(taken.bytes) >= self.limits.wake_bytes
    }

    /// Releases the room of events that were taken.
    pub(crate) fn release(&self, taken: QueueDepth) {
        self.depth.subtract(taken);
        if self.is_full.load(Ordering::Relaxed) && self.is_half_empty() {
            self.is_full.store(false, Ordering::Relaxed);
        }
        if self.waiters.any() && self.is_half_empty() {
            self.waiters.notify();
        }
    }

    /// Removes everything, and returns how many events that were.
    pub(crate) fn purge(&self) -> u64 {
        let mut dropped = 0;
        self.take_segments(|segments| dropped += self.discard(segments));
        dropped
    }

    /// Rejects events of earlier generations from now on, drops those that are queued, and returns how many. The
    /// locks of the shards order this with every push: a later push is rejected.
    pub(crate) fn close_before(&self, generation: u32) -> u64 {
        let close = |shard| self.lock(shard).map(|mut shard| shard.close_before(generation));
        self.shards.iter().filter_map(close).map(|over| self.discard(over)).sum()
    }

    fn discard(&self, mut segments: Stack) -> u64 {
        let mut dropped = QueueDepth::default();
        while let Some(segment) = segments.pop() {
            dropped = dropped.plus(depth_of(&segment));
            self.recycle(segment);
        }
        self.release(dropped);
        dropped.events
    }

    /// Returns the channel that wakes the worker.
    pub(crate) fn wake_signal(&self) -> &Receiver<()> {
        &self.wake_signal
    }
}

/// Returns what a segment adds to the depth of the queue.
fn depth_of(segment: &Segment) -> QueueDepth {
    QueueDepth { events: segment.len().into(), bytes: segment.bytes().len() as u64 }
}

#[cfg(test)]
mod tests;
