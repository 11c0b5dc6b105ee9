//! Schemas: what an event may contain, as data. The catalogue is generated from them.
//!
//! `#[derive(Event)]` implements [`Catalogued`], whose [`Schema`] has one [`FieldSchema`] for each property. Read it to
//! build your own page, check or relay; implement it by hand only for an event that is not derived.

mod declarations;
mod event;
mod field;
pub(crate) mod fit;
mod labels;
mod pattern;
mod unit;

pub use crate::field::ClosedLabel;
pub(crate) use declarations::Declarations;
pub use event::{Catalogued, Purpose, Schema};
pub use field::{FieldSchema, FieldType, TextPolicy};
pub use labels::{Labels, Word};
pub use pattern::Pattern;
pub use unit::Unit;
