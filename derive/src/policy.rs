//! How a field is made safe.
//! Gives the closed list of ways.
//! Never knows the field's name or place.

use proc_macro2::Span;
use syn::Type;

/// How a field is made safe.
pub(crate) enum Policy {
    /// By its type.
    Typed,
    /// SHA-256 after a prefix.
    Hashed(String),
    /// The first hexadecimal digits of SHA-256.
    Hex(usize),
    /// HMAC under the client's secret, after a prefix.
    Keyed(String),
    /// What matches.
    Pattern { pattern: PatternSource, max: usize, other: Option<String> },
    /// A word of a known set.
    Label(Box<Type>),
    /// As it is, for a reason.
    Raw { reason: String, max: usize, pattern: Option<PatternSource> },
    /// In a bucket.
    Bucket { bounds: Vec<i64>, unit: Option<Unit> },
    /// Whole units.
    Duration(Unit),
    /// A boolean as 0 or 1.
    Number,
}

/// A pattern with its place, for the compiler's messages.
pub(crate) struct PatternSource {
    pub(crate) source: String,
    pub(crate) span: Span,
    /// The name of the static that holds it compiled.
    pub(crate) index: usize,
}

/// A unit of durations.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Microseconds,
    Milliseconds,
    Seconds,
    Minutes,
    Hours,
    Days,
}

impl Unit {
    /// Returns the unit that a field's name ends with.
    pub(crate) fn of_name(name: &str) -> Option<Self> {
        const ENDS: [(&[&str], Unit); 6] = [
            (&["us", "micros", "microseconds"], Unit::Microseconds),
            (&["ms", "millis", "milliseconds"], Unit::Milliseconds),
            (&["s", "secs", "seconds"], Unit::Seconds),
            (&["minutes", "mins"], Unit::Minutes),
            (&["hours"], Unit::Hours),
            (&["days"], Unit::Days),
        ];
        let snake = crate::names::Case::Snake.apply(name).replace('-', "_");
        let last = snake.rsplit('_').next().unwrap_or_default();
        ENDS.iter().find(|(ends, _)| ends.contains(&last)).map(|(_, unit)| *unit)
    }

    /// Returns the name of the variant.
    pub(crate) fn variant(self) -> &'static str {
        match self {
            Self::Microseconds => "Microseconds",
            Self::Milliseconds => "Milliseconds",
            Self::Seconds => "Seconds",
            Self::Minutes => "Minutes",
            Self::Hours => "Hours",
            Self::Days => "Days",
        }
    }
}
