//! The segments that the worker has taken from the queue but not yet written into batches.

use std::collections::VecDeque;

use super::segment::Segment;
use super::{Queue, QueueDepth, depth_of};
use crate::event::EncodedEvent;

/// Segments in order, and the position of the next event in the first one.
#[derive(Debug, Default)]
pub(crate) struct Backlog {
    segments: VecDeque<Box<Segment>>,
    /// The position of the event that the last step returned, and of the next one.
    current: usize,
    next: usize,
    /// The number of remaining events.
    events: u64,
}

impl Backlog {
    /// Takes everything from the queue. Events captured before this call come before all later ones.
    pub(crate) fn collect(&mut self, queue: &Queue) {
        let mut taken = Vec::new();
        queue.take_segments(|mut segments| {
            while let Some(segment) = segments.pop() {
                self.events += u64::from(segment.len());
                taken.push(segment);
            }
            // The newest segment was on top.
            self.segments.extend(taken.drain(..).rev());
        });
    }

    /// Takes more only if the queue holds a batch beyond what is `taken` but not yet released. Otherwise a worker
    /// that is faster than its callers would take every event in a separate segment.
    pub(crate) fn collect_batch(&mut self, queue: &Queue, taken: QueueDepth) {
        if self.events == 0 && queue.has_batch_beyond(taken) {
            self.collect(queue);
        }
    }

    /// Returns the number of remaining events.
    pub(crate) fn len(&self) -> u64 {
        self.events
    }

    /// Called between two segments. Recycles the finished one, drops following segments of other generations, and
    /// returns the depth of what was dropped.
    pub(crate) fn skip_stale(&mut self, queue: &Queue, generation: u32) -> QueueDepth {
        let mut stale = QueueDepth::default();
        if self.segments.front().is_some_and(|segment| segment.bytes().len() <= self.next) {
            self.drop_front(queue);
        }
        while self.segments.front().is_some_and(|segment| segment.generation() != generation) {
            stale = stale.plus(self.drop_front(queue));
        }
        stale
    }

    /// Returns whether the next event, if any, is the first of its segment.
    #[inline]
    pub(crate) fn is_between_segments(&self) -> bool {
        self.next == 0 || self.segments.front().is_none_or(|segment| segment.bytes().len() <= self.next)
    }

    /// Advances to the next event of this segment, and returns it.
    #[inline]
    pub(crate) fn next(&mut self) -> Option<EncodedEvent<'_>> {
        let event = self.segments.front()?.event_at(self.next)?;
        (self.current, self.next) = (self.next, self.next + event.size());
        self.events -= 1;
        Some(event)
    }

    /// Undoes the last step.
    pub(crate) fn step_back(&mut self) {
        if self.current != self.next {
            self.next = self.current;
            self.events += 1;
        }
    }

    /// Drops everything, and returns its depth.
    pub(crate) fn clear(&mut self, queue: &Queue) -> QueueDepth {
        let mut dropped = QueueDepth::default();
        while !self.segments.is_empty() {
            dropped = dropped.plus(self.drop_front(queue));
        }
        dropped
    }

    /// Recycles the first segment, and returns the depth of what remained in it.
    fn drop_front(&mut self, queue: &Queue) -> QueueDepth {
        let Some(segment) = self.segments.pop_front() else { return QueueDepth::default() };
        let mut ahead = depth_of(&segment);
        if self.next > 0 {
            // The segment was started, so its remaining events are counted one by one.
            ahead = QueueDepth::default();
            let mut at = self.next;
            while let Some(event) = segment.event_at(at) {
                at += event.size();
                ahead = ahead.plus(QueueDepth { events: 1, bytes: event.size() as u64 });
            }
        }
        self.events -= ahead.events;
        (self.current, self.next) = (0, 0);
        queue.recycle(segment);
        ahead
    }
}
