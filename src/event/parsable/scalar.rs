//! Writes the values of most properties, which are text, numbers and booleans, in one step.

use std::fmt;

use serde::ser::{self, Impossible, Serialize};

use crate::json::write_string;

/// Writes a value that is neither an object nor an array as JSON text. On an error, nothing is written.
pub(super) struct Scalar<'a>(pub(super) &'a mut Vec<u8>);

/// The reason that nothing was written.
#[derive(Debug)]
pub(super) enum NotScalar {
    /// The value is a number that is not finite.
    NotFinite,
    /// The value is not a scalar, or its own code returned an error.
    Other,
}

impl fmt::Display for NotScalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a scalar")
    }
}

impl std::error::Error for NotScalar {}

impl ser::Error for NotScalar {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Other
    }
}

type Result<T> = std::result::Result<T, NotScalar>;

/// Writes the value with `serde_json`. Writing to a vector cannot fail.
macro_rules! as_serde_json {
    ($($method:ident: $type:ty),* $(,)?) => {
        $(#[inline] fn $method(self, value: $type) -> Result<()> {
            serde_json::to_writer(self.0, &value).map_err(|_| NotScalar::Other)
        })*
    };
}

macro_rules! other {
    ($($method:ident($($type:ty),*) -> $what:ty),* $(,)?) => {
        $(#[inline] fn $method(self, $(_: $type),*) -> Result<$what> { Err(NotScalar::Other) })*
    };
}

impl ser::Serializer for Scalar<'_> {
    type Ok = ();
    type Error = NotScalar;
    type SerializeSeq = Impossible<(), NotScalar>;
    type SerializeTuple = Impossible<(), NotScalar>;
    type SerializeTupleStruct = Impossible<(), NotScalar>;
    type SerializeTupleVariant = Impossible<(), NotScalar>;
    type SerializeMap = Impossible<(), NotScalar>;
    type SerializeStruct = Impossible<(), NotScalar>;
    type SerializeStructVariant = Impossible<(), NotScalar>;

    as_serde_json! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128,
        serialize_char: char,
    }

    other! {
        serialize_bytes(&[u8]) -> (),
        serialize_seq(Option<usize>) -> Self::SerializeSeq,
        serialize_tuple(usize) -> Self::SerializeTuple,
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct,
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant,
        serialize_map(Option<usize>) -> Self::SerializeMap,
        serialize_struct(&'static str, usize) -> Self::SerializeStruct,
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant,
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Result<()> {
        self.0.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    #[inline]
    fn serialize_str(self, value: &str) -> Result<()> {
        write_string(self.0, value);
        Ok(())
    }

    #[inline]
    fn serialize_f32(self, value: f32) -> Result<()> {
        if !value.is_finite() {
            return Err(NotScalar::NotFinite);
        }
        serde_json::to_writer(self.0, &value).map_err(|_| NotScalar::Other)
    }

    #[inline]
    fn serialize_f64(self, value: f64) -> Result<()> {
        if !value.is_finite() {
            return Err(NotScalar::NotFinite);
        }
        serde_json::to_writer(self.0, &value).map_err(|_| NotScalar::Other)
    }

    #[inline]
    fn serialize_none(self) -> Result<()> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit(self) -> Result<()> {
        self.0.extend_from_slice(b"null");
        Ok(())
    }

    #[inline]
    fn serialize_unit_struct(self, _: &'static str) -> Result<()> {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<()> {
        self.serialize_str(variant)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<()> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_newtype_variant<T>(self, _: &'static str, _: u32, _: &'static str, _: &T) -> Result<()>
    where
        T: Serialize + ?Sized,
    {
        Err(NotScalar::Other)
    }
}
