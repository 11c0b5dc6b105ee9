//! Text that a policy makes safe.

use std::borrow::Cow;
use std::num::{
    NonZeroI8, NonZeroI16, NonZeroI32, NonZeroI64, NonZeroI128, NonZeroIsize, NonZeroU8, NonZeroU16,
    NonZeroU32, NonZeroU64, NonZeroU128, NonZeroUsize,
};
use std::rc::Rc;
use std::sync::Arc;

use uuid::Uuid;

use crate::field::hashed::{go_json_sha256, write_hash, write_hex};
use crate::field::value::{Encode, Field, ValueWriter, Written};
use crate::json::write_string;
use crate::schema::Labels;
use crate::schema::Pattern;
use crate::schema::{FieldType, TextPolicy};

/// Text, owned or borrowed, that can be absent.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not text, so a text policy does not apply",
    label = "expected `String`, `&str` or similar",
    note = "`pattern` and `label` are for text; convert another value to text first, for example with `.to_string()`"
)]
pub trait Text {
    /// Whether the text can be absent.
    const OPTIONAL: bool = false;

    /// Returns the text, if there is one.
    fn text(&self) -> Option<&str>;

    /// Writes the text if it matches and is not too long; otherwise writes `other`, or drops the value.
    fn write_pattern(
        &self,
        pattern: &'static Pattern,
        max: usize,
        other: Option<&'static str>,
        writer: &mut ValueWriter<'_>,
    ) -> Written {
        let Some(text) = self.text() else { return Written::Absent };
        // Matching text is ASCII, so each byte is a character.
        if text.len() <= max && pattern.matches(text) {
            write_string(writer.out, text);
            return Written::Value;
        }
        write_other(other, writer)
    }

    /// Writes the text if it is one of the labels; otherwise writes their `other`, or drops the value.
    fn write_label(&self, labels: &Labels, writer: &mut ValueWriter<'_>) -> Written {
        let Some(text) = self.text() else { return Written::Absent };
        if labels.admits(text) {
            write_string(writer.out, text);
            return Written::Value;
        }
        write_other(labels.other(), writer)
    }
}

impl Text for str {
    #[inline]
    fn text(&self) -> Option<&str> {
        Some(self)
    }
}

impl Text for String {
    #[inline]
    fn text(&self) -> Option<&str> {
        Some(self)
    }
}

impl Text for Cow<'_, str> {
    #[inline]
    fn text(&self) -> Option<&str> {
        Some(self)
    }
}

macro_rules! through {
    ($($type:ty),*) => {$(
        impl<T: Text + ?Sized> Text for $type {
            const OPTIONAL: bool = T::OPTIONAL;

            #[inline]
            fn text(&self) -> Option<&str> {
                (**self).text()
            }
        }
    )*};
}

through!(&T, Box<T>, Rc<T>, Arc<T>);

impl<T: Text> Text for Option<T> {
    const OPTIONAL: bool = true;

    #[inline]
    fn text(&self) -> Option<&str> {
        self.as_ref()?.text()
    }
}

/// An id that can be hashed: text, a whole number or a UUID; it can be absent. A number is hashed as its decimal
/// digits, a UUID in lower case with hyphens.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be hashed",
    label = "expected text, a whole number or a `Uuid`",
    note = "convert another value to text first, for example with `.to_string()`"
)]
pub trait Hashable {
    /// Whether the id can be absent.
    const OPTIONAL: bool = false;

    /// Calls `read` with the id as text, if there is an id.
    fn with_text<R>(&self, read: impl FnOnce(&str) -> R) -> Option<R>;

    /// Writes a prefix and the hash of the id; empty text stays empty.
    fn write_hashed(&self, prefix: &'static str, writer: &mut ValueWriter<'_>) -> Written {
        write_some(self, writer, |text, writer| {
            write_hash(prefix, &go_json_sha256(text), writer.out);
            Written::Value
        })
    }

    /// Writes the first hexadecimal digits of the hash of the id; empty text stays empty.
    fn write_hashed_hex(&self, digits: usize, writer: &mut ValueWriter<'_>) -> Written {
        write_some(self, writer, |text, writer| {
            write_hex(text, digits, writer.out);
            Written::Value
        })
    }

