//! The atomic that all threads read to learn whether capturing is on.

use std::sync::atomic::{AtomicU32, Ordering};

const OPEN: u32 = 1;
const STOPPED: u32 = 2;
const FLAGS: u32 = OPEN | STOPPED;
const GENERATION: u32 = 4;

/// Whether the gate is open, and how often consent has changed.
///
/// An event may be sent only under the generation in which it was captured. A stopped gate accepts no more events,
/// but its generation stays sendable until consent ends.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    word: AtomicU32,
}

/// The state read from the gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GateState {
    /// Events are captured under this generation.
    Open(u32),
    /// Consent is not granted. Events are not counted.
    Closed,
    /// Consent was granted, but the client was shut down. Events are counted as lost.
    Stopped,
}

impl GateState {
    #[inline]
    fn of(word: u32) -> Self {
        if word & OPEN == OPEN {
            Self::Open(word & !FLAGS)
        } else if word & STOPPED == STOPPED {
            Self::stopped()
        } else {
            Self::Closed
        }
    }

    /// Kept apart, so the compiler tests for the two common states with branches; together, all three are computed first.
    #[cold]
    #[inline(never)]
    fn stopped() -> Self {
        Self::Stopped
    }
}

impl Gate {
    /// Returns the state. One relaxed load, which is all that a capture costs while telemetry is off.
    #[inline]
    pub(crate) fn state(&self) -> GateState {
        GateState::of(self.word.load(Ordering::Relaxed))
    }

    /// Returns whether the gate is open.
    #[inline]
    pub(crate) fn is_enabled(&self) -> bool {
        self.word.load(Ordering::Relaxed) & OPEN == OPEN
    }

    /// Returns the generation whose events may still be sent, or `None` once consent has ended.
    pub(crate) fn sendable_generation(&self) -> Option<u32> {
        let word = self.word.load(Ordering::Acquire);
        (word & FLAGS != 0).then_some(word & !FLAGS)
    }

    /// Returns whether an event of this generation may still be sent.
    #[inline]
    pub(crate) fn may_send(&self, generation: u32) -> bool {
        self.sendable_generation() == Some(generation)
    }

    /// Opens the gate under a new generation and returns it. An open gate stays as it is.
    pub(crate) fn open(&self) -> u32 {
        self.change(|word| (word & OPEN == 0).then(|| next(word) | OPEN)) & !FLAGS
    }

    /// Closes the gate because consent has ended. Returns whether anything could still be sent before.
    pub(crate) fn close(&self) -> bool {
        let closed = |word: u32| (word & FLAGS != 0).then(|| next(word));
        self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, closed).is_ok()
    }

    /// Accepts no more events, but lets those of this generation be sent. Returns whether the gate was open.
    pub(crate) fn stop(&self) -> bool {
        let stopped = |word: u32| (word & OPEN == OPEN).then_some(word & !FLAGS | STOPPED);
        self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, stopped).is_ok()
    }

    /// Returns the current generation, whether the gate is open or closed. Events of earlier generations are not
    /// sent.
    pub(crate) fn generation(&self) -> u32 {
        self.word.load(Ordering::Acquire) & !FLAGS
    }

    /// Returns the generation after this one.
    pub(crate) fn next_generation(generation: u32) -> u32 {
        next(generation)
    }

    fn change(&self, new: impl Fn(u32) -> Option<u32>) -> u32 {
        match self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, &new) {
            Ok(before) => new(before).unwrap_or(before),
            Err(unchanged) => unchanged,
        }
    }
}

/// Returns the word of the next generation, with no flag set.
fn next(word: u32) -> u32 {
    (word & !FLAGS).wrapping_add(GENERATION)
}

#[cfg(test)]
mod tests {
    use super::{Gate, GateState};

    #[test]
    fn a_generation_is_never_reused() {
        let gate = Gate::default();
        assert_eq!(gate.state(), GateState::Closed);
        let first = gate.open();
        assert_eq!(gate.open(), first);
        assert_eq!(gate.state(), GateState::Open(first));
        assert!(gate.may_send(first));
        assert!(gate.close());
        assert!(!gate.close());
        assert!(!gate.may_send(first));
        let second = gate.open();
        assert_ne!(first, second);
        assert!(gate.may_send(second) && !gate.may_send(first));
    }

    #[test]
    fn a_stopped_gate_lets_its_last_events_be_sent_but_a_closed_gate_does_not() {
        let gate = Gate::default();
        assert!(!gate.stop());
        assert_eq!(gate.state(), GateState::Closed);
        let generation = gate.open();
        assert!(gate.stop());
        assert_eq!(gate.state(), GateState::Stopped);
        assert!(gate.may_send(generation) && !gate.is_enabled());
        assert!(gate.close());
        assert_eq!(gate.state(), GateState::Closed);
        assert_eq!(gate.sendable_generation(), None);
    }
}
