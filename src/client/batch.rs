//! Many events at once, for migrations and imports.
//! Takes events; captures each and waits for room where the queue is full.
//! Never waits longer than it was told to.

use std::time::{Duration, Instant};

use super::{Client, Live};
use crate::clock::later;
use crate::consent::Look;
use crate::event::{Event, Record, Timestamp};
use crate::observe::LossReason;

impl Client {
    /// Captures events one after the other and waits for room in the queue where it is full, for `timeout`
    /// altogether. Returns how many were queued; the others are counted as lost, with their reasons.
    ///
    /// This is the call for old data: give each event its [`timestamp`](crate::DynamicEvent::timestamp), and make a
    /// client of its own with [`Config::historical_migration`](crate::Config::historical_migration), which is a
    /// property of whole requests. When off, no event is taken from the iterator.
    pub fn capture_batch<E: Event>(&self, events: impl IntoIterator<Item = E>, timeout: Duration) -> u64 {
        let deadline = later(Instant::now(), timeout);
        let mut queued = 0;
        if self.gate.look() == Look::Closed {
            return queued;
        }
        for event in events {
            match self.gate.look() {
                Look::Open(generation) => {
                    queued += u64::from(self.capture_waiting(&event, generation, deadline));
                }
                Look::Closed => break,
                Look::Stopped => self.capture_stopped(),
            }
        }
        queued
    }

    /// Captures one event; returns whether it was queued.
    fn capture_waiting<E: Event>(&self, event: &E, generation: u32, deadline: Instant) -> bool {
        let inner = &*self.inner;
        let wall = inner.clock.wall();
        let now = Timestamp::of_clock(wall);
        let Some(live) = inner.live.get().filter(|_| self.holds_at(wall, now)) else { return false };
        inner.counters.captured();
        match live.capture.record(event, now, generation) {
            Ok(record) => self.push_waiting(live, record, generation, deadline),
            Err(reason) => {
                inner.counters.lost(reason, 1);
                false
            }
        }
    }

    fn push_waiting(&self, live: &Live, record: Record, generation: u32, deadline: Instant) -> bool {
        let is_queued = match live.queue.push(record) {
            Ok(()) => true,
            Err(record) => {
                let left = deadline.saturating_duration_since(Instant::now());
                self.wait_and_push(live, record, left, generation)
            }
        };
        if !is_queued {
            self.inner.counters.lost(LossReason::QueueFull, 1);
        }
        if self.gate.look_again() != Look::Open(generation) {
            self.overtaken(live);
        }
        is_queued
    }
}