    /// Writes the pseudonym of the id, or drops the value if the client has no key. Empty text stays empty.
    fn write_keyed(&self, prefix: &'static str, writer: &mut ValueWriter<'_>) -> Written {
        write_some(self, writer, |text, writer| {
            let Some(epoch) = writer.epoch else { return Written::Dropped };
            write_hash(prefix, &epoch.pseudonym(prefix, text), writer.out);
            Written::Value
        })
    }
}

macro_rules! hashable_text {
    ($($type:ty),*) => {$(
        impl Hashable for $type {
            #[inline]
            fn with_text<R>(&self, read: impl FnOnce(&str) -> R) -> Option<R> {
                Some(read(self))
            }
        }
    )*};
}

hashable_text!(str, String, Cow<'_, str>);

macro_rules! hashable_numbers {
    ($($type:ty),*) => {$(
        impl Hashable for $type {
            fn with_text<R>(&self, read: impl FnOnce(&str) -> R) -> Option<R> {
                // The longest is `i128::MIN`: 39 digits and a sign.
                let mut digits = [0; 40];
                let mut rest = digits.as_mut_slice();
                serde_json::to_writer(&mut rest, self).ok()?;
                let written = 40 - rest.len();
                digits.get(..written).and_then(|digits| std::str::from_utf8(digits).ok()).map(read)
            }
        }
    )*};
}

hashable_numbers!(
    u8,
    u16,
    u32,
    u64,
    u128,
    usize,
    i8,
    i16,
    i32,
    i64,
    i128,
    isize,
    NonZeroU8,
    NonZeroU16,
    NonZeroU32,
    NonZeroU64,
    NonZeroU128,
    NonZeroUsize,
    NonZeroI8,
    NonZeroI16,
    NonZeroI32,
    NonZeroI64,
    NonZeroI128,
    NonZeroIsize
);

impl Hashable for Uuid {
    fn with_text<R>(&self, read: impl FnOnce(&str) -> R) -> Option<R> {
        Some(read(self.hyphenated().encode_lower(&mut Uuid::encode_buffer())))
    }
}

macro_rules! hashable_through {
    ($($type:ty),*) => {$(
        impl<T: Hashable + ?Sized> Hashable for $type {
            const OPTIONAL: bool = T::OPTIONAL;

            #[inline]
            fn with_text<R>(&self, read: impl FnOnce(&str) -> R) -> Option<R> {
                (**self).with_text(read)
            }
        }
    )*};
}

hashable_through!(&T, Box<T>, Rc<T>, Arc<T>);

impl<T: Hashable> Hashable for Option<T> {
    const OPTIONAL: bool = true;

    #[inline]
    fn with_text<R>(&self, read: impl FnOnce(&str) -> R) -> Option<R> {
        self.as_ref()?.with_text(read)
    }
}

/// A value that may be sent as it is if a reason is given.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent raw",
    label = "expected text, a `Uuid` or a value that is safe by its type",
    note = "convert it to text or to a number first"
)]
pub trait Raw {
    /// The type that the catalogue shows, if the value is not text.
    const KIND: Option<FieldType>;

    /// Whether the value can be absent.
    const OPTIONAL: bool;

    /// Writes the value, or drops text that exceeds its limits.
    fn write_raw(&self, max: usize, pattern: Option<&Pattern>, writer: &mut ValueWriter<'_>) -> Written;
}

impl<F: Field> Raw for F {
    const KIND: Option<FieldType> = Some(F::KIND);
    const OPTIONAL: bool = F::OPTIONAL;

    #[inline]
    fn write_raw(&self, _: usize, _: Option<&Pattern>, writer: &mut ValueWriter<'_>) -> Written {
        self.write(writer)
    }
}

/// A value that is sent raw as text, so `pattern` and `max` apply to it.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not sent as text, so `pattern` and `max` do not apply to it",
    label = "expected text or a `Uuid`",
    note = "remove `pattern` and `max`, or convert the value to text first"
)]
pub trait RawText: Raw {}

/// Writes raw text for which the application has set limits.
#[doc(hidden)]
#[inline]
pub fn write_raw_text<T: RawText + ?Sized>(
    value: &T,
    max: usize,
    pattern: Option<&Pattern>,
    writer: &mut ValueWriter<'_>,
) -> Written {
    value.write_raw(max, pattern, writer)
}

