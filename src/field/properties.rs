//! Groups of fields within an event.
//!
//! Never an event by itself.

use crate::field::value::Field;
use crate::schema::FieldSchema;

/// A struct whose fields are an object within an event. Derive it, see [`derive@crate::Properties`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a group of fields",
    label = "not declared as properties",
    note = "derive it: `#[derive(candor::Properties)]`"
)]
pub trait Properties: Field {
    /// What the fields send.
    const FIELDS: &'static [FieldSchema];
}
