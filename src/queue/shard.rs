//! One of the places where callers leave their events: a short lock around the segment that is being filled.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

use super::segment::{Segment, Stack};
use crate::event::EncodedEvent;

/// How many shards a queue has. Threads are spread evenly over them, so that seldom two meet in one; that many take
/// two kilobytes, which is not worth asking the machine for its cores at every start.
pub(super) const SHARDS: usize = 16;

/// The capacity of a shard's first segment: a program with one event pays for no more.
pub(super) const FIRST_SEGMENT: usize = 4 * 1024;

/// The capacity of a segment in a busy queue: some 200 events share the way through the lock.
pub(super) const FULL_SEGMENT: usize = 64 * 1024;

thread_local! {
    /// This thread's shard, the same in every queue; `usize::MAX` before the first use.
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

/// A lock on cache lines of its own, and what it guards.
#[derive(Debug, Default)]
#[repr(align(128))]
pub(super) struct Shard(pub(super) Mutex<Contents>);

/// The segments of a shard. Nothing is allocated or freed while the lock around them is held.
#[derive(Debug)]
pub(super) struct Contents {
    filling: Option<Box<Segment>>,
    /// Segments that are full, the oldest at the bottom.
    full: Stack,
    /// The capacity of the next segment.
    capacity: usize,
    /// Events of generations before this one come too late.
    closed_before: Option<u32>,
}

impl Default for Contents {
    fn default() -> Self {
        Self { filling: None, full: Stack::default(), capacity: FIRST_SEGMENT, closed_before: None }
    }
}

/// What an append came to.
pub(super) enum Append {
    Done,
    /// It has no room: come again with an empty segment of this capacity.
    NeedsSegment(usize),
    /// The event's generation is over.
    Closed,
}

/// Returns whether generation `a` came before `b`. They wrap around after a thousand million changes of consent.
fn is_before(a: u32, b: u32) -> bool {
    a.wrapping_sub(b) > u32::MAX / 2
}

impl Contents {
    /// Appends an event of `size` bytes; takes the `empty` segment, which is large enough, if it needs it.
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

    /// Large events get a segment of their own: no other would fill what is left of it.
    fn capacity_for(&self, size: usize) -> usize {
        if size > FULL_SEGMENT / 4 { size } else { self.capacity.max(size) }
    }

    /// Takes everything out, the newest on top.
    pub(super) fn take(&mut self) -> Stack {
        let mut all = std::mem::take(&mut self.full);
        match self.filling.take() {
            Some(filling) => all.push(filling),
            // Nothing came since the last time: the next burst may be small.
            None => self.capacity = FIRST_SEGMENT,
        }
        all
    }

    /// Refuses events of generations before this one from now on, and takes out those that are here.
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
    fn generations_are_ordered_where_they_wrap_around() {
        assert!(is_before(4, 8) && !is_before(8, 8) && !is_before(12, 8));
        assert!(is_before(u32::MAX - 3, 4) && !is_before(4, u32::MAX - 3));
    }

    #[test]
    fn closing_takes_what_is_over_and_keeps_the_order_of_the_rest() {
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
        // Closing again for an older worker opens nothing.
        contents.close_before(4);
        assert!(matches!(contents.append(&event, event.size(), 8, &mut None), Append::Closed));
        assert!(matches!(contents.append(&event, event.size(), 12, &mut None), Append::NeedsSegment(_)));
    }
}
