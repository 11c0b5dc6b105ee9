//! Text under a policy.
//! Takes text of any owner and what the field declares; writes a hash, a checked text or a label.
//! Never lets text through that its policy does not name.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use uuid::Uuid;

use super::common::write_string;
use super::field::{Encode, Field, Outcome, Slot};
use super::hashed::{go_json_sha256, write_hash, write_hex};
use super::kind::{Kind, TextPolicy};
use super::label::Label;
use super::pattern::Pattern;

/// Text, owned or borrowed, perhaps absent.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no text, so that a text policy means nothing here",
    label = "not `String`, `&str` or the like",
    note = "`hashed`, `keyed`, `pattern` and `label` are for text; convert other values to text first"
)]
pub trait Text {
    /// Whether the text can be absent.
    const OPTIONAL: bool = false;

    /// Returns the text, where there is one.
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

/// A value that may be sent as it is, where a reason is given.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent raw",
    label = "neither text nor a value that is safe by its type",
    note = "convert it to text or to a number first"
)]
pub trait Raw {
    /// What the catalogue says where the value is no text.
    const KIND: Option<Kind>;

    /// Whether the value can be absent.
    const OPTIONAL: bool;

    /// Writes the value; text within its limits.
    fn put_raw(&self, most: usize, pattern: Option<&Pattern>, slot: &mut Slot<'_>) -> Outcome;
}

impl<F: Field> Raw for F {
    const KIND: Option<Kind> = Some(F::KIND);
    const OPTIONAL: bool = F::OPTIONAL;

    #[inline]
    fn put_raw(&self, _: usize, _: Option<&Pattern>, slot: &mut Slot<'_>) -> Outcome {
        self.put(slot)
    }
}

macro_rules! raw_text {
    ($($type:ty),* $(,)?) => {$(
        impl Raw for $type {
            const KIND: Option<Kind> = None;
            const OPTIONAL: bool = <Self as Text>::OPTIONAL;

            #[inline]
            fn put_raw(&self, most: usize, pattern: Option<&Pattern>, slot: &mut Slot<'_>) -> Outcome {
                self.text().map_or(Outcome::Absent, |text| put_text(text, most, pattern, slot))
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
    const KIND: Option<Kind> = None;
    const OPTIONAL: bool = false;

    fn put_raw(&self, most: usize, pattern: Option<&Pattern>, slot: &mut Slot<'_>) -> Outcome {
        put_text(self.hyphenated().encode_lower(&mut Uuid::encode_buffer()), most, pattern, slot)
    }
}

fn put_text(text: &str, most: usize, pattern: Option<&Pattern>, slot: &mut Slot<'_>) -> Outcome {
    let fits = text.len() <= most || text.chars().count() <= most;
    if !fits || pattern.is_some_and(|pattern| !pattern.matches(text)) {
        return Outcome::Dropped;
    }
    write_string(slot.out, text);
    Outcome::Written
}

/// Returns what the catalogue says about a raw field.
#[doc(hidden)]
pub const fn raw_kind(kind: Option<Kind>, most: usize, pattern: Option<&'static Pattern>) -> Kind {
    match kind {
        Some(kind) => kind,
        None => Kind::Text(TextPolicy::Raw { most, pattern }),
    }
}

/// A value written by a function of its policy.
#[doc(hidden)]
#[derive(Debug)]
pub struct By<F>(F);

impl<F: Fn(&mut Slot<'_>) -> Outcome> Encode for By<F> {
    #[inline]
    fn put(&self, slot: &mut Slot<'_>) -> Outcome {
        (self.0)(slot)
    }
}

/// Makes a value of a function that writes it.
#[doc(hidden)]
#[inline]
pub fn by<F: Fn(&mut Slot<'_>) -> Outcome>(write: F) -> By<F> {
    By(write)
}

/// Writes the hash of a text behind a prefix; an empty text stays empty.
#[doc(hidden)]
pub fn put_hashed<T: Text + ?Sized>(value: &T, prefix: &'static str, slot: &mut Slot<'_>) -> Outcome {
    put_some(value, slot, |text, slot| {
        write_hash(prefix, &go_json_sha256(text), slot.out);
        Outcome::Written
    })
}

/// Writes the first hexadecimal digits of the hash of a text; an empty text stays empty.
#[doc(hidden)]
pub fn put_hex<T: Text + ?Sized>(value: &T, digits: usize, slot: &mut Slot<'_>) -> Outcome {
    put_some(value, slot, |text, slot| {
        write_hex(text, digits, slot.out);
        Outcome::Written
    })
}

/// Writes the pseudonym of a text; drops it where the client has no key. An empty text stays empty.
#[doc(hidden)]
pub fn put_keyed<T: Text + ?Sized>(value: &T, prefix: &'static str, slot: &mut Slot<'_>) -> Outcome {
    put_some(value, slot, |text, slot| {
        let Some(epoch) = slot.epoch else { return Outcome::Dropped };
        write_hash(prefix, &epoch.pseudonym(prefix, text), slot.out);
        Outcome::Written
    })
}

/// Writes a text that matches and is not too long; otherwise the declared other, or nothing.
#[doc(hidden)]
pub fn put_pattern<T: Text + ?Sized>(
    value: &T,
    pattern: &'static Pattern,
    most: usize,
    other: Option<&'static str>,
    slot: &mut Slot<'_>,
) -> Outcome {
    let Some(text) = value.text() else { return Outcome::Absent };
    // What matches is ASCII, so that bytes are characters.
    if text.len() <= most && pattern.matches(text) {
        write_string(slot.out, text);
        return Outcome::Written;
    }
    put_other(other, slot)
}

/// Writes a text that is one of the labels; otherwise their declared other, or nothing.
#[doc(hidden)]
pub fn put_label<L: Label, T: Text + ?Sized>(value: &T, slot: &mut Slot<'_>) -> Outcome {
    let Some(text) = value.text() else { return Outcome::Absent };
    if L::LABELS.admits(text) {
        write_string(slot.out, text);
        return Outcome::Written;
    }
    put_other(L::LABELS.other(), slot)
}

fn put_other(other: Option<&'static str>, slot: &mut Slot<'_>) -> Outcome {
    let Some(other) = other else { return Outcome::Dropped };
    slot.clamped();
    write_string(slot.out, other);
    Outcome::Written
}

fn put_some<T: Text + ?Sized>(
    value: &T,
    slot: &mut Slot<'_>,
    write: impl FnOnce(&str, &mut Slot<'_>) -> Outcome,
) -> Outcome {
    match value.text() {
        None => Outcome::Absent,
        Some("") => slot.literal("\"\""),
        Some(text) => write(text, slot),
    }
}