macro_rules! raw_text {
    ($($type:ty),* $(,)?) => {$(
        impl RawText for $type {}

        impl Raw for $type {
            const KIND: Option<FieldType> = None;
            const OPTIONAL: bool = <Self as Text>::OPTIONAL;

            #[inline]
            fn write_raw(&self, max: usize, pattern: Option<&Pattern>, writer: &mut ValueWriter<'_>) -> Written {
                self.text().map_or(Written::Absent, |text| write_text(text, max, pattern, writer))
            }
        }
    )*};
}

raw_text!(
    str,
    String,
    &str,
    &String,
    Box<str>,
    Rc<str>,
    Arc<str>,
    Cow<'_, str>,
    &Cow<'_, str>,
    &&str,
    Option<String>,
    Option<&str>,
    Option<&String>,
    Option<Box<str>>,
    Option<Rc<str>>,
    Option<Arc<str>>,
    Option<Cow<'_, str>>,
    &Option<String>,
);

macro_rules! raw_uuid {
    ($($type:ty),*) => {$(
        impl RawText for $type {}

        impl Raw for $type {
            const KIND: Option<FieldType> = None;
            const OPTIONAL: bool = <Self as Hashable>::OPTIONAL;

            fn write_raw(&self, max: usize, pattern: Option<&Pattern>, writer: &mut ValueWriter<'_>) -> Written {
                self.with_text(|text| write_text(text, max, pattern, writer)).unwrap_or(Written::Absent)
            }
        }
    )*};
}

raw_uuid!(Uuid, &Uuid, Option<Uuid>, Option<&Uuid>);

fn write_text(text: &str, max: usize, pattern: Option<&Pattern>, writer: &mut ValueWriter<'_>) -> Written {
    let fits = text.len() <= max || text.chars().count() <= max;
    if !fits || pattern.is_some_and(|pattern| !pattern.matches(text)) {
        return Written::Dropped;
    }
    write_string(writer.out, text);
    Written::Value
}

/// Returns the type that the catalogue shows for a raw field.
#[doc(hidden)]
pub const fn raw_kind(kind: Option<FieldType>, max: usize, pattern: Option<&'static Pattern>) -> FieldType {
    match kind {
        Some(kind) => kind,
        None => FieldType::Text(TextPolicy::Raw { max, pattern }),
    }
}

/// A value that the function of its policy writes.
#[doc(hidden)]
#[derive(Debug)]
pub struct WriteWith<F>(F);

impl<F: Fn(&mut ValueWriter<'_>) -> Written> Encode for WriteWith<F> {
    #[inline]
    fn write(&self, writer: &mut ValueWriter<'_>) -> Written {
        (self.0)(writer)
    }
}

/// A value that is safe because of its type, with the functions of that type.
#[doc(hidden)]
#[derive(Debug)]
pub struct WriteTyped<W, S> {
    write: W,
    switch: S,
}

impl<W: Fn(&mut ValueWriter<'_>) -> Written, S: Fn() -> Option<bool>> Encode for WriteTyped<W, S> {
    #[inline]
    fn write(&self, writer: &mut ValueWriter<'_>) -> Written {
        (self.write)(writer)
    }

    #[inline]
    fn switch(&self) -> Option<bool> {
        (self.switch)()
    }
}

/// Creates a value from a function that writes it, and one that returns it if it is a boolean.
#[doc(hidden)]
#[inline]
pub fn write_typed<W, S>(write: W, switch: S) -> WriteTyped<W, S>
where
    W: Fn(&mut ValueWriter<'_>) -> Written,
    S: Fn() -> Option<bool>,
{
    WriteTyped { write, switch }
}

/// Creates a value from a function that writes it.
#[doc(hidden)]
#[inline]
pub fn write_with<F: Fn(&mut ValueWriter<'_>) -> Written>(write: F) -> WriteWith<F> {
    WriteWith(write)
}

fn write_other(other: Option<&'static str>, writer: &mut ValueWriter<'_>) -> Written {
    let Some(other) = other else { return Written::Dropped };
    writer.clamped();
    write_string(writer.out, other);
    Written::Value
}

fn write_some<T: Hashable + ?Sized>(
    value: &T,
    writer: &mut ValueWriter<'_>,
    write: impl FnOnce(&str, &mut ValueWriter<'_>) -> Written,
) -> Written {
    let written = value.with_text(|text| match text {
        "" => writer.literal("\"\""),
        text => write(text, writer),
    });
    written.unwrap_or(Written::Absent)
}
