//! The caller's side of a client: from the gate to the queue.
//!
//! Never waits, unless the application chose to.

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
    /// Returns nothing, never panics, and never waits, unless the application chose [`Overflow::Wait`]. When off
    /// it is one atomic load. What is lost is counted in [`stats`](Self::stats) with its reason.
    ///
    /// An event's own code, a hook and a logger may capture in their turn: such an event is captured as usual, hooks
    /// included. What is captured from inside of that second capture is dropped, and counted as
    /// [`LossReason::Recursion`]: it would never end.
    #[inline]
    pub fn capture<E: Event>(&self, event: E) {
        match self.monitor.gate().state() {
            GateState::Open(generation) => self.capture_open(&event, generation),
            GateState::Closed => {}
            GateState::Stopped => self.capture_stopped(),
        }
    }

    /// Captures an event in a context, on top of the one in force on this thread or task.
    pub fn capture_in<E: Event>(&self, context: &Context, event: E) {
        if self.monitor.gate().state() == GateState::Closed {
            return;
        }
        context.run(|| self.capture(event));
    }

    /// Captures an event that is made only if the gate is open.
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
            // What is lost is counted already.
            let _ = self.capture_with(lane, event, now, generation, |_| {});
        }
    }

    /// Encodes and queues an event, or says why it is lost, which is counted; `look` sees what goes into the queue.
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

    /// Queues an encoded event, or says why it is lost.
    fn push(&self, lane: &Lane, event: &EncodedEvent<'_>, generation: u32) -> Result<(), LossReason> {
        // Counted beside the queue's own addition: two locked instructions in a row wait once for the
        // memory that was written before them.
        self.inner.counters.captured();
        if lane.keeps_each && lane.append(event) {
            return Ok(());
        }
        match lane.queue.push(event, generation) {
            Ok(()) => Ok(()),
            Err(Refused::Closed) => Err(self.closed()),
            Err(Refused::Full) => self.overflow(lane, event, generation),
        }
    }

    /// The queue is full: the event is dropped, or waits for room if the application chose so.
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

    /// Waits for room and pushes, or says why the event is lost.
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

    /// Explains why an event is lost whose generation was over before it reached the queue.
    #[cold]
    pub(super) fn closed(&self) -> LossReason {
        match self.monitor.gate().state() {
            GateState::Stopped => LossReason::ShuttingDown,
            GateState::Closed | GateState::Open(_) => LossReason::ConsentWithdrawn,
        }
    }

    /// Returns whether an event is captured now; one that comes after a shutdown is counted. For `event!`, which makes no
    /// event before it knows.
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
