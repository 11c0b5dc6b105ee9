//! The reasons why events are lost.

use std::fmt;

/// The reason why an event was lost.
///
/// Displays as words (`queue full`) and serializes as a name (`queue_full`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum LossReason {
    /// The event had no name, or a blank one.
    EmptyName,
    /// The event's name had more than 200 characters, or more than 200 bytes with PostHog's v1 protocol.
    LongName,
    /// The event had no distinct id, or a blank one.
    EmptyDistinctId,
    /// The distinct id had more than 200 characters, or more than 200 bytes with PostHog's v1 protocol.
    LongDistinctId,
    /// The event would have created, changed or merged a person under an id that strangers share, such as
    /// `anonymous` or `0`.
    SharedDistinctId,
    /// The event named a group with a blank type or key.
    EmptyGroup,
    /// A reserved property had a value that the receiver would have rejected.
    Malformed,
    /// A number was not finite.
    NotFinite,
    /// A value could not be written as JSON.
    Unserializable,
    /// A property has a name that the library sets itself: `$groups`, `$lib` or `$lib_version`. Never counted for
    /// an event: only the property is left out, and the event is sent.
    ReservedName,
    /// The client sends only what its catalogue declares, and the event is not in it.
    Undeclared,
    /// The event was larger than the limit for an event, or the receiver rejected it as too large.
    TooLarge,
    /// The event's own code panicked while it was encoded.
    EventPanicked,
    /// The event was left out by sampling.
    SampledOut,
    /// A `before_send` hook dropped the event.
    DroppedByHook,
    /// A `before_send` hook panicked.
    HookPanicked,
    /// The event was captured inside a capture that a hook, a logger or an event's own code had made. One level is
    /// captured as usual; deeper ones could go on forever.
    Recursion,
    /// The queue had reached its limit of events or bytes.
    QueueFull,
    /// Consent was withdrawn before the event was sent, or the endpoint answered that it accepts no more events.
    ConsentWithdrawn,
    /// The receiver rejected the event.
    Rejected,
    /// The receiver reported success with an unreadable response, so it may have accepted the event.
    UnreadableResponse,
    /// The event was tried as often, or for as long, as the settings allow, or the endpoint kept answering with
    /// something other than HTTP.
    RetriesExhausted,
    /// The client was shut down before the event was delivered, or before it was captured.
    ShuttingDown,
    /// The worker panicked while it handled the event, in a transport, an envelope or a hook of the application.
    WorkerPanicked,
    /// The event was printed instead of sent, by a dry run.
    DryRun,
    /// The event was among the oldest on disk when the limits of the [`Spool`](crate::Spool) were reached.
    SpoolFull,
    /// The event was on disk for longer than the [`Spool`](crate::Spool) keeps events.
    SpoolExpired,
    /// The file on disk that held the event could not be read, was being sent every time a process ended, or was
    /// removed with the whole directory by somebody else.
    SpoolDamaged,
}

impl LossReason {
    /// Every reason, in the order in which [`Stats`](crate::Stats) prints them.
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
        Self::UnreadableResponse,
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
            Self::EmptyDistinctId => "no distinct id",
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
            Self::UnreadableResponse => "unreadable response",
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
    fn every_reason_has_its_own_index_and_words() {
        for (index, reason) in LossReason::ALL.into_iter().enumerate() {
            assert_eq!(reason.index(), index);
        }
        let words: std::collections::BTreeSet<_> = LossReason::ALL.iter().map(|r| r.as_str()).collect();
        assert_eq!(words.len(), LossReason::ALL.len());
    }
}
