//! Groups of fields within an event.

use crate::field::value::Field;
use crate::schema::FieldSchema;

/// A struct whose fields are sent as an object within an event. Implement it with [`derive@crate::Properties`].
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a group of fields",
    label = "this type does not derive `Properties`",
    note = "derive it: `#[derive(candor::Properties)]`"
)]
pub trait Properties: Field {
    /// The schemas of the fields.
    const FIELDS: &'static [FieldSchema];
}
