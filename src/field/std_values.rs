//! The standard types that are safe to send. A number that JSON cannot represent is dropped, never sent as `null`.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::num::{NonZeroU8, NonZeroU16, NonZeroU32, NonZeroU64, NonZeroUsize};

use crate::field::label::Label;
use crate::field::value::{Encode, Field, Identifier, ValueWriter, Written};
use crate::json::write_string;
use crate::observe::LossReason;
use crate::schema::FieldType;
use crate::timestamp::{Rfc3339, Timestamp};

/// The maximum number of entries of a map or a histogram; further entries are dropped and counted.
pub(crate) const MAX_ENTRIES: u32 = 256;

impl Encode for bool {
    #[inline]
    fn write(&self, writer: &mut ValueWriter<'_>) -> Written {
        writer.literal(if *self { "true" } else { "false" })
    }

    #[inline]
    fn switch(&self) -> Option<bool> {
        Some(*self)
    }
}

impl Field for bool {
    const KIND: FieldType = FieldType::Boolean;
}

macro_rules! integers {
    ($($type:ty: $min:expr, $max:expr);* $(;)?) => {$(
        impl Encode for $type {
            #[inline]
            fn write(&self, writer: &mut ValueWriter<'_>) -> Written {
                // Writing to a vector cannot fail.
                let _ = serde_json::to_writer(&mut *writer.out, self);
                Written::Value
            }
        }

        impl Field for $type {
            const KIND: FieldType = FieldType::Integer { min: $min as i64, max: $max as u64 };
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
            fn write(&self, writer: &mut ValueWriter<'_>) -> Written {
                if !self.is_finite() {
                    writer.losses.refused = Some(LossReason::NotFinite);
                    return Written::Dropped;
                }
                let _ = serde_json::to_writer(&mut *writer.out, self);
                Written::Value
            }
        }

        impl Field for $type {
            const KIND: FieldType = FieldType::Number;
        }
    )*};
}

floats!(f32, f64);

impl Encode for Timestamp {
    fn write(&self, writer: &mut ValueWriter<'_>) -> Written {
        writer.out.push(b'"');
        Rfc3339::default().write(*self, writer.out);
        writer.out.push(b'"');
        Written::Value
    }
}

impl Field for Timestamp {
    const KIND: FieldType = FieldType::Timestamp;
}

impl<T: Encode + ?Sized> Encode for &T {
    #[inline]
    fn write(&self, writer: &mut ValueWriter<'_>) -> Written {
        (**self).write(writer)
    }

    #[inline]
    fn switch(&self) -> Option<bool> {
        (**self).switch()
    }
}

impl<T: Field + ?Sized> Field for &T {
    const KIND: FieldType = T::KIND;
    const OPTIONAL: bool = T::OPTIONAL;
}

impl<T: Identifier + ?Sized> Identifier for &T {}

impl<T: Encode + ?Sized> Encode for Box<T> {
    #[inline]
    fn write(&self, writer: &mut ValueWriter<'_>) -> Written {
        (**self).write(writer)
    }
}

impl<T: Field + ?Sized> Field for Box<T> {
    const KIND: FieldType = T::KIND;
    const OPTIONAL: bool = T::OPTIONAL;
}

impl<T: Encode + ToOwned + ?Sized> Encode for Cow<'_, T> {
    #[inline]
    fn write(&self, writer: &mut ValueWriter<'_>) -> Written {
        (**self).write(writer)
    }
}

impl<T: Field + ToOwned + ?Sized> Field for Cow<'_, T> {
    const KIND: FieldType = T::KIND;
    const OPTIONAL: bool = T::OPTIONAL;
}

impl<T: Encode> Encode for Option<T> {
    #[inline]
    fn write(&self, writer: &mut ValueWriter<'_>) -> Written {
        self.as_ref().map_or(Written::Absent, |value| value.write(writer))
    }
}

impl<T: Field> Field for Option<T> {
    const KIND: FieldType = T::KIND;
    const OPTIONAL: bool = true;
}

impl<T: Identifier> Identifier for Option<T> {}

impl<T: Encode, const N: usize> Encode for [T; N] {
    fn write(&self, writer: &mut ValueWriter<'_>) -> Written {
        crate::field::list::write(self, N, writer, Encode::write)
    }
}

impl<T: Field, const N: usize> Field for [T; N] {
    const KIND: FieldType = FieldType::List { of: &T::KIND, max: N };
}

impl<T: Identifier, const N: usize> Identifier for [T; N] {}

impl<L: Label, V: Encode> Encode for BTreeMap<L, V> {
    fn write(&self, writer: &mut ValueWriter<'_>) -> Written {
        write_map(self.iter(), writer)
    }
}

impl<L: Label, V: Field> Field for BTreeMap<L, V> {
    const KIND: FieldType = FieldType::Map { keys: &L::LABELS, values: &V::KIND, max: MAX_ENTRIES };
}

impl<L: Label, V: Encode, S> Encode for HashMap<L, V, S> {
    fn write(&self, writer: &mut ValueWriter<'_>) -> Written {
        write_map(self.iter(), writer)
    }
}

impl<L: Label, V: Field, S> Field for HashMap<L, V, S> {
    const KIND: FieldType = FieldType::Map { keys: &L::LABELS, values: &V::KIND, max: MAX_ENTRIES };
}

fn write_map<'m, L, V>(entries: impl Iterator<Item = (&'m L, &'m V)>, writer: &mut ValueWriter<'_>) -> Written
where
    L: Label + 'm,
    V: Encode + 'm,
{
    write_entries(entries.map(|(key, value)| (key.checked(), value)), writer)
}

/// Writes entries as an object; entries without a key or beyond the limit are dropped and counted.
pub(crate) fn write_entries<'m, V: Encode + 'm>(
    entries: impl Iterator<Item = (Option<&'m str>, &'m V)>,
    writer: &mut ValueWriter<'_>,
) -> Written {
    writer.out.push(b'{');
    let mut written = 0;
    for (key, value) in entries {
        let Some(key) = key.filter(|_| written < MAX_ENTRIES) else {
            writer.dropped();
            continue;
        };
        let start = writer.out.len();
        if written > 0 {
            writer.out.push(b',');
        }
        write_string(writer.out, key);
        writer.out.push(b':');
        match value.write(writer) {
            Written::Value => written += 1,
            Written::Absent => writer.out.truncate(start),
            Written::Dropped => {
                writer.dropped();
                writer.out.truncate(start);
            }
        }
    }
    writer.out.push(b'}');
    Written::Value
}
