//! What an event sends, as a value known when the program is compiled.
//! Takes what the derives found in the source; gives names, kinds, policies and texts.
//! Never holds a value that was sent.

use super::label::Labels;
use super::measure::Unit;
use super::pattern::Pattern;

/// Why an event is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Purpose {
    /// To see how the software is used.
    #[default]
    Usage,
    /// To see what fails.
    Error,
    /// To tell which versions are in use and whether a newer one is there.
    UpdateCheck,
}

impl Purpose {
    /// Returns the name that the catalogue shows.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Error => "error",
            Self::UpdateCheck => "update check",
        }
    }
}

/// What one kind of event sends. Made by `#[derive(candor::Event)]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Schema {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) why: &'static str,
    pub(crate) purpose: Purpose,
    pub(crate) link: Option<&'static str>,
    pub(crate) since: Option<&'static str>,
    pub(crate) distinct_id: FieldSchema,
    pub(crate) groups: &'static [FieldSchema],
    pub(crate) fields: &'static [FieldSchema],
    pub(crate) has_client_groups: bool,
}

impl Schema {
    #[doc(hidden)]
    pub const fn new(
        name: &'static str,
        description: &'static str,
        why: &'static str,
        distinct_id: FieldSchema,
        groups: &'static [FieldSchema],
        fields: &'static [FieldSchema],
    ) -> Self {
        let purpose = Purpose::Usage;
        let (link, since, has_client_groups) = (None, None, true);
        Self { name, description, why, purpose, link, since, distinct_id, groups, fields, has_client_groups }
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn with(
        mut self,
        purpose: Purpose,
        link: Option<&'static str>,
        since: Option<&'static str>,
    ) -> Self {
        self.purpose = purpose;
        self.link = link;
        self.since = since;
        self
    }

    #[doc(hidden)]
    #[must_use]
    pub const fn without_client_groups(mut self) -> Self {
        self.has_client_groups = false;
        self
    }

    /// Returns the name of the event.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Returns what the event says: the first paragraph of the doc comment.
    pub const fn description(&self) -> &'static str {
        self.description
    }

    /// Returns why it is sent: the other paragraphs of the doc comment, or `why = "..."`.
    pub const fn why(&self) -> &'static str {
        self.why
    }

    /// Returns the category of its purpose.
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Returns where more is said about the event.
    pub const fn link(&self) -> Option<&'static str> {
        self.link
    }

    /// Returns the first version that sends the event.
    pub const fn since(&self) -> Option<&'static str> {
        self.since
    }

    /// Returns who or what the event is about.
    pub const fn distinct_id(&self) -> &FieldSchema {
        &self.distinct_id
    }

    /// Returns the groups that the event itself sets.
    pub const fn groups(&self) -> &'static [FieldSchema] {
        self.groups
    }

    /// Returns whether the groups of the client are sent with the event.
    pub const fn has_client_groups(&self) -> bool {
        self.has_client_groups
    }

    /// Returns the properties.
    pub const fn fields(&self) -> &'static [FieldSchema] {
        self.fields
    }
}

/// What one field sends.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FieldSchema {
    pub(crate) name: &'static str,
    pub(crate) description: &'static str,
    pub(crate) kind: Kind,
    pub(crate) required: bool,
    pub(crate) raw: Option<&'static str>,
    pub(crate) example: Option<&'static str>,
    pub(crate) since: Option<&'static str>,
}

impl FieldSchema {
    #[doc(hidden)]
    pub const fn new(name: &'static str, description: &'static str, kind: Kind, required: bool) -> Self {
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
    pub const fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Returns whether every event has the field. One that can be dropped is not required.
    pub const fn is_required(&self) -> bool {
        self.required && !self.kind.can_be_dropped()
    }

    /// Returns the reason why the value is sent as it is, where it is.
    pub const fn raw(&self) -> Option<&'static str> {
        self.raw
    }

    /// Returns the first version that sends the field.
    pub const fn since(&self) -> Option<&'static str> {
        self.since
    }
}

/// What values a field can have.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// `true` or `false`.
    Boolean,
    /// 0 or 1.
    ZeroOrOne,
    /// An integer within bounds.
    Integer {
        /// The least value.
        least: i64,
        /// The greatest value.
        most: u64,
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
        /// The unit, where the number is a duration.
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
        of: &'static Kind,
        /// How many at most.
        most: usize,
    },
    /// An object with labels as names.
    Map {
        /// The names.
        keys: &'static Labels,
        /// The values.
        values: &'static Kind,
        /// How many at most.
        most: u32,
    },
    /// How often each label occurred.
    Histogram {
        /// The labels.
        keys: &'static Labels,
        /// How many different ones at most.
        most: u32,
    },
}

impl Kind {
    /// Returns whether a value of this kind can turn out not to be sendable.
    const fn can_be_dropped(&self) -> bool {
        match self {
            Self::Text(policy) => !matches!(
                policy,
                TextPolicy::Hashed { .. }
                    | TextPolicy::Hex { .. }
                    | TextPolicy::Constant(_)
                    | TextPolicy::Pattern { other: Some(_), .. }
            ),
            Self::Label(Labels::Pattern { .. }) => true,
            _ => false,
        }
    }
}

/// How a text is made safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TextPolicy {
    /// SHA-256 in unpadded base64url behind a prefix.
    Hashed {
        /// The prefix, where the field fixes it.
        prefix: Option<&'static str>,
    },
    /// The first hexadecimal digits of SHA-256.
    Hex {
        /// How many.
        digits: usize,
    },
    /// HMAC-SHA256 under a local secret that rotates, in unpadded base64url behind a prefix.
    Keyed {
        /// The prefix.
        prefix: &'static str,
    },
    /// As it is, where it matches; otherwise `other`, or not at all.
    Pattern {
        /// What matches.
        pattern: &'static Pattern,
        /// How many characters at most.
        most: usize,
        /// What is sent in place of what does not match.
        other: Option<&'static str>,
    },
    /// A fixed text.
    Constant(&'static str),
    /// As it is, for the reason that the field gives.
    Raw {
        /// How many characters at most; longer text is dropped.
        most: usize,
        /// What it must match besides.
        pattern: Option<&'static Pattern>,
    },
}
