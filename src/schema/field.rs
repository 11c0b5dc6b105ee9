//! The schema of a field: the values that it can have, and how text is made safe.

use crate::schema::labels::Labels;
use crate::schema::pattern::Pattern;
use crate::schema::unit::Unit;

/// The values that a field can have.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum FieldType {
    /// `true` or `false`.
    Boolean,
    /// 0 or 1.
    ZeroOrOne,
    /// An integer within bounds.
    Integer {
        /// The minimum.
        min: i64,
        /// The maximum.
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
    /// The label of the bucket that contains a number.
    Bucket {
        /// The labels of all buckets.
        labels: &'static [&'static str],
        /// The unit, if the number is a duration.
        unit: Option<Unit>,
    },
    /// A timestamp in UTC, as RFC 3339 text.
    Timestamp,
    /// A word from a known set.
    Label(&'static Labels),
    /// Text that a policy makes safe.
    Text(TextPolicy),
    /// An object with its own fields.
    Object(&'static [FieldSchema]),
    /// A list of limited length.
    List {
        /// The type of its items.
        of: &'static FieldType,
        /// The maximum number of items.
        max: usize,
    },
    /// An object whose names are labels.
    Map {
        /// The labels.
        keys: &'static Labels,
        /// The type of the values.
        values: &'static FieldType,
        /// The maximum number of entries.
        max: u32,
    },
    /// How often each label occurred.
    Histogram {
        /// The labels.
        keys: &'static Labels,
        /// The maximum number of different labels.
        max: u32,
    },
}

impl FieldType {
    /// Returns whether a value of this type can be dropped instead of sent.
    pub(crate) const fn can_be_dropped(&self) -> bool {
        match self {
            Self::Text(policy) => !matches!(
                policy,
                TextPolicy::Hashed { .. }
                    | TextPolicy::Hex { .. }
                    | TextPolicy::Constant(_)
                    | TextPolicy::Pattern { other: Some(_), .. }
            ),
            // A number that is not finite is dropped.
            Self::Number | Self::Label(Labels::Pattern { .. }) => true,
            _ => false,
        }
    }
}

/// How text is made safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextPolicy {
    /// A prefix and SHA-256 in unpadded base64url.
    Hashed {
        /// The prefix, if the field sets it.
        prefix: Option<&'static str>,
    },
    /// The first hexadecimal digits of SHA-256.
    Hex {
        /// The number of digits.
        digits: usize,
    },
    /// A prefix and HMAC-SHA256 with a local secret that rotates, in unpadded base64url.
    Keyed {
        /// The prefix.
        prefix: &'static str,
    },
    /// Unchanged if it matches; otherwise `other` is sent, or nothing.
    Pattern {
        /// The pattern.
        pattern: &'static Pattern,
        /// The maximum number of characters.
        max: usize,
        /// The text that replaces text that does not match.
        other: Option<&'static str>,
    },
    /// The distinct id of the active [`Context`](crate::Context), unchanged.
    Context,
    /// Fixed text.
    Constant(&'static str),
    /// Unchanged, for the reason that the field gives.
    Raw {
        /// The maximum number of characters; longer text is dropped.
        max: usize,
        /// The pattern that it must also match; other text is dropped.
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

    /// Returns the description of the field, from its doc comment.
    pub const fn description(&self) -> &'static str {
        self.description
    }

    /// Returns the values that the field can have.
    pub const fn kind(&self) -> &FieldType {
        &self.kind
    }

    /// Returns whether every event has the field. A field whose value can be dropped is not required.
    pub const fn is_required(&self) -> bool {
        self.required && !self.kind.can_be_dropped()
    }

    /// Returns the reason for sending the value as it is, if the field is raw.
    pub const fn raw(&self) -> Option<&'static str> {
        self.raw
    }

    /// Returns the first version that sends the field.
    pub const fn since(&self) -> Option<&'static str> {
        self.since
    }
}
