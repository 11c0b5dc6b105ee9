//! The declarations of a catalogue that strict mode needs.

use super::event::Schema;
use super::field::FieldSchema;

/// The events of a program, and the super properties and groups that they may carry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Declarations {
    pub(crate) events: &'static [&'static Schema],
    pub(crate) super_properties: &'static [FieldSchema],
    pub(crate) groups: &'static [(&'static str, &'static str)],
}

impl Declarations {
    /// Returns the schema of the event with this name.
    pub(crate) fn event(&self, name: &str) -> Option<&'static Schema> {
        self.events.iter().find(|schema| schema.name() == name).copied()
    }

    /// Returns whether the client may have a group of this type.
    pub(crate) fn has_group(&self, group_type: &str) -> bool {
        self.groups.iter().any(|(known, _)| *known == group_type)
    }
}
