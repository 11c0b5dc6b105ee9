//! A shard of the queue: a short lock around the segment that callers are filling.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::segment::{Segment, Stack};
use crate::event::EncodedEvent;

/// The number of shards in a queue. Threads are spread evenly over them, so two seldom share one. Sixteen shards
/// take two kilobytes, too little to justify asking for the number of cores at every start.
pub(super) const SHARDS: usize = 16;

/// The capacity of a shard's first segment, so a program with one event pays for no more.
pub(super) const FIRST_SEGMENT: usize = 4 * 1024;

/// The capacity of a segment in a busy queue. About 200 events then share one trip through the lock.
pub(super) const FULL_SEGMENT: usize = 64 * 1024;

thread_local! {
    /// This thread's shard, the same in every queue; `usize::MAX` before it is chosen.
    static SHARD: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Returns the number of the current thread's shard.
#[inline]
pub(super) fn of_this_thread() -> usize {
    SHARD.with(|shard| match shard.get() {
        usize::MAX => choose(shard),
        chosen => chosen,
    })
}

#[cold]
fn choose(shard: &Cell<usize>) -> usize {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let chosen = NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS;
    shard.set(chosen);
    chosen
}

/// A lock on its own cache lines, and what it guards.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Shard(pub(super) Mutex<Contents>);

/// The segments of a shard. Nothing is allocated or freed while their lock is held.
#[derive(Debug)]
pub(super) struct Contents {
    filling: Option<Box<Segment>>,
    /// Full segments, with the oldest at the bottom.
    full: Stack,
    /// The capacity of the next segment.
    capacity: usize,
    /// Events of generations before this one are rejected.
    closed_before: Option<u32>,
}

impl Default for Contents {
    fn default() -> Self {
        Self { filling: None, full: Stack::default(), capacity: FIRST_SEGMENT, closed_before: None }
    }
}

/// The result of an append.
pub(super) enum Append {
    Done,
    /// There is no room: try again with an empty segment of this capacity.
    NeedsSegment(usize),
    /// The event's generation has ended.
    Closed,
}

/// Returns whether generation `a` came before `b`. Generations wrap around after about a billion changes of
/// consent.
fn is_before(a: u32, b: u32) -> bool {
    a.wrapping_sub(b) > u32::MAX / 2
}

impl Contents {
    /// Appends an event of `size` bytes. Uses the `empty` segment if necessary, which must be large enough.
    #[inline]
    pub(super) fn append(
        &mut self,
        event: &EncodedEvent<'_>,
        size: usize,
        generation: u32,
        empty: &mut Option<Box<Segment>>,
    ) -> Append {
        if self.closed_before.is_some_and(|first| is_before(generation, first)) {
            return Append::Closed;
        }
        if let Some(filling) = &mut self.filling
            && filling.generation() == generation
            && filling.has_room_for(size)
        {
            filling.push(event);
            return Append::Done;
        }
        let Some(mut segment) = empty.take() else {
            return Append::NeedsSegment(self.capacity_for(size));
        };
        segment.reset(generation);
        segment.push(event);
        if let Some(full) = self.filling.replace(segment) {
            self.full.push(full);
            self.capacity = (self.capacity * 2).min(FULL_SEGMENT);
        }
        Append::Done
    }

    /// Large events get their own segment: no other event would fill the rest of a shared one.
    fn capacity_for(&self, size: usize) -> usize {
        if size > FULL_SEGMENT / 4 { size } else { self.capacity.max(size) }
    }

    /// Takes everything, with the newest segment on top.
    pub(super) fn take(&mut self) -> Stack {
        let mut all = std::mem::take(&mut self.full);
        match self.filling.take() {
            Some(filling) => all.push(filling),
            // Nothing was added since the last time, so the next burst may be small.
            None => self.capacity = FIRST_SEGMENT,
        }
        all
    }

    /// Rejects events of earlier generations from now on, and takes out those that are here.
    pub(super) fn close_before(&mut self, generation: u32) -> Stack {
        self.closed_before = Some(match self.closed_before {
            Some(known) if is_before(generation, known) => known,
            _ => generation,
        });
        let (mut over, mut newer) = (Stack::default(), Stack::default());
        let mut all = self.take();
        while let Some(segment) = all.pop() {
            let is_over = is_before(segment.generation(), generation);
            if is_over { over.push(segment) } else { newer.push(segment) }
        }
        while let Some(segment) = newer.pop() {
            self.full.push(segment);
        }
        over
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generations_are_ordered_across_the_wrap() {
        assert!(is_before(4, 8) && !is_before(8, 8) && !is_before(12, 8));
        assert!(is_before(u32::MAX - 3, 4) && !is_before(4, u32::MAX - 3));
    }

    #[test]
    fn closing_takes_ended_generations_and_keeps_the_others_in_order() {
        let mut contents = Contents::default();
        for (generation, id) in [(4, "\"a\""), (8, "\"b\""), (12, "\"c\""), (16, "\"d\"")] {
            let event = EncodedEvent::sample(id);
            let mut empty = Some(Box::new(Segment::with_capacity(event.size())));
            assert!(matches!(contents.append(&event, event.size(), generation, &mut empty), Append::Done));
        }
        let mut over = contents.close_before(12);
        let generations = |stack: &mut Stack| -> Vec<u32> {
            std::iter::from_fn(|| stack.pop()).map(|segment| segment.generation()).collect()
        };
        assert_eq!(generations(&mut over), [4, 8]);
        assert_eq!(generations(&mut contents.take()), [16, 12]);
        let event = EncodedEvent::sample("\"late\"");
        assert!(matches!(contents.append(&event, event.size(), 8, &mut None), Append::Closed));
        // Closing again for an older worker does not reopen anything.
        contents.close_before(4);
        assert!(matches!(contents.append(&event, event.size(), 8, &mut None), Append::Closed));
        assert!(matches!(contents.append(&event, event.size(), 12, &mut None), Append::NeedsSegment(_)));
    }
}
