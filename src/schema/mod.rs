//! Schemas: what an event may contain, as data.

mod declarations;
mod event;
mod field;
pub(crate) mod fit;
mod labels;
mod pattern;
mod unit;

pub(crate) use declarations::Declarations;
pub use event::{Purpose, Schema};
pub use field::{FieldSchema, FieldType, TextPolicy};
pub use labels::{Labels, Word};
pub use pattern::Pattern;
pub use unit::Unit;
