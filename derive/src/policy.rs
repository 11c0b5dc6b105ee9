//! The closed list of ways in which a field can be made safe.

use proc_macro2::Span;
use syn::Type;

/// How a field is made safe.
pub(crate) enum Policy {
    /// By its type.
    Typed,
    /// A prefix and SHA-256.
    Hashed(String),
    /// The first hexadecimal digits of SHA-256.
    Hex(usize),
    /// A prefix and HMAC with the client's secret.
    Keyed(String),
    /// Text that matches a pattern.
    Pattern { pattern: PatternSource, max: usize, other: Option<String> },
    /// A word of a known set of labels.
    Label(Box<Type>),
    /// As it is, for a reason.
    Raw {
        reason: String,
        max: usize,
        pattern: Option<PatternSource>,
        /// Whether the application has set `max` or `pattern`, which apply only to text.
        is_limited: bool,
    },
    /// The label of the bucket that contains the number.
    Bucket { bounds: Vec<i64>, unit: Option<Unit> },
    /// A duration in whole units.
    Duration(Unit),
    /// A boolean as 0 or 1.
    Number,
}

/// A pattern with its span, for compiler messages.
pub(crate) struct PatternSource {
    pub(crate) source: String,
    pub(crate) span: Span,
    /// The number in the name of the static that holds the compiled pattern.
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
    /// Returns the unit that a field's name ends with, if any.
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
