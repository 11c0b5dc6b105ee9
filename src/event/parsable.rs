//! Writes values as JSON that a receiver can parse, or returns why that is impossible. A number that is not finite
//! is refused, since `serde_json` would silently write `null`.

mod scalar;

use std::cell::Cell;
use std::fmt;

use serde::ser::{self, Serialize};

use crate::json::{self, MAX_DEPTH};
use crate::observe::LossReason;
use scalar::{NotScalar, Scalar};

/// Appends a value as JSON text. On an error, `out` is unchanged.
#[inline]
pub(super) fn write<V: Serialize + ?Sized>(out: &mut Vec<u8>, value: &V) -> Result<(), LossReason> {
    match value.serialize(Scalar(out)) {
        Ok(()) => Ok(()),
        Err(NotScalar::NotFinite) => Err(LossReason::NotFinite),
        Err(NotScalar::Other) => write_compound(out, value),
    }
}

/// Checks the value first, and writes it then.
fn write_compound<V: Serialize + ?Sized>(out: &mut Vec<u8>, value: &V) -> Result<(), LossReason> {
    let has_raw = Cell::new(false);
    // Any other error is the value's own, and occurs again when the value is written.
    match value.serialize(Check { depth: 0, has_raw: &has_raw }) {
        Err(Stop::NotFinite) => return Err(LossReason::NotFinite),
        Err(Stop::TooDeep) => return Err(LossReason::Unserializable),
        Ok(()) | Err(Stop::Other) => {}
    }
    let start = out.len();
    let is_written = serde_json::to_writer(&mut *out, value).is_ok();
    if is_written && (!has_raw.get() || is_readable(out.get(start..).unwrap_or_default())) {
        return Ok(());
    }
    out.truncate(start);
    Err(LossReason::Unserializable)
}

/// Returns a value as JSON text, or the reason that it cannot be sent.
pub(crate) fn to_json<V: Serialize + ?Sized>(value: &V) -> Result<Vec<u8>, LossReason> {
    let mut out = Vec::new();
    write(&mut out, value).map(|()| out)
}

/// Returns whether a receiver could parse JSON text that was written elsewhere.
#[cold]
fn is_readable(text: &[u8]) -> bool {
    json::parse(text, MAX_DEPTH).is_some()
}

#[derive(Debug)]
enum Stop {
    NotFinite,
    TooDeep,
    Other,
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not JSON that a receiver can parse")
    }
}

impl std::error::Error for Stop {}

impl ser::Error for Stop {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Other
    }
}

/// Checks a value without writing it. For a value that contains neither floats nor other values this compiles to
/// nothing.
#[derive(Clone, Copy)]
struct Check<'a> {
    /// The number of objects and arrays around the value.
    depth: usize,
    /// Whether a part of the value is raw JSON text, as the types of `serde_json` mark it.
    has_raw: &'a Cell<bool>,
}

impl Check<'_> {
    #[inline]
    fn deeper(self, by: usize) -> Result<Self, Stop> {
        let depth = self.depth + by;
        if depth > MAX_DEPTH { Err(Stop::TooDeep) } else { Ok(Self { depth, ..self }) }
    }
}

type Checked = Result<(), Stop>;

