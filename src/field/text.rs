//! Text under a policy.
//!
//! Never lets text through that its policy does not name.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use uuid::Uuid;

use crate::field::hashed::{go_json_sha256, write_hash, write_hex};
use crate::field::label::Label;
use crate::field::value::{Encode, Field, ValueWriter, Written};
use crate::json::write_string;
use crate::schema::{FieldType, Pattern, TextPolicy};

/// Text, owned or borrowed, perhaps absent.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not text, so a text policy does not apply",
    label = "not `String`, `&str` or the like",
    note = "`hashed`, `keyed`, `pattern` and `label` are for text; convert other values to text first"
)]
pub trait Text {
    /// Whether the text can be absent.
    const OPTIONAL: bool = false;

    /// Returns the text, if there is one.
    fn text(&self) -> Option<&str>;
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

/// A value that may be sent as it is, if a reason is given.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent raw",
    label = "neither text nor a value that is safe by its type",
    note = "convert it to text or to a number first"
)]
pub trait Raw {
    /// What the catalogue says if the value is not text.
    const KIND: Option<FieldType>;

    /// Whether the value can be absent.
    const OPTIONAL: bool;

    /// Writes the value; text within its limits.
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

macro_rules! raw_text {
    ($($type:ty),* $(,)?) => {$(
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

impl Raw for Uuid {
    const KIND: Option<FieldType> = None;
    const OPTIONAL: bool = false;

    fn write_raw(&self, max: usize, pattern: Option<&Pattern>, writer: &mut ValueWriter<'_>) -> Written {
        write_text(self.hyphenated().encode_lower(&mut Uuid::encode_buffer()), max, pattern, writer)
    }
}

fn write_text(text: &str, max: usize, pattern: Option<&Pattern>, writer: &mut ValueWriter<'_>) -> Written {
    let fits = text.len() <= max || text.chars().count() <= max;
    if !fits || pattern.is_some_and(|pattern| !pattern.matches(text)) {
        return Written::Dropped;
    }
    write_string(writer.out, text);
    Written::Value
}

/// Returns what the catalogue says about a raw field.
#[doc(hidden)]
pub const fn raw_kind(kind: Option<FieldType>, max: usize, pattern: Option<&'static Pattern>) -> FieldType {
    match kind {
        Some(kind) => kind,
        None => FieldType::Text(TextPolicy::Raw { max, pattern }),
    }
}

/// A value written by a function of its policy.
#[doc(hidden)]
#[derive(Debug)]
pub struct WriteWith<F>(F);

impl<F: Fn(&mut ValueWriter<'_>) -> Written> Encode for WriteWith<F> {
    #[inline]
    fn write(&self, writer: &mut ValueWriter<'_>) -> Written {
        (self.0)(writer)
    }
}

/// Creates a value of a function that writes it.
#[doc(hidden)]
#[inline]
pub fn write_with<F: Fn(&mut ValueWriter<'_>) -> Written>(write: F) -> WriteWith<F> {
    WriteWith(write)
}

/// Writes the hash of a text after a prefix; an empty text stays empty.
#[doc(hidden)]
pub fn write_hashed<T: Text + ?Sized>(
    value: &T,
    prefix: &'static str,
    writer: &mut ValueWriter<'_>,
) -> Written {
    put_some(value, writer, |text, writer| {
        write_hash(prefix, &go_json_sha256(text), writer.out);
        Written::Value
    })
}

/// Writes the first hexadecimal digits of the hash of a text; an empty text stays empty.
#[doc(hidden)]
pub fn write_hashed_hex<T: Text + ?Sized>(value: &T, digits: usize, writer: &mut ValueWriter<'_>) -> Written {
    put_some(value, writer, |text, writer| {
        write_hex(text, digits, writer.out);
        Written::Value
    })
}

/// Writes the pseudonym of a text; drops it if the client has no key. An empty text stays empty.
#[doc(hidden)]
pub fn write_keyed<T: Text + ?Sized>(
    value: &T,
    prefix: &'static str,
    writer: &mut ValueWriter<'_>,
) -> Written {
    put_some(value, writer, |text, writer| {
        let Some(epoch) = writer.epoch else { return Written::Dropped };
        write_hash(prefix, &epoch.pseudonym(prefix, text), writer.out);
        Written::Value
    })
}

/// Writes a text that matches and is not too long; otherwise the declared other, or nothing.
#[doc(hidden)]
pub fn write_pattern<T: Text + ?Sized>(
    value: &T,
    pattern: &'static Pattern,
    max: usize,
    other: Option<&'static str>,
    writer: &mut ValueWriter<'_>,
) -> Written {
    let Some(text) = value.text() else { return Written::Absent };
    // What matches is ASCII, so that bytes are characters.
    if text.len() <= max && pattern.matches(text) {
        write_string(writer.out, text);
        return Written::Value;
    }
    put_other(other, writer)
}

/// Writes a text that is one of the labels; otherwise their declared other, or nothing.
#[doc(hidden)]
pub fn write_label<L: Label, T: Text + ?Sized>(value: &T, writer: &mut ValueWriter<'_>) -> Written {
    let Some(text) = value.text() else { return Written::Absent };
    if L::LABELS.admits(text) {
        write_string(writer.out, text);
        return Written::Value;
    }
    put_other(L::LABELS.other(), writer)
}

fn put_other(other: Option<&'static str>, writer: &mut ValueWriter<'_>) -> Written {
    let Some(other) = other else { return Written::Dropped };
    writer.clamped();
    write_string(writer.out, other);
    Written::Value
}

fn put_some<T: Text + ?Sized>(
    value: &T,
    writer: &mut ValueWriter<'_>,
    write: impl FnOnce(&str, &mut ValueWriter<'_>) -> Written,
) -> Written {
    match value.text() {
        None => Written::Absent,
        Some("") => writer.literal("\"\""),
        Some(text) => write(text, writer),
    }
}
