//! The caller's side of a client, from the gate to the queue.
//!
//! Never waits, unless the application chose a bounded wait.

use std::time::{Duration, Instant};

use super::Client;
use super::lane::{Lane, Route};
use crate::clock::later;
use crate::consent::GateState;
use crate::event::{Context, EncodedEvent, Event};
use crate::observe::LossReason;
use crate::panic::catch_panic;
use crate::queue::Refused;
use crate::settings::Overflow;
use crate::timestamp::Timestamp;

impl Client {
    /// Captures an event: encodes it on this thread and queues it for the worker.
    ///
    /// Returns nothing, never panics, and never waits unless the application chose [`Overflow::Wait`]. While
    /// telemetry is off, it costs one atomic load. Lost events are counted in [`stats`](Self::stats) with their
    /// reasons.
    ///
    /// An event's own code, a hook and a logger may capture events themselves. Such an event is captured as usual,
    /// including its hooks. An event captured inside that second capture is dropped and counted as
    /// [`LossReason::Recursion`], because the recursion might never end.
    #[inline]
    pub fn capture<E: Event>(&self, event: E) {
        match self.monitor.gate().state() {
            GateState::Open(generation) => self.capture_open(&event, generation),
            GateState::Closed => {}
            GateState::Stopped => self.capture_stopped(),
        }
    }

    /// Captures an event in a context, on top of any context in force on this thread or task.
    pub fn capture_in<E: Event>(&self, context: &Context, event: E) {
        if self.monitor.gate().state() == GateState::Closed {
            return;
        }
        context.run(|| self.capture(event));
    }

    /// Captures an event that is created only if the gate is open.
    pub(super) fn capture_made<E: Event>(&self, make: impl FnOnce() -> E) {
        match self.monitor.gate().state() {
            GateState::Open(generation) => self.capture_open(&make(), generation),
            GateState::Closed => {}
            GateState::Stopped => self.capture_stopped(),
        }
    }

    #[inline(never)]
    pub(super) fn capture_open<E: Event>(&self, event: &E, generation: u32) {
        let wall = self.inner.clock.wall();
        let now = Timestamp::of_clock(wall);
        if self.holds_at(wall, now) {
            self.capture_at(event, now, generation);
        }
    }

    #[inline]
    fn capture_at<E: Event>(&self, event: &E, now: Timestamp, generation: u32) {
        if let Some(lane) = self.inner.lanes.get(Route::Events) {
            // Losses have been counted already.
            let _ = self.capture_with(lane, event, now, generation, |_| {});
        }
    }

    /// Encodes and queues an event, or counts and returns the reason why it is lost. `look` is called with the
    /// encoded event before it is queued.
    #[inline]
    pub(super) fn capture_with<E: Event>(
        &self,
        lane: &Lane,
        event: &E,
        now: Timestamp,
        generation: u32,
        look: impl FnOnce(&EncodedEvent<'_>),
    ) -> Result<(), LossReason> {
        let inner = &*self.inner;
        let keep = |encoded: &EncodedEvent<'_>| {
            look(encoded);
            self.push(lane, encoded, generation)
        };
        let lost = match lane.capture.encode(event, now, keep) {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(reason)) => reason,
            Err(reason) => {
                inner.counters.captured();
                reason
            }
        };
        inner.counters.lost(lost, 1);
        Err(lost)
    }

    /// Queues an encoded event, or returns the reason why it is lost.
    fn push(&self, lane: &Lane, event: &EncodedEvent<'_>, generation: u32) -> Result<(), LossReason> {
        // Counted next to the queue's own addition: two locked instructions in a row wait only once for earlier
        // writes to memory.
        self.inner.counters.captured();
        if lane.keeps_each && lane.append(event) {
            return Ok(());
        }
        match lane.queue.push(event, generation) {
            Ok(()) => Ok(()),
            Err(Refused::Closed) => Err(lane.capture.discarded(self.closed(), event)),
            Err(Refused::Full) => {
                self.overflow(lane, event, generation).map_err(|reason| lane.capture.discarded(reason, event))
            }
        }
    }

    /// Handles a full queue: drops the event, or waits for room if the application chose that.
    #[cold]
    fn overflow(&self, lane: &Lane, event: &EncodedEvent<'_>, generation: u32) -> Result<(), LossReason> {
        let result = match lane.overflow {
            Overflow::Wait(timeout) => self.wait_and_push(lane, event, timeout, generation),
            Overflow::DropNewest => Err(LossReason::QueueFull),
        };
        if result == Err(LossReason::QueueFull) && lane.queue.mark_full() {
            catch_panic(
                || log::warn!(target: "candor", "the queue is full: new events are dropped until half of it is free"),
            );
        }
        result
    }

    /// Waits for room and queues the event, or returns the reason why it is lost.
    #[cold]
    pub(super) fn wait_and_push(
        &self,
        lane: &Lane,
        event: &EncodedEvent<'_>,
        timeout: Duration,
        generation: u32,
    ) -> Result<(), LossReason> {
        let deadline = later(Instant::now(), timeout);
        let still_wanted = || self.monitor.gate().state() == GateState::Open(generation);
        while still_wanted() && lane.queue.may_wait() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            lane.queue.wait_for_room(left, still_wanted);
            match lane.queue.push(event, generation) {
                Ok(()) => return Ok(()),
                Err(Refused::Closed) => return Err(self.closed()),
                Err(Refused::Full) => {}
            }
        }
        Err(LossReason::QueueFull)
    }

    /// Returns why an event is lost whose generation ended before it reached the queue.
    #[cold]
    pub(super) fn closed(&self) -> LossReason {
        match self.monitor.gate().state() {
            GateState::Stopped => LossReason::ShuttingDown,
            GateState::Closed | GateState::Open(_) => LossReason::ConsentWithdrawn,
        }
    }

    /// Returns whether an event would be captured now, and counts one that comes after a shutdown. Used by
    /// `event!`, which creates its event only if so.
    #[doc(hidden)]
    #[inline]
    pub fn admits_event(&self) -> bool {
        match self.monitor.gate().state() {
            GateState::Open(_) => true,
            GateState::Closed => false,
            GateState::Stopped => {
                self.capture_stopped();
                false
            }
        }
    }

    #[cold]
    pub(super) fn capture_stopped(&self) {
        self.inner.counters.captured();
        self.inner.counters.lost(LossReason::ShuttingDown, 1);
    }
}
