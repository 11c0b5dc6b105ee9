//! The values of fields: traits, writers, hashes, labels.

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
pub use list::{Items, list};
pub use measure::{DurationField, IntegerField, Switch, duration, write_bucket, write_zero_or_one};
pub use properties::Properties;
pub(crate) use pseudonym::Epoch;
pub use pseudonym::PseudonymKey;
pub use text::{
    Raw, Text, raw_kind, write_hashed, write_hashed_hex, write_keyed, write_label, write_pattern, write_with,
};
pub use value::{Encode, Field, Identifier, MemberName, ValueWriter, Written};
pub(crate) use value::{FieldLosses, member};
