//! The types of the language that are safe as they are.
//! Takes numbers, booleans, options, arrays and maps; writes them as JSON.
//! Never turns a number that JSON cannot hold into `null`: the event is flawed then.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::num::{NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64, NonZeroUsize};

use super::common::write_string;
use super::field::{Encode, Field, Identifier, Outcome, Slot};
use super::flaw::Flaw;
use super::kind::Kind;
use super::label::Label;
use super::timestamp::{Rfc3339, Timestamp};

/// At most this many entries of a map or a histogram leave; the others are dropped and counted.
pub(super) const MOST_ENTRIES: u32 = 256;

impl Encode for bool {
    #[inline]
    fn put(&self, slot: &mut Slot<'_>) -> Outcome {
        slot.literal(if *self { "true" } else { "false" })
    }
}

impl Field for bool {
    const KIND: Kind = Kind::Boolean;
}

macro_rules! integers {
    ($($type:ty: $min:expr, $max:expr);* $(;)?) => {$(
        impl Encode for $type {
            #[inline]
            fn put(&self, slot: &mut Slot<'_>) -> Outcome {
                // Writing to a vector cannot fail.
                let _ = serde_json::to_writer(&mut *slot.out, self);
                Outcome::Written
            }
        }

        impl Field for $type {
            const KIND: Kind = Kind::Integer { least: $min as i64, most: $max as u64 };
        }
    )*};
}

integers! {
    u8: 0, u8::MAX;
    u16: 0, u16::MAX;
    u32: 0, u32::MAX;
    u64: 0, u64::MAX;
    usize: 0, usize::MAX;
    i8: i8::MIN, i8::MAX;
    i16: i16::MIN, i16::MAX;
    i32: i32::MIN, i32::MAX;
    i64: i64::MIN, i64::MAX;
    isize: isize::MIN, isize::MAX;
    NonZeroU8: 1, u8::MAX;
    NonZeroU16: 1, u16::MAX;
    NonZeroU32: 1, u32::MAX;
    NonZeroU64: 1, u64::MAX;
    NonZeroUsize: 1, usize::MAX;
}

macro_rules! floats {
    ($($type:ty),*) => {$(
        impl Encode for $type {
            #[inline]
            fn put(&self, slot: &mut Slot<'_>) -> Outcome {
                if !self.is_finite() {
                    slot.tally.flaw.get_or_insert(Flaw::NotFinite);
                    return Outcome::Absent;
                }
                let _ = serde_json::to_writer(&mut *slot.out, self);
                Outcome::Written
            }
        }

        impl Field for $type {
            const KIND: Kind = Kind::Number;
        }
    )*};
}

floats!(f32, f64);

impl Encode for Timestamp {
    fn put(&self, slot: &mut Slot<'_>) -> Outcome {
        slot.out.push(b'"');
        Rfc3339::default().write(*self, slot.out);
        slot.out.push(b'"');
        Outcome::Written
    }
}

impl Field for Timestamp {
    const KIND: Kind = Kind::Timestamp;
}

impl<T: Encode + ?Sized> Encode for &T {
    #[inline]
    fn put(&self, slot: &mut Slot<'_>) -> Outcome {
        (**self).put(slot)
    }
}

impl<T: Field + ?Sized> Field for &T {
    const KIND: Kind = T::KIND;
    const OPTIONAL: bool = T::OPTIONAL;
}

impl<T: Identifier + ?Sized> Identifier for &T {}

impl<T: Encode + ?Sized> Encode for Box<T> {
    #[inline]
    fn put(&self, slot: &mut Slot<'_>) -> Outcome {
        (**self).put(slot)
    }
}

impl<T: Field + ?Sized> Field for Box<T> {
    const KIND: Kind = T::KIND;
    const OPTIONAL: bool = T::OPTIONAL;
}

impl<T: Encode + ToOwned + ?Sized> Encode for Cow<'_, T> {
    #[inline]
    fn put(&self, slot: &mut Slot<'_>) -> Outcome {
        (**self).put(slot)
    }
}

impl<T: Field + ToOwned + ?Sized> Field for Cow<'_, T> {
    const KIND: Kind = T::KIND;
    const OPTIONAL: bool = T::OPTIONAL;
}

impl<T: Encode> Encode for Option<T> {
    #[inline]
    fn put(&self, slot: &mut Slot<'_>) -> Outcome {
        self.as_ref().map_or(Outcome::Absent, |value| value.put(slot))
    }
}

impl<T: Field> Field for Option<T> {
    const KIND: Kind = T::KIND;
    const OPTIONAL: bool = true;
}

impl<T: Identifier> Identifier for Option<T> {}

impl<T: Encode, const N: usize> Encode for [T; N] {
    fn put(&self, slot: &mut Slot<'_>) -> Outcome {
        super::list::write(self, N, slot, Encode::put)
    }
}

impl<T: Field, const N: usize> Field for [T; N] {
    const KIND: Kind = Kind::List { of: &T::KIND, most: N };
}

impl<T: Identifier, const N: usize> Identifier for [T; N] {}

impl<L: Label, V: Encode> Encode for BTreeMap<L, V> {
    fn put(&self, slot: &mut Slot<'_>) -> Outcome {
        write_map(self.iter(), slot)
    }
}

impl<L: Label, V: Field> Field for BTreeMap<L, V> {
    const KIND: Kind = Kind::Map { keys: &L::LABELS, values: &V::KIND, most: MOST_ENTRIES };
}

impl<L: Label, V: Encode, S> Encode for HashMap<L, V, S> {
    fn put(&self, slot: &mut Slot<'_>) -> Outcome {
        write_map(self.iter(), slot)
    }
}

impl<L: Label, V: Field, S> Field for HashMap<L, V, S> {
    const KIND: Kind = Kind::Map { keys: &L::LABELS, values: &V::KIND, most: MOST_ENTRIES };
}

fn write_map<'m, L, V>(entries: impl Iterator<Item = (&'m L, &'m V)>, slot: &mut Slot<'_>) -> Outcome
where
    L: Label + 'm,
    V: Encode + 'm,
{
    write_entries(entries.map(|(key, value)| (key.checked(), value)), slot)
}

/// Writes an object of entries; one without a key is dropped and counted, as is what is beyond the limit.
pub(super) fn write_entries<'m, V: Encode + 'm>(
    entries: impl Iterator<Item = (Option<&'m str>, &'m V)>,
    slot: &mut Slot<'_>,
) -> Outcome {
    slot.out.push(b'{');
    let mut written = 0;
    for (key, value) in entries {
        let Some(key) = key.filter(|_| written < MOST_ENTRIES) else {
            slot.dropped();
            continue;
        };
        let start = slot.out.len();
        if written > 0 {
            slot.out.push(b',');
        }
        write_string(slot.out, key);
        slot.out.push(b':');
        match value.put(slot) {
            Outcome::Written => written += 1,
            Outcome::Absent => slot.out.truncate(start),
            Outcome::Dropped => {
                slot.dropped();
                slot.out.truncate(start);
            }
        }
    }
    slot.out.push(b'}');
    Outcome::Written
}
