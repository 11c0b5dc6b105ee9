//! What values a field can have, and how text is made safe.
//! Gives the closed list of kinds and policies, with what the catalogue needs to know of each.
//! Never holds a value that was sent.

use crate::schema::labels::Labels;
use crate::schema::pattern::Pattern;
use crate::schema::unit::Unit;

/// What values a field can have.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum FieldType {
    /// `true` or `false`.
    Boolean,
    /// 0 or 1.
    ZeroOrOne,
    /// An integer within bounds.
    Integer {
        /// The least value.
        min: i64,
        /// The greatest value.
        max: u64,
    },
    /// A finite number.
    Number,
    /// How often something happened.
    Count,
    /// A duration in whole units.
    Duration {
        /// The unit.
        unit: Unit,
    },
    /// The label of the bucket in which a number lies.
    Bucket {
        /// All labels.
        labels: &'static [&'static str],
        /// The unit, if the number is a duration.
        unit: Option<Unit>,
    },
    /// An instant in UTC, as RFC 3339 text.
    Timestamp,
    /// A word out of a known set.
    Label(&'static Labels),
    /// Text under a policy.
    Text(TextPolicy),
    /// An object with fields of its own.
    Object(&'static [FieldSchema]),
    /// A list with a bound.
    List {
        /// What its items are.
        of: &'static FieldType,
        /// How many at most.
        max: usize,
    },
    /// An object with labels as names.
    Map {
        /// The names.
        keys: &'static Labels,
        /// The values.
        values: &'static FieldType,
        /// How many at most.
        max: u32,
    },
    /// How often each label occurred.
    Histogram {
        /// The labels.
        keys: &'static Labels,
        /// How many different ones at most.
        max: u32,
    },
}

impl FieldType {
    /// Returns whether a value of this kind can turn out not to be sendable.
    pub(crate) const fn can_be_dropped(&self) -> bool {
        match self {
            Self::Text(policy) => !matches!(
                policy,
                TextPolicy::Hashed { .. }
                    | TextPolicy::Hex { .. }
                    | TextPolicy::Constant(_)
                    | TextPolicy::Pattern { other: Some(_), .. }
            ),
            // A number that is not finite is left out.
            Self::Number | Self::Label(Labels::Pattern { .. }) => true,
            _ => false,
        }
    }
}

/// How a text is made safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextPolicy {
    /// SHA-256 in unpadded base64url after a prefix.
    Hashed {
        /// The prefix, if the field fixes it.
        prefix: Option<&'static str>,
    },
    /// The first hexadecimal digits of SHA-256.
    Hex {
        /// How many.
        digits: usize,
    },
    /// HMAC-SHA256 under a local secret that rotates, in unpadded base64url after a prefix.
    Keyed {
        /// The prefix.
        prefix: &'static str,
    },
    /// As it is, if it matches; otherwise `other`, or not at all.
    Pattern {
        /// What matches.
        pattern: &'static Pattern,
        /// How many characters at most.
        max: usize,
        /// What is sent in place of what does not match.
        other: Option<&'static str>,
    },
    /// The distinct id of the [`Context`](crate::Context) in force, as it is.
    Context,
    /// A fixed text.
    Constant(&'static str),
    /// As it is, for the reason that the field gives.
    Raw {
        /// How many characters at most; longer text is dropped.
        max: usize,
        /// What it must match besides.
        pattern: Option<&'static Pattern>,
    },
}

/// What one field sends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FieldSchema {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) kind: FieldType,
    pub(crate) required: bool,
    pub(crate) raw: Option<&'static str>,
    pub(crate) example: Option<&'static str>,
    pub(crate) since: Option<&'static str>,
}

impl FieldSchema {
    #[doc(hidden)]
    pub const fn new(name: &'static str, description: &'static str, kind: FieldType, required: bool) -> Self {
        Self { name, description, kind, required, raw: None, example: None, since: None }
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn with(
        mut self,
        raw: Option<&'static str>,
        example: Option<&'static str>,
        since: Option<&'static str>,
    ) -> Self {
        self.raw = raw;
        self.example = example;
        self.since = since;
        self
    }

    /// Returns the name under which the field is sent.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns what the field says, from its doc comment.
    pub const fn description(&self) -> &'static str {
        self.description
    }

    /// Returns what values it can have.
    pub const fn kind(&self) -> &FieldType {
        &self.kind
    }

    /// Returns whether every event has the field. One that can be dropped is not required.
    pub const fn is_required(&self) -> bool {
        self.required && !self.kind.can_be_dropped()
    }

    /// Returns the reason why the value is sent as it is, if it is.
    pub const fn raw(&self) -> Option<&'static str> {
        self.raw
    }

    /// Returns the first version that sends the field.
    pub const fn since(&self) -> Option<&'static str> {
        self.since
    }
}
