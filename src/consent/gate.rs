//! The one atomic that both threads ask.
//!
//! Never decides: it remembers what was decided.

use std::sync::atomic::{AtomicU32, Ordering};

const OPEN: u32 = 1;
const STOPPED: u32 = 2;
const FLAGS: u32 = OPEN | STOPPED;
const GENERATION: u32 = 4;

/// Open or closed, and how often consent has changed.
///
/// An event captured under one generation may be sent under that generation only. A gate that was
/// stopped takes no more events, but its generation lives on until the last of them has left.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    word: AtomicU32,
}

/// What one look at the gate says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GateState {
    /// Capture under this generation.
    Open(u32),
    /// Consent is not granted: nothing is counted.
    Closed,
    /// Consent was granted, but the client was shut down: the event is counted as lost.
    Stopped,
}

impl GateState {
    #[inline]
    fn of(word: u32) -> Self {
        if word & OPEN == OPEN {
            Self::Open(word & !FLAGS)
        } else if word & STOPPED == STOPPED {
            Self::Stopped
        } else {
            Self::Closed
        }
    }
}

impl Gate {
    /// Looks once: one relaxed load, which is all that a capture costs when off.
    #[inline]
    pub(crate) fn state(&self) -> GateState {
        GateState::of(self.word.load(Ordering::Relaxed))
    }

    /// Returns whether the gate is open.
    #[inline]
    pub(crate) fn is_enabled(&self) -> bool {
        self.word.load(Ordering::Relaxed) & OPEN == OPEN
    }

    /// Returns the generation whose events may still be sent; `None` once consent is gone.
    pub(crate) fn sendable_generation(&self) -> Option<u32> {
        let word = self.word.load(Ordering::Acquire);
        (word & FLAGS != 0).then_some(word & !FLAGS)
    }

    /// Returns whether an event of this generation may still be sent.
    #[inline]
    pub(crate) fn may_send(&self, generation: u32) -> bool {
        self.sendable_generation() == Some(generation)
    }

    /// Opens the gate under a new generation, and returns that. An open gate stays as it is.
    pub(crate) fn open(&self) -> u32 {
        self.change(|word| (word & OPEN == 0).then(|| next(word) | OPEN)) & !FLAGS
    }

    /// Closes the gate since consent is gone. Returns whether anything could still be sent before.
    pub(crate) fn close(&self) -> bool {
        let closed = |word: u32| (word & FLAGS != 0).then(|| next(word));
        self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, closed).is_ok()
    }

    /// Takes no more events, but lets those of this generation live. Returns whether it was open.
    pub(crate) fn stop(&self) -> bool {
        let stopped = |word: u32| (word & OPEN == OPEN).then_some(word & !FLAGS | STOPPED);
        self.word.fetch_update(Ordering::AcqRel, Ordering::Acquire, stopped).is_ok()
    }

    /// Returns the generation of this moment, whether the gate is open or closed: events of those before it are not
    /// sent any more.
    pub(crate) fn generation(&self) -> u32 {
        self.word.load(Ordering::Acquire) & !FLAGS
    }

    /// Returns the generation that follows.
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

/// The bare word of the next generation.
fn next(word: u32) -> u32 {
    (word & !FLAGS).wrapping_add(GENERATION)
}

#[cfg(test)]
mod tests {
    use super::{Gate, GateState};

    #[test]
    fn a_generation_never_comes_back() {
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
    fn a_stopped_gate_lets_its_last_events_live_and_a_closed_one_does_not() {
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
