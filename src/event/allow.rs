//! Limits on what may be sent: strict mode, and the allow-list of dynamic events. Fields of derived events are not
//! checked again, because their types already limit them.

use serde_json::Value;

use super::reserved;
use crate::json::{self, MAX_DEPTH};
use crate::observe::LossReason;
use crate::schema::fit;
use crate::schema::{Declarations, FieldSchema, Schema};

/// What the application allows to be sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Allowed {
    pub(crate) declared: Option<Declarations>,
    pub(crate) is_strict: bool,
    /// The allowed property names of events without a schema, if they are limited.
    pub(crate) dynamic: Option<Vec<String>>,
}

/// What an event may contain.
#[derive(Clone, Copy, Debug)]
pub(super) enum Filter<'a> {
    /// Properties with these names.
    Names(&'a [String]),
    /// What a schema and its catalogue declare.
    Declared { schema: &'static Schema, around: Option<&'a Declarations> },
}

impl Allowed {
    /// Returns whether everything may be sent.
    #[inline]
    pub(crate) fn everything(&self) -> bool {
        !self.is_strict && self.dynamic.is_none()
    }

    /// Returns what an event may contain, or `None` if it may contain anything.
    pub(super) fn filter(
        &self,
        name: &str,
        schema: Option<&'static Schema>,
    ) -> Result<Option<Filter<'_>>, LossReason> {
        let around = self.declared.as_ref();
        if !self.is_strict {
            return Ok(match (schema, &self.dynamic) {
                (None, Some(names)) => Some(Filter::Names(names)),
                _ => None,
            });
        }
        let declared = match (schema, around) {
            (Some(schema), None) => Some(schema),
            (Some(schema), Some(around)) => around.events.iter().find(|known| same(known, schema)).copied(),
            (None, around) => around.and_then(|around| around.event(name)),
        };
        match declared.filter(|schema| schema.name == name) {
            Some(schema) => Ok(Some(Filter::Declared { schema, around })),
            None => Err(LossReason::Undeclared),
        }
    }

    /// Returns whether a property of the client may be sent with every event.
    pub(crate) fn admits_common(&self, name: &str, text: &[u8]) -> bool {
        if !self.is_strict {
            return true;
        }
        let common = self.declared.map_or(&[][..], |declared| declared.super_properties);
        json::parse(text, MAX_DEPTH).is_some_and(|value| is_declared(common, name, &value))
    }

    /// Returns whether the client may have a group of this type.
    pub(crate) fn admits_group(&self, kind: &str) -> bool {
        !self.is_strict || self.declared.is_some_and(|declared| declared.has_group(kind))
    }
}

impl Filter<'_> {
    /// Returns whether an event may have a property.
    pub(super) fn admits(&self, name: &str, text: &[u8]) -> bool {
        match self {
            Self::Names(names) => names.iter().any(|known| known == name),
            Self::Declared { schema, around } => {
                let Some(value) = json::parse(text, MAX_DEPTH) else { return false };
                if name == reserved::GROUPS {
                    let groups = value.as_object();
                    return groups.is_some_and(|groups| {
                        groups
                            .iter()
                            .all(|(kind, key)| key.as_str().is_some_and(|key| self.admits_group(kind, key)))
                    });
                }
                let common = around.map_or(&[][..], |around| around.super_properties);
                let is_librarys =
                    reserved::OF_THE_LIBRARY.contains(&name) && (value.is_string() || value.is_boolean());
                is_librarys || is_declared(schema.fields, name, &value) || is_declared(common, name, &value)
            }
        }
    }

    /// Returns whether an event may belong to a group.
    pub(super) fn admits_group(&self, kind: &str, key: &str) -> bool {
        match self {
            Self::Names(_) => true,
            Self::Declared { schema, around } => {
                around.is_some_and(|around| around.has_group(kind))
                    || is_declared(schema.groups, kind, &Value::from(key))
            }
        }
    }

    /// Returns whether an event may have this distinct id.
    pub(super) fn admits_id(&self, id: &str) -> bool {
        match self {
            Self::Names(_) => true,
            Self::Declared { schema, .. } => {
                let is_context_id = schema.or_id_of_context && fit::is_context_id(id);
                is_context_id || schema.distinct_id.kind.admits(&Value::from(id))
            }
        }
    }
}

fn is_declared(fields: &[FieldSchema], name: &str, value: &Value) -> bool {
    fields.iter().any(|field| field.name == name && field.kind.admits(value))
}

/// Compares two schemas, which are usually the same static.
fn same(one: &'static Schema, two: &'static Schema) -> bool {
    std::ptr::eq(one, two) || one.name == two.name && one == two
}
