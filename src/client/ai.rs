//! The lane of large AI events: a queue, a worker and a route of their own.

use std::sync::atomic::Ordering;

use super::Client;
use super::lane::{Lane, Route};
use crate::consent::GateState;
use crate::event::{EncodedEvent, Event, reserved};
use crate::observe::LossReason;
use crate::panic::catch_panic;
use crate::timestamp::Timestamp;

impl Client {
    /// Captures an AI event (`$ai_generation`, `$ai_span` and so on) on PostHog's separate route for them,
    /// `/i/v0/ai/batch/`, which accepts events of up to 8 MiB.
    ///
    /// These events have their own worker, started with the first event, and their own queue of 1,000 events and 32
    /// MiB, so they never delay other events. [`capture`](Self::capture) also accepts `$ai_` events, within its own
    /// limits. The route exists only in PostHog's v0 protocol, and is used whichever protocol the client speaks. An
    /// event whose name does not start with `$ai_` is sent anyway, with one warning.
    pub fn capture_ai<E: Event>(&self, event: E) {
        match self.monitor.gate().state() {
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
            Ok(lane) => {
                let look = |encoded: &EncodedEvent<'_>| self.warn_of_name(encoded.name());
                let _ = self.capture_with(lane, event, now, generation, look);
            }
            Err(reason) => {
                self.inner.counters.captured();
                self.inner.counters.lost(reason, 1);
            }
        }
    }

    /// Warns once about a name, in JSON, that does not belong on this route.
    fn warn_of_name(&self, name: &[u8]) {
        if !name.get(1..).is_some_and(|name| name.starts_with(reserved::AI_PREFIX.as_bytes()))
            && !self.inner.has_warned_of_name.swap(true, Ordering::Relaxed)
        {
            let name = String::from_utf8_lossy(name);
            catch_panic(
                || log::warn!(target: "candor", "capture_ai: {name} does not start with $ai_ (logged once)"),
            );
        }
    }

    /// Returns the lane with a worker for this generation, which is started if necessary, or the reason why an
    /// event is lost.
    fn ai_lane(&self, generation: u32) -> Result<&Lane, LossReason> {
        let lane = || self.inner.lanes.get(Route::Ai).filter(|lane| lane.serves(generation));
        if let Some(lane) = lane() {
            return Ok(lane);
        }
        if let Err(error) = self.start(Route::Ai) {
            catch_panic(|| log::warn!(target: "candor", "capture_ai: {error}"));
            // No thread could take the event, so the queue has no room.
            return Err(LossReason::QueueFull);
        }
        lane().ok_or_else(|| self.closed())
    }
}
