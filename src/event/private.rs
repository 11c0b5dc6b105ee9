//! Items for the code that the derives generate, reached as `candor::__private`. Not part of the public API.

pub use super::encoder::Encoder;
pub use super::inline::{AsIs, Id, InlineEvent, Key, bare};
pub use crate::field::Items;
pub use crate::field::{DurationField, IntegerField, Switch};
pub use crate::field::{Encode, MemberName, ValueWriter, Written};
pub use crate::field::{Hashable, Raw, RawText, Text, raw_kind, write_raw_text, write_typed, write_with};

use crate::timestamp::Timestamp;
use uuid::Uuid;

/// The time at which an event happened, if it is known.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a point in time",
    label = "expected `candor::Timestamp` or `std::time::SystemTime`"
)]
pub trait Instant {
    /// Returns the time, if it is known.
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

/// Sets the time at which the event happened.
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
