//! Decides when to build a batch, when to retry one and when to sleep. Never touches the queue, a socket or a clock.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::batch::Batch;
use crate::clock::later;
use crate::queue::QueueDepth;
use crate::settings::{Batching, Retry};

/// What the worker does next.
#[derive(Debug)]
pub(crate) enum Step {
    /// Send this batch.
    Send(Batch),
    /// Build a batch from the queue.
    Build,
    /// Sleep until this instant, or until something happens if there is none.
    Wait(Option<Instant>),
}

/// How urgently queued events are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FlushMode {
    /// Batches are built by size and interval.
    Normal,
    /// A flush is waiting: queued events are sent now, as long as there is room to keep batches that fail.
    Flush,
    /// The worker is shutting down: everything is sent now.
    Shutdown,
}

/// The batches that wait for their next attempt, and the rules for size and interval.
#[derive(Debug)]
pub(crate) struct Schedule {
    flush_events: u64,
    flush_bytes: u64,
    interval: Duration,
    max_waiting: usize,
    max_waiting_bytes: usize,
    batch_bytes: usize,
    /// Since when there have been events in the queue.
    since: Option<Instant>,
    /// Batches to be sent before everything else, such as the halves of a refused one.
    due: VecDeque<Batch>,
    waiting: Vec<(Instant, Batch)>,
    waiting_bytes: usize,
}

impl Schedule {
    pub(crate) fn new(batching: &Batching, retry: &Retry) -> Self {
        Self {
            flush_events: batching.leaves_at_events(),
            flush_bytes: batching.leaves_at_bytes(),
            interval: batching.interval,
            max_waiting: retry.waiting_batches,
            max_waiting_bytes: retry.waiting_bytes,
            batch_bytes: batching.batch_bytes,
            since: None,
            due: VecDeque::new(),
            waiting: Vec::new(),
            waiting_bytes: 0,
        }
    }

    /// Returns what to do now.
    pub(crate) fn next(&mut self, now: Instant, depth: QueueDepth, flush_mode: FlushMode) -> Step {
        if let Some(batch) = self.due.pop_front().or_else(|| self.take_waiting(now)) {
            return Step::Send(batch);
        }
        if depth.events == 0 {
            self.since = None;
            return Step::Wait(self.next_retry());
        }
        let leaves_at = later(*self.since.get_or_insert(now), self.interval);
        let is_full = depth.events >= self.flush_events || depth.bytes >= self.flush_bytes;
        if flush_mode != FlushMode::Shutdown && !self.has_room() {
            return Step::Wait(self.next_retry());
        }
        if is_full || flush_mode != FlushMode::Normal || now >= leaves_at {
            return Step::Build;
        }
        Step::Wait(Some(self.next_retry().map_or(leaves_at, |retry| retry.min(leaves_at))))
    }

    /// Records that a batch was built: events left in the queue start a new interval.
    pub(crate) fn built(&mut self) {
        self.since = None;
    }

    /// Keeps a batch until its next attempt.
    pub(crate) fn wait(&mut self, batch: Batch, until: Instant) {
        self.waiting_bytes += batch.weight();
        self.waiting.push((until, batch));
    }

    /// Schedules two batches before all others, in order.
    pub(crate) fn send_first(&mut self, batches: [Batch; 2]) {
        for batch in batches.into_iter().rev().filter(|batch| batch.len() > 0) {
            self.due.push_front(batch);
        }
    }

    /// Schedules a batch after the one that is sent next.
    pub(crate) fn send_second(&mut self, batch: Batch) {
        self.due.insert(self.due.len().min(1), batch);
    }

    /// Schedules a batch before all others.
    pub(crate) fn send_next(&mut self, batch: Batch) {
        self.due.push_front(batch);
    }

    /// Removes and returns all batches, in the order in which their events were captured.
    pub(crate) fn take_all(&mut self) -> Vec<Batch> {
        let waiting = self.waiting.drain(..).map(|(_, batch)| batch);
        let mut batches: Vec<_> = self.due.drain(..).chain(waiting).collect();
        batches.sort_by_key(|batch| batch.first);
        self.waiting_bytes = 0;
        batches
    }

    /// Schedules a batch after all others that are sent immediately.
    pub(crate) fn send_last(&mut self, batch: Batch) {
        self.due.push_back(batch);
    }

    /// Returns whether no batch waits for another attempt.
    pub(crate) fn is_calm(&self) -> bool {
        self.due.is_empty() && self.waiting.is_empty()
    }

    /// Removes and returns the batch that has been due the longest.
    fn take_waiting(&mut self, now: Instant) -> Option<Batch> {
        let (index, (at, _)) = self.waiting.iter().enumerate().min_by_key(|(_, (at, _))| *at)?;
        if *at > now {
            return None;
        }
        let (_, batch) = self.waiting.remove(index);
        self.waiting_bytes = self.waiting_bytes.saturating_sub(batch.weight());
        Some(batch)
    }

    /// Returns whether batches wait to be sent immediately.
    pub(crate) fn has_due(&self) -> bool {
        !self.due.is_empty()
    }

    /// Returns whether another batch could be kept if it failed.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting.len() < self.max_waiting
            && self.waiting_bytes.saturating_add(self.batch_bytes) <= self.max_waiting_bytes
            || self.waiting.is_empty()
    }

    /// Returns when the next retry is due.
    pub(crate) fn next_retry(&self) -> Option<Instant> {
        self.waiting.iter().map(|(at, _)| *at).min()
    }

    /// Returns when the next retry is due that a shutdown waits for: of a batch that has reached the endpoint before,
    /// or that is due now.
    pub(crate) fn next_worthwhile_retry(&self, now: Instant) -> Option<Instant> {
        let is_worthwhile = |(at, batch): &&(Instant, Batch)| !batch.was_never_sent || *at <= now;
        self.waiting.iter().filter(is_worthwhile).map(|(at, _)| *at).min()
    }

    /// Makes all batches due whose last attempt did not reach the endpoint, since it is reachable now.
    pub(crate) fn retry_unsent(&mut self, now: Instant) {
        for (at, batch) in &mut self.waiting {
            if batch.was_never_sent {
                *at = now.min(*at);
            }
        }
    }

    /// Returns the position of the first event that waits in a batch.
    pub(crate) fn first_waiting(&self) -> Option<u64> {
        self.due.iter().chain(self.waiting.iter().map(|(_, batch)| batch)).map(|batch| batch.first).min()
    }

    /// Returns how many events are in batches.
    pub(crate) fn events(&self) -> u64 {
        let batches = self.due.iter().chain(self.waiting.iter().map(|(_, batch)| batch));
        batches.map(|batch| batch.len() as u64).sum()
    }

    /// Drops all batches and returns the ids of their events.
    pub(crate) fn clear(&mut self) -> Vec<Uuid> {
        let batches = self.due.iter().chain(self.waiting.iter().map(|(_, batch)| batch));
        let events = batches.flat_map(Batch::ids).copied().collect();
        self.due.clear();
        self.waiting.clear();
        self.waiting_bytes = 0;
        self.since = None;
        events
    }
}

#[cfg(test)]
mod tests;
