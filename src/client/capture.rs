//! The caller's side of a client: from the gate to the queue.
//!
//! Never waits, unless the application chose to.

use std::time::{Duration, Instant};

use super::{Client, Live};
use crate::clock::later;
use crate::consent::GateState;
use crate::event::{Context, EncodedEvent, Event};
use crate::observe::LossReason;
use crate::panic::catch_panic;
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
        match self.gate.state() {
            GateState::Open(generation) => self.capture_open(&event, generation),
            GateState::Closed => {}
            GateState::Stopped => self.capture_stopped(),
        }
    }

    /// Captures an event in a context, on top of the one in force on this thread or task.
    pub fn capture_in<E: Event>(&self, context: &Context, event: E) {
        if self.gate.state() == GateState::Closed {
            return;
        }
        context.run(|| self.capture(event));
    }

    /// Captures an event that is made only where the gate is open.
    pub(super) fn capture_made<E: Event>(&self, make: impl FnOnce() -> E) {
        match self.gate.state() {
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
        self.capture_with(event, now, generation, |_| {});
    }

    /// Encodes and queues an event; `look` sees what goes into the queue.
    #[inline]
    pub(super) fn capture_with<E: Event>(
        &self,
        event: &E,
        now: Timestamp,
        generation: u32,
        look: impl FnOnce(&EncodedEvent),
    ) {
        let inner = &*self.inner;
        let Some(live) = inner.live.get() else { return };
        let recorded = live.capture.prepare(event, now, generation);
        // Counted beside the queue's own addition: two locked instructions in a row wait once for the
        // memory that was written before them.
        inner.counters.captured();
        match recorded {
            Ok(encoded) => {
                look(&encoded);
                self.push(live, encoded, generation);
            }
            Err(reason) => inner.counters.lost(reason, 1),
        }
    }

    #[inline]
    pub(super) fn push(&self, live: &Live, encoded: EncodedEvent, generation: u32) {
        if let Err(encoded) = live.queue.push(encoded) {
            self.refused(live, encoded, generation);
        }
        if self.gate.state_seq_cst() != GateState::Open(generation) {
            self.overtaken(live);
        }
    }

    /// The queue is full: the event is dropped, or waits for room if the application chose so.
    #[cold]
    pub(super) fn refused(&self, live: &Live, encoded: EncodedEvent, generation: u32) {
        let kept = match live.overflow {
            Overflow::Wait(timeout) => self.wait_and_push(live, encoded, timeout, generation),
            Overflow::DropNewest => false,
        };
        if kept {
            return;
        }
        self.inner.counters.lost(LossReason::QueueFull, 1);
        if live.queue.mark_full() {
            catch_panic(
                || log::warn!(target: "candor", "the queue is full: new events are dropped until half of it is free"),
            );
        }
    }

    /// Waits for room and pushes; returns whether the record went in.
    #[cold]
    pub(super) fn wait_and_push(
        &self,
        live: &Live,
        mut encoded: EncodedEvent,
        timeout: Duration,
        generation: u32,
    ) -> bool {
        let deadline = later(Instant::now(), timeout);
        let still_wanted = || self.gate.state() == GateState::Open(generation);
        while still_wanted() && live.queue.may_wait() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            live.queue.wait_for_room(left, still_wanted);
            match live.queue.push(encoded) {
                Ok(()) => return true,
                Err(again) => encoded = again,
            }
        }
        false
    }

    /// The gate was closed while the event was on its way to the queue.
    #[cold]
    pub(super) fn overtaken(&self, live: &Live) {
        let reason = match self.gate.state() {
            GateState::Open(_) => return, // Open anew: the worker drops what is of an older generation.
            GateState::Closed => LossReason::ConsentWithdrawn,
            GateState::Stopped => LossReason::ShuttingDown,
        };
        if live.queue.is_closed() {
            self.inner.counters.lost(reason, live.queue.purge());
        }
    }

    #[cold]
    pub(super) fn capture_stopped(&self) {
        self.inner.counters.captured();
        self.inner.counters.lost(LossReason::ShuttingDown, 1);
    }
}
