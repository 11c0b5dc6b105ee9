//! The way of large AI events: a queue, a worker and a route of their own.
//!
//! Never makes the lane before its first event, and never holds up other events.

use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use once_cell::sync::OnceCell;

use super::shutdown::LOCK;
use super::{Client, ClientSettings, Inner};
use crate::consent::GateState;
use crate::event::Event;
use crate::observe::LossReason;
use crate::panic::catch_panic;
use crate::timestamp::Timestamp;

/// The lane, once there is one: a client that shares its owner's gate, counters and consent.
#[derive(Default)]
pub(super) struct AiLane {
    lane: OnceCell<Client>,
    /// One more than the generation that its worker serves; 0 is none.
    serves: AtomicU32,
    has_warned: AtomicBool,
}

impl Client {
    /// Captures an AI event (`$ai_generation`, `$ai_span` and the like) on PostHog's route for them,
    /// `/i/v0/ai/batch/`, which takes events of up to 8 MiB.
    ///
    /// These events have a worker, started with the first, and a queue of their own of 1,000 events and 32 MiB,
    /// so that they never hold up others. [`capture`](Self::capture) takes `$ai_` events as well, within its own
    /// limits. The route exists in PostHog's v0 protocol only and is used whichever the client speaks. An event
    /// whose name does not begin with `$ai_` is sent all the same, with one warning.
    pub fn capture_ai<E: Event>(&self, event: E) {
        match self.gate.state() {
            GateState::Open(generation) => self.capture_ai_open(&event, generation),
            GateState::Closed => {}
            GateState::Stopped => self.capture_stopped(),
        }
    }

    fn capture_ai_open<E: Event>(&self, event: &E, generation: u32) {
        let wall = self.inner.clock.wall();
        let now = Timestamp::of_clock(wall);
        if !self.holds_at(wall, now) {
            return;
        }
        match self.ai_lane(generation) {
            Some(lane) => lane.capture_ai_at(self, event, now, generation),
            None => {
                // There is no thread that could take it: the queue has no room at all.
                self.inner.counters.captured();
                self.inner.counters.lost(LossReason::QueueFull, 1);
            }
        }
    }

    fn capture_ai_at<E: Event>(&self, owner: &Self, event: &E, now: Timestamp, generation: u32) {
        self.capture_with(event, now, generation, |encoded| owner.warn_of_name(encoded.name()));
    }

    /// Warns once of a name, as JSON, that does not belong on this route.
    fn warn_of_name(&self, name: &[u8]) {
        if !name.starts_with(b"\"$ai_") && !self.inner.ai.has_warned.swap(true, Ordering::Relaxed) {
            let name = String::from_utf8_lossy(name);
            catch_panic(
                || log::warn!(target: "candor", "capture_ai: {name} does not begin with $ai_ (logged once)"),
            );
        }
    }

    /// Returns the lane with a worker for this generation; makes either if it is missing.
    fn ai_lane(&self, generation: u32) -> Option<&Self> {
        let ai = &self.inner.ai;
        if ai.serves.load(Ordering::Acquire) == generation + 1 {
            return ai.lane.get();
        }
        if self.inner.owner_pid != process::id() {
            return None;
        }
        let _one = self.inner.changes.try_lock_for(LOCK)?;
        let lane = ai.lane.get_or_init(|| self.made_ai_lane());
        if ai.serves.load(Ordering::Acquire) != generation + 1 {
            let granted = self.inner.monitor.as_ref()?.decision().granted()?;
            lane.end_worker();
            if let Err(error) = lane.start_worker(granted, Some(generation)) {
                log::warn!(target: "candor", "capture_ai: {error}");
                return None;
            }
            ai.serves.store(generation + 1, Ordering::Release);
        }
        Some(lane)
    }

    fn made_ai_lane(&self) -> Self {
        let inner = &self.inner;
        let lane = Inner {
            counters: Arc::clone(&inner.counters),
            clock: inner.clock.clone(),
            settings: inner.settings.as_ref().map(ClientSettings::for_ai),
            shutdown_timeout: inner.shutdown_timeout,
            monitor: inner.monitor.clone(),
            ..Inner::empty()
        };
        Self { gate: Arc::clone(&self.gate), inner: Arc::new(lane) }
    }

    /// Returns the lane, if there is one.
    pub(super) fn known_ai_lane(&self) -> Option<&Self> {
        self.inner.ai.lane.get()
    }
}
