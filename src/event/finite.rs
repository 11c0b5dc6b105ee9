//! Finds numbers that JSON cannot hold.
//!
//! Never writes anything: `serde_json` would turn such a number into `null` without a word.

use std::fmt;

use serde::ser::{self, Serialize};

use crate::observe::LossReason;

/// Returns whether every number in `value` is finite. For values without floats this compiles to nothing.
#[inline]
pub(super) fn is_finite<V: Serialize + ?Sized>(value: &V) -> bool {
    // A failure of the value's own `Serialize` is not about numbers; it shows again when it is written.
    !matches!(value.serialize(Check), Err(Stop::NotFinite))
}

/// Writes a value as JSON text, with the reason that keeps it from being sent.
pub(crate) fn to_json<V: Serialize + ?Sized>(value: &V) -> Result<Vec<u8>, LossReason> {
    if !is_finite(value) {
        return Err(LossReason::NotFinite);
    }
    serde_json::to_vec(value).map_err(|_| LossReason::Unserializable)
}

#[derive(Debug)]
enum Stop {
    NotFinite,
    Other,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not finite")
    }
}

impl std::error::Error for Stop {}

impl ser::Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Other
    }
}

#[derive(Clone, Copy)]
struct Check;

type Checked = Result<(), Stop>;

macro_rules! plain {
    ($($method:ident: $type:ty),* $(,)?) => {
        $(#[inline] fn $method(self, _: $type) -> Checked { Ok(()) })*
    };
}

macro_rules! open {
    ($($method:ident($($type:ty),*)),* $(,)?) => {
        $(#[inline] fn $method(self, $(_: $type),*) -> Result<Self, Stop> { Ok(self) })*
    };
}

impl ser::Serializer for Check {
    type Ok = ();
    type Error = Stop;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Self;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    plain! {
        serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32,
        serialize_i64: i64, serialize_i128: i128, serialize_u8: u8, serialize_u16: u16,
        serialize_u32: u32, serialize_u64: u64, serialize_u128: u128, serialize_char: char,
        serialize_str: &str, serialize_bytes: &[u8], serialize_unit_struct: &'static str,
    }

    open! {
        serialize_seq(Option<usize>), serialize_tuple(usize), serialize_map(Option<usize>),
        serialize_tuple_struct(&'static str, usize), serialize_struct(&'static str, usize),
        serialize_tuple_variant(&'static str, u32, &'static str, usize),
        serialize_struct_variant(&'static str, u32, &'static str, usize),
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Checked {
        if value.is_finite() { Ok(()) } else { Err(Stop::NotFinite) }
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Checked {
        if value.is_finite() { Ok(()) } else { Err(Stop::NotFinite) }
    }

    #[inline]
    fn serialize_none(self) -> Checked {
        Ok(())
    }

    #[inline]
    fn serialize_unit(self) -> Checked {
        Ok(())
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Checked {
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit_variant(self, _: &'static str, _: u32, _: &'static str) -> Checked {
        Ok(())
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Checked {
        value.serialize(self)
    }

    #[inline]
    fn serialize_newtype_variant<T>(self, _: &'static str, _: u32, _: &'static str, value: &T) -> Checked
    where
        T: Serialize + ?Sized,
    {
        value.serialize(self)
    }
}

macro_rules! compound {
    ($($trait:ident :: $method:ident ($($name:ty)?)),* $(,)?) => {
        $(impl ser::$trait for Check {
            type Ok = ();
            type Error = Stop;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, $(_: $name,)? value: &T) -> Checked {
                value.serialize(*self)
            }

            #[inline]
            fn end(self) -> Checked {
                Ok(())
            }
        })*
    };
}

compound! {
    SerializeSeq::serialize_element(),
    SerializeTuple::serialize_element(),
    SerializeTupleStruct::serialize_field(),
    SerializeTupleVariant::serialize_field(),
    SerializeStruct::serialize_field(&'static str),
    SerializeStructVariant::serialize_field(&'static str),
}

impl ser::SerializeMap for Check {
    type Ok = ();
    type Error = Stop;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Checked {
        key.serialize(*self)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Checked {
        value.serialize(*self)
    }

    fn end(self) -> Checked {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::is_finite;
    use std::collections::BTreeMap;

    #[test]
    fn finds_a_number_that_is_not_finite_wherever_it_hides() {
        assert!(is_finite(&1.5_f64));
        assert!(!is_finite(&f64::NAN));
        assert!(!is_finite(&f32::INFINITY));
        assert!(!is_finite(&Some(f64::NEG_INFINITY)));
        assert!(!is_finite(&[1.0, f64::NAN]));
        assert!(!is_finite(&("a", 1, f64::NAN)));
        assert!(!is_finite(&BTreeMap::from([("a", vec![Some(f64::NAN)])])));
        assert!(is_finite(&BTreeMap::from([("a", vec![Some(0.0)])])));
        assert!(is_finite("text"));
    }
}