macro_rules! plain {
    ($($method:ident: $type:ty),* $(,)?) => {
        $(#[inline] fn $method(self, _: $type) -> Checked { Ok(()) })*
    };
}

macro_rules! open {
    ($($method:ident($($type:ty),*) by $depth:literal),* $(,)?) => {
        $(#[inline] fn $method(self, $(_: $type),*) -> Result<Self, Stop> { self.deeper($depth) })*
    };
}

impl ser::Serializer for Check<'_> {
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
        serialize_seq(Option<usize>) by 1, serialize_tuple(usize) by 1, serialize_map(Option<usize>) by 1,
        serialize_tuple_struct(&'static str, usize) by 1,
        serialize_tuple_variant(&'static str, u32, &'static str, usize) by 2,
        serialize_struct_variant(&'static str, u32, &'static str, usize) by 2,
    }

    #[inline]
    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Self, Stop> {
        if name.starts_with("$serde_json::private::") {
            self.has_raw.set(true);
        }
        self.deeper(1)
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
        value.serialize(self.deeper(1)?)
    }
}

macro_rules! compound {
    ($($trait:ident :: $method:ident ($($name:ty)?)),* $(,)?) => {
        $(impl ser::$trait for Check<'_> {
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

impl ser::SerializeMap for Check<'_> {
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
    use std::collections::BTreeMap;

    use serde::ser::{Serialize, SerializeStruct, Serializer};
    use serde_json::value::RawValue;

    use super::to_json;
    use crate::json::MAX_DEPTH;
    use crate::observe::LossReason;

    #[test]
    fn a_number_that_is_not_finite_is_found_at_any_depth() {
        let is_finite = |result: Result<Vec<u8>, LossReason>| match result {
            Ok(_) => true,
            Err(reason) => {
                assert_eq!(reason, LossReason::NotFinite);
                false
            }
        };
        assert!(is_finite(to_json(&1.5_f64)));
        assert!(!is_finite(to_json(&f64::NAN)));
        assert!(!is_finite(to_json(&f32::INFINITY)));
        assert!(!is_finite(to_json(&Some(f64::NEG_INFINITY))));
        assert!(!is_finite(to_json(&[1.0, f64::NAN])));
        assert!(!is_finite(to_json(&("a", 1, f64::NAN))));
        assert!(!is_finite(to_json(&BTreeMap::from([("a", vec![Some(f64::NAN)])]))));
        assert!(is_finite(to_json(&BTreeMap::from([("a", vec![Some(0.0)])]))));
        assert!(is_finite(to_json("text")));
    }

    #[test]
    fn raw_json_is_parsed_before_it_is_sent() {
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        let deep = format!("{}{}", "[".repeat(200), "]".repeat(200));
        for text in ["1e999", r#""\ud800""#, r#"{"a":["\udc00"]}"#, &deep] {
            assert_eq!(to_json(&raw(text)), Err(LossReason::Unserializable), "{text}");
            assert_eq!(to_json(&vec![Some(raw(text))]), Err(LossReason::Unserializable), "{text}");
        }
        assert_eq!(to_json(&raw(r#"{"a":[1,"\u00e9"]}"#)).unwrap(), br#"{"a":[1,"\u00e9"]}"#);
        assert_eq!(to_json(&(raw("1"), f64::NAN)), Err(LossReason::NotFinite));
    }

    /// Claims to be raw JSON, but is not.
    struct Forged;

    impl Serialize for Forged {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let mut object = serializer.serialize_struct("$serde_json::private::RawValue", 1)?;
            object.serialize_field("$serde_json::private::RawValue", "1},{\"event\":\"forged\"")?;
            object.end()
        }
    }

    #[test]
    fn forged_raw_json_cannot_break_out_of_its_value() {
        assert_eq!(to_json(&Forged), Err(LossReason::Unserializable));
        assert_eq!(to_json(&[Forged]), Err(LossReason::Unserializable));
    }

    /// Arrays nested to this depth.
    struct Nested(usize);

    impl Serialize for Nested {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq((1..self.0).take(1).map(|_| Self(self.0 - 1)))
        }
    }

    #[test]
    fn a_value_that_is_nested_too_deeply_is_refused_without_exhausting_the_stack() {
        assert_eq!(to_json(&Nested(MAX_DEPTH)).unwrap().len(), 2 * MAX_DEPTH);
        assert_eq!(to_json(&Nested(MAX_DEPTH + 1)), Err(LossReason::Unserializable));
        assert_eq!(to_json(&Nested(usize::MAX)), Err(LossReason::Unserializable));
    }
}
