//! The schema of an event, known at compile time.

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
    /// To tell which versions are in use and whether a newer one is available.
    UpdateCheck,
}

impl Purpose {
    /// Returns the name that the catalogue shows, such as `update check`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::Error => "error",
            Self::UpdateCheck => "update check",
        }
    }
}

/// What one kind of event sends. Created by `#[derive(candor::Event)]`.
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

    /// Returns the description of the event: the first paragraph of its doc comment.
    pub const fn description(&self) -> &'static str {
        self.description
    }

    /// Returns why the event is sent: `why = "..."`, or the other paragraphs of its doc comment.
    pub const fn why(&self) -> &'static str {
        self.why
    }

    /// Returns the purpose of the event.
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }

    /// Returns the address of more information about the event.
    pub const fn link(&self) -> Option<&'static str> {
        self.link
    }

    /// Returns the first version that sends the event.
    pub const fn since(&self) -> Option<&'static str> {
        self.since
    }

    /// Returns the schema of the distinct id.
    pub const fn distinct_id(&self) -> &FieldSchema {
        &self.distinct_id
    }

    /// Returns whether the event can use the distinct id of the active [`Context`](crate::Context): its own id is
    /// optional, or it has `distinct_id = context`.
    pub const fn takes_id_of_context(&self) -> bool {
        self.or_id_of_context || matches!(self.distinct_id.kind, FieldType::Text(TextPolicy::Context))
    }

    /// Returns the schemas of the groups that the event itself sets.
    pub const fn groups(&self) -> &'static [FieldSchema] {
        self.groups
    }

    /// Returns whether the groups of the client are sent with the event.
    pub const fn has_client_groups(&self) -> bool {
        self.has_client_groups
    }

    /// Returns the schemas of the properties.
    pub const fn fields(&self) -> &'static [FieldSchema] {
        self.fields
    }
}

/// An event whose schema is known at compile time. Implemented by `#[derive(Event)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no schema, so the catalogue cannot show it",
    label = "this type does not derive `Event`",
    note = "derive it: `#[derive(candor::Event)]`"
)]
pub trait Catalogued {
    /// The schema of the event.
    const SCHEMA: &'static Schema;
}
