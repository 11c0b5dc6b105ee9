//! What an event sends, as a value known when the program is compiled.
//!
//! Never holds a value that was sent.

use super::field::{FieldSchema, FieldType, TextPolicy};

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
    pub(crate) or_id_of_context: bool,
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
        Self {
            name,
            description,
            why,
            purpose: Purpose::Usage,
            link: None,
            since: None,
            distinct_id,
            groups,
            fields,
            has_client_groups: true,
            or_id_of_context: false,
        }
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

    #[doc(hidden)]
    #[must_use]
    pub const fn or_id_of_context(mut self, or_id_of_context: bool) -> Self {
        self.or_id_of_context = or_id_of_context;
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

    /// Returns whether an event without a distinct id of its own takes that of the [`Context`](crate::Context) in
    /// force: its id is optional, or `distinct_id = context`.
    pub const fn takes_id_of_context(&self) -> bool {
        self.or_id_of_context || matches!(self.distinct_id.kind, FieldType::Text(TextPolicy::Context))
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

/// An event whose schema is known when the program is compiled: what `#[derive(Event)]` implements.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no schema, so the catalogue cannot show it",
    label = "not an event that derives `Event`",
    note = "derive it: `#[derive(candor::Event)]`"
)]
pub trait Catalogued {
    /// What the event sends.
    const SCHEMA: &'static Schema;
}
