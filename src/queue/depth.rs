//! The depth of the queue: events and bytes in one word, so a push counts both with one addition.

use std::sync::atomic::{AtomicU64, Ordering};

/// Events are counted from bit 40 upwards, bytes below it.
const ONE_EVENT: u64 = 1 << 40;
const BYTES: u64 = ONE_EVENT - 1;

/// The number of events and bytes in the queue.
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

    /// Returns the sum of both depths.
    pub(crate) fn plus(self, more: Self) -> Self {
        Self { events: self.events + more.events, bytes: self.bytes + more.bytes }
    }
}

/// The counter that all pushes share.
#[derive(Debug, Default)]
#[repr(align(128))] // On its own cache line, because every push writes it.
pub(crate) struct DepthCounter(AtomicU64);

impl DepthCounter {
    /// Adds one event of `bytes` bytes, and returns the depth before it.
    #[inline]
    pub(crate) fn add(&self, bytes: u64) -> QueueDepth {
        QueueDepth::of(self.0.fetch_add(ONE_EVENT + bytes, Ordering::AcqRel))
    }

    pub(crate) fn subtract(&self, depth: QueueDepth) {
        self.0.fetch_sub(depth.word(), Ordering::AcqRel);
    }

    pub(crate) fn get(&self) -> QueueDepth {
        QueueDepth::of(self.0.load(Ordering::Acquire))
    }
}
