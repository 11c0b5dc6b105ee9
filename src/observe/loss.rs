//! Why events are lost.
//! Gives each reason a place in the counts and its words.
//! Never counts: the counters do.

use std::fmt;

/// Why an event was lost.
///
/// It prints as words (`queue full`) and serialises as a name (`queue_full`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LossReason {
    /// The event had no name, or a blank one.
    EmptyName,
    /// The event's name had more than 200 characters, or with PostHog's v1 protocol more than 200 bytes.
    LongName,
    /// The event had no distinct id, or a blank one.
    EmptyDistinctId,
    /// The distinct id had more than 200 characters, or with PostHog's v1 protocol more than 200 bytes.
    LongDistinctId,
    /// The event would have made, changed or merged a person under an id that strangers share, such as
    /// `anonymous` or `0`.
    SharedDistinctId,
    /// The event was about a group whose type or key was blank.
    EmptyGroup,
    /// A reserved property had a value that the receiver would have refused.
    Malformed,
    /// A number was not finite.
    NotFinite,
    /// A value could not be written as JSON.
    Unserializable,
    /// A property has a name that the library sets by itself: `$groups`, `$lib` or `$lib_version`. Never counted for an
    /// event: the property is left out, and the event goes.
    ReservedName,
    /// The client sends only what its catalogue declares, and the event was not in it.
    Undeclared,
    /// The event was larger than the limit for one event.
    TooLarge,
    /// The event's own code panicked while it was encoded.
    EventPanicked,
    /// Sampling left it out.
    SampledOut,
    /// A `before_send` hook dropped it.
    DroppedByHook,
    /// A `before_send` hook panicked.
    HookPanicked,
    /// It was captured from inside a capture that was itself made by a hook, a logger or an event's own code. One level
    /// is captured as usual; deeper ones would never end.
    Recursion,
    /// The queue was full, by events or by bytes.
    QueueFull,
    /// Consent was withdrawn before it was sent.
    ConsentWithdrawn,
    /// The receiver refused it.
    Rejected,
    /// The receiver claimed success with an answer that says nothing readable; it may have taken the event.
    UnreadableAnswer,
    /// It was tried as often, or for as long, as the settings allow.
    RetriesExhausted,
    /// The time of `shutdown` was up.
    ShuttingDown,
    /// The worker panicked with it in hand, through a transport, an envelope or a hook of the application.
    WorkerPanicked,
    /// Dry run: it was printed, not sent.
    DryRun,
    /// It was on disk, and among the oldest there when the limits of the [`Spool`](crate::Spool) were reached.
    SpoolFull,
    /// It was on disk for longer than the [`Spool`](crate::Spool) keeps events.
    SpoolExpired,
    /// The file on disk that held it could not be read, or was on its way whenever a process ended.
    SpoolDamaged,
}

impl LossReason {
    /// All reasons, in the order in which [`Stats`](crate::Stats) prints them.
    pub const ALL: [Self; 28] = [
        Self::EmptyName,
        Self::LongName,
        Self::EmptyDistinctId,
        Self::LongDistinctId,
        Self::SharedDistinctId,
        Self::EmptyGroup,
        Self::Malformed,
        Self::NotFinite,
        Self::Unserializable,
        Self::ReservedName,
        Self::Undeclared,
        Self::TooLarge,
        Self::EventPanicked,
        Self::SampledOut,
        Self::DroppedByHook,
        Self::HookPanicked,
        Self::Recursion,
        Self::QueueFull,
        Self::ConsentWithdrawn,
        Self::Rejected,
        Self::UnreadableAnswer,
        Self::RetriesExhausted,
        Self::ShuttingDown,
        Self::WorkerPanicked,
        Self::DryRun,
        Self::SpoolFull,
        Self::SpoolExpired,
        Self::SpoolDamaged,
    ];

    /// Returns the reason in words, such as `queue full`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EmptyName => "empty name",
            Self::LongName => "long name",
            Self::EmptyDistinctId => "empty distinct id",
            Self::LongDistinctId => "long distinct id",
            Self::SharedDistinctId => "shared distinct id",
            Self::EmptyGroup => "empty group",
            Self::Malformed => "malformed",
            Self::NotFinite => "not finite",
            Self::Unserializable => "unserializable",
            Self::ReservedName => "reserved name",
            Self::Undeclared => "undeclared",
            Self::TooLarge => "too large",
            Self::EventPanicked => "event panicked",
            Self::SampledOut => "sampled out",
            Self::DroppedByHook => "dropped by hook",
            Self::HookPanicked => "hook panicked",
            Self::Recursion => "recursion",
            Self::QueueFull => "queue full",
            Self::ConsentWithdrawn => "consent withdrawn",
            Self::Rejected => "rejected",
            Self::UnreadableAnswer => "unreadable answer",
            Self::RetriesExhausted => "retries exhausted",
            Self::ShuttingDown => "shutting down",
            Self::WorkerPanicked => "worker panicked",
            Self::DryRun => "dry run",
            Self::SpoolFull => "spool full",
            Self::SpoolExpired => "spool expired",
            Self::SpoolDamaged => "spool damaged",
        }
    }

    pub(super) const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for LossReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_has_its_own_place_and_words() {
        for (index, reason) in LossReason::ALL.into_iter().enumerate() {
            assert_eq!(reason.index(), index);
        }
        let words: std::collections::BTreeSet<_> = LossReason::ALL.iter().map(|r| r.as_str()).collect();
        assert_eq!(words.len(), LossReason::ALL.len());
    }
}
