//! Units of durations.

use std::time::Duration;

/// The unit in which a duration is sent; the field's name ends with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// `_us`, `_micros`, `_microseconds`.
    Microseconds,
    /// `_ms`, `_millis`, `_milliseconds`.
    Milliseconds,
    /// `_s`, `_secs`, `_seconds`.
    Seconds,
    /// `_mins`, `_minutes`.
    Minutes,
    /// `_hours`.
    Hours,
    /// `_days`.
    Days,
}

impl Unit {
    /// Returns the name of the unit.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Microseconds => "microseconds",
            Self::Milliseconds => "milliseconds",
            Self::Seconds => "seconds",
            Self::Minutes => "minutes",
            Self::Hours => "hours",
            Self::Days => "days",
        }
    }

    /// Returns a duration in whole units, rounded down.
    pub(crate) fn of(self, span: Duration) -> u64 {
        match self {
            Self::Microseconds => u64::try_from(span.as_micros()).unwrap_or(u64::MAX),
            Self::Milliseconds => u64::try_from(span.as_millis()).unwrap_or(u64::MAX),
            Self::Seconds => span.as_secs(),
            Self::Minutes => span.as_secs() / 60,
            Self::Hours => span.as_secs() / 3600,
            Self::Days => span.as_secs() / 86_400,
        }
    }
}
