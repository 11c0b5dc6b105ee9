//! What the derives need and nobody else: reached as `candor::__private`.
//!
//! Never part of the public interface.

pub use super::encoder::Encoder;
pub use crate::field::Items;
pub use crate::field::{DurationField, IntegerField, Switch};
pub use crate::field::{Encode, MemberName, ValueWriter, Written};
pub use crate::field::{Hashable, Raw, Text, raw_kind, write_typed, write_with};

use crate::timestamp::Timestamp;
use uuid::Uuid;

/// When an event happened, perhaps unknown.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a point in time",
    label = "expected `candor::Timestamp` or `std::time::SystemTime`"
)]
pub trait Instant {
    /// Returns the instant, if it is known.
    fn instant(&self) -> Option<Timestamp>;
}

impl<T: Copy + Into<Timestamp>> Instant for T {
    fn instant(&self) -> Option<Timestamp> {
        Some((*self).into())
    }
}

impl<T: Copy + Into<Timestamp>> Instant for Option<T> {
    fn instant(&self) -> Option<Timestamp> {
        self.map(Into::into)
    }
}

/// Sets when the event happened.
pub fn set_timestamp<T: Instant>(value: &T, event: &mut Encoder<'_>) {
    if let Some(at) = value.instant() {
        event.timestamp(at);
    }
}

/// Sets the id of the event.
pub fn set_uuid<T: Copy + Into<Option<Uuid>>>(value: &T, event: &mut Encoder<'_>) {
    if let Some(uuid) = (*value).into() {
        event.uuid(uuid);
    }
}
