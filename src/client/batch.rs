//! Captures many events in one call, for migrations and imports.
//!
//! Never waits longer than the given timeout.

use std::time::{Duration, Instant};

use super::Client;
use super::lane::{Lane, Route};
use crate::clock::later;
use crate::consent::GateState;
use crate::event::{EncodedEvent, Event};
use crate::observe::LossReason;
use crate::queue::Refused;
use crate::timestamp::Timestamp;

impl Client {
    /// Captures events one after another, waiting for room whenever the queue is full, for at most `timeout` in
    /// total. Returns how many were queued; the others are counted as lost, with their reasons.
    ///
    /// Use this for old data: give each event its [`timestamp`](crate::DynamicEvent::timestamp), and create a
    /// separate client with [`Config::historical_migration`](crate::Config::historical_migration), because that
    /// setting applies to whole requests. While telemetry is off, no event is taken from the iterator.
    pub fn capture_batch<E: Event>(&self, events: impl IntoIterator<Item = E>, timeout: Duration) -> u64 {
        let deadline = later(Instant::now(), timeout);
        let mut queued = 0;
        if self.monitor.gate().state() == GateState::Closed {
            return queued;
        }
        for event in events {
            match self.monitor.gate().state() {
                GateState::Open(generation) => {
                    queued += u64::from(self.capture_waiting(&event, generation, deadline));
                }
                GateState::Closed => break,
                GateState::Stopped => self.capture_stopped(),
            }
        }
        queued
    }

    /// Captures an event, and returns whether it was queued.
    fn capture_waiting<E: Event>(&self, event: &E, generation: u32, deadline: Instant) -> bool {
        let inner = &*self.inner;
        let wall = inner.clock.wall();
        let now = Timestamp::of_clock(wall);
        let Some(lane) = inner.lanes.get(Route::Events).filter(|_| self.holds_at(wall, now)) else {
            return false;
        };
        inner.counters.captured();
        let push = |encoded: &EncodedEvent<'_>| self.push_waiting(lane, encoded, generation, deadline);
        let lost = lane.capture.encode(event, now, push).and_then(|queued| queued).err();
        inner.counters.lost(lost.unwrap_or(LossReason::QueueFull), u64::from(lost.is_some()));
        lost.is_none()
    }

    fn push_waiting(
        &self,
        lane: &Lane,
        event: &EncodedEvent<'_>,
        generation: u32,
        deadline: Instant,
    ) -> Result<(), LossReason> {
        match lane.queue.push(event, generation) {
            Ok(()) => Ok(()),
            Err(Refused::Closed) => Err(self.closed()),
            Err(Refused::Full) => {
                let left = deadline.saturating_duration_since(Instant::now());
                self.wait_and_push(lane, event, left, generation)
            }
        }
    }
}
