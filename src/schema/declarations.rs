//! What a catalogue declares, as far as strict mode needs it.

use super::event::Schema;
use super::field::FieldSchema;

/// The events of a program, and what all of them may carry besides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Declarations {
    pub(crate) events: &'static [&'static Schema],
    pub(crate) super_properties: &'static [FieldSchema],
    pub(crate) groups: &'static [(&'static str, &'static str)],
}

impl Declarations {
    /// Returns the schema of an event by its name.
    pub(crate) fn event(&self, name: &str) -> Option<&'static Schema> {
        self.events.iter().find(|schema| schema.name() == name).copied()
    }

    /// Returns whether the client may have a group of this type.
    pub(crate) fn has_group(&self, group_type: &str) -> bool {
        self.groups.iter().any(|(known, _)| *known == group_type)
    }
}
