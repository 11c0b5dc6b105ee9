//! The values of fields: their traits, writers, hashes and labels.

mod aggregate;
mod hashed;
mod label;
mod list;
mod measure;
mod properties;
mod pseudonym;
mod std_values;
mod text;
mod value;

pub use aggregate::{Count, Histogram};
pub use hashed::Hashed;
pub(crate) use hashed::{write_hash, write_hex};
pub use label::{ClosedLabel, Label};
pub use list::Items;
pub use measure::{DurationField, IntegerField, Switch};
pub use properties::Properties;
pub(crate) use pseudonym::Epoch;
pub use pseudonym::PseudonymKey;
pub use text::{Hashable, Raw, RawText, Text, raw_kind, write_raw_text, write_typed, write_with};
pub use value::{Encode, Field, Identifier, MemberName, ValueWriter, Written};
pub(crate) use value::{FieldLosses, member};
