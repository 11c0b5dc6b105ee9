//! The values that an event may hold.
//!
//! Never accepts text by its type: text needs a policy.

use crate::field::pseudonym::Epoch;
use crate::observe::LossReason;
use crate::schema::FieldType;

/// A value that is safe to send by its type alone: numbers, booleans, labels, aggregates, timestamps,
/// hashed ids, and options, arrays and maps of these.
///
/// It is implemented by the types of this crate and by the derives [`Label`](crate::Label) and
/// [`Properties`](crate::Properties). `String`, `&str`, paths and addresses do not implement it: a text
/// field says by an attribute how it is made safe.
#[diagnostic::on_unimplemented(
    message = "`{Self}` may not leave the machine as it is",
    label = "nothing says that this value is safe to send",
    note = "make a text safe in one of three ways: `#[event(hashed = \"prefix\")]` sends a hash, `#[event(pattern = \"[a-z]+\", max = 32)]` sends what matches and drops the rest, `#[event(raw = \"reason\")]` sends it as it is and tells the reason to everybody",
    note = "a closed set of words is an enum with `#[derive(candor::Label)]`, a group of fields a struct with `#[derive(candor::Properties)]`, a list needs `#[event(items = 16)]`"
)]
pub trait Field: Encode {
    /// What the catalogue says about the type.
    #[doc(hidden)]
    const KIND: FieldType;

    /// Whether the value can be absent.
    #[doc(hidden)]
    const OPTIONAL: bool = false;

    /// Writes the value where nothing but its type makes it safe.
    #[doc(hidden)]
    #[inline]
    fn write_field(&self, writer: &mut ValueWriter<'_>) -> Written {
        self.write(writer)
    }

    /// Returns the value if it is a switch.
    #[doc(hidden)]
    #[inline]
    fn switch_field(&self) -> Option<bool> {
        self.switch()
    }
}

/// A value that is safe to send although its field identifies someone: its type says that it is a pseudonym. Fields
/// named `*_id` or `*_by`, distinct ids and group keys need it, unless they have a policy.
#[diagnostic::on_unimplemented(
    message = "this field identifies someone, and a `{Self}` would be sent as it is",
    label = "hash it, or say why it must be sent as it is",
    note = "a field named `*_id` or `*_by`, a distinct id and a group key identify someone: use `#[event(hashed = \"prefix\")]`, `#[event(keyed = \"prefix\")]`, or `#[event(raw = \"reason\")]`, which the catalogue shows"
)]
pub trait Identifier: Field {
    /// What the catalogue says about the type.
    #[doc(hidden)]
    const IDENTIFIER_KIND: FieldType = Self::KIND;

    /// Whether the value can be absent.
    #[doc(hidden)]
    const IDENTIFIER_OPTIONAL: bool = Self::OPTIONAL;

    /// Writes the value where an identifier is wanted.
    #[doc(hidden)]
    #[inline]
    fn write_identifier(&self, writer: &mut ValueWriter<'_>) -> Written {
        self.write(writer)
    }
}

/// Whether a value was written.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// The value is in the slot.
    Value,
    /// There is no value; nothing is lost.
    Absent,
    /// The value may not be sent; the loss is counted.
    Dropped,
}

/// A value that writes itself as JSON.
#[doc(hidden)]
pub trait Encode {
    /// Writes the value, and nothing else, into the slot. What it wrote is taken back unless it says `Written`.
    fn write(&self, writer: &mut ValueWriter<'_>) -> Written;

    /// Returns the value of a switch, whose member is then written in one piece with its name.
    #[inline]
    fn switch(&self) -> Option<bool> {
        None
    }
}

/// The name of a member as JSON, joined with all that is known before there is a value.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct MemberName {
    /// A comma, the name in quotes, a colon.
    lead: &'static str,
    /// The same with each value of a switch.
    on: &'static str,
    off: &'static str,
}

impl MemberName {
    /// Takes `,"name":`, `,"name":true` and `,"name":false`.
    pub const fn new(lead: &'static str, on: &'static str, off: &'static str) -> Self {
        Self { lead, on, off }
    }

    /// Returns the bare name.
    fn name(self) -> &'static str {
        self.lead.trim_matches([',', '"', ':'])
    }
}

/// What went wrong inside an event without a panic or a log line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldLosses {
    pub(crate) rejected: Option<LossReason>,
    /// Why the last of the fields that cannot be sent was left out, where that is not for its policy.
    pub(crate) refused: Option<LossReason>,
    /// Fields, list items and map entries that were left out.
    pub(crate) dropped: u32,
    /// Fields that were sent as the declared `other`.
    pub(crate) clamped: u32,
    /// The last field that was dropped or clamped; a name from the program's own source.
    pub(crate) field: Option<&'static str>,
}

/// The place in an event where one value goes.
#[doc(hidden)]
#[derive(Debug)]
pub struct ValueWriter<'e> {
    pub(crate) out: &'e mut Vec<u8>,
    pub(crate) losses: &'e mut FieldLosses,
    pub(crate) epoch: Option<&'e Epoch>,
}

impl<'e> ValueWriter<'e> {
    /// Writes an object, whose members `fields` adds.
    #[inline]
    pub fn object(&mut self, fields: impl FnOnce(&mut Object<'_, 'e>)) -> Written {
        self.out.push(b'{');
        fields(&mut Object { writer: self, first: true });
        self.out.push(b'}');
        Written::Value
    }

    /// Writes text that is JSON already.
    #[inline]
    pub fn literal(&mut self, json: &'static str) -> Written {
        self.out.extend_from_slice(json.as_bytes());
        Written::Value
    }

    /// Counts a value that was replaced by its declared `other`.
    #[cold]
    pub(crate) fn clamped(&mut self) {
        self.losses.clamped = self.losses.clamped.saturating_add(1);
    }

    #[cold]
    pub(crate) fn dropped(&mut self) {
        self.losses.dropped = self.losses.dropped.saturating_add(1);
    }
}

/// An object that is being written.
#[doc(hidden)]
#[derive(Debug)]
pub struct Object<'s, 'e> {
    writer: &'s mut ValueWriter<'e>,
    first: bool,
}

impl Object<'_, '_> {
    /// Adds a member.
    #[inline]
    pub fn field<V: Encode + ?Sized>(&mut self, name: MemberName, value: &V) {
        if member(self.writer, !self.first, name, value) {
            self.first = false;
        }
    }
}

/// Writes one member of an object; takes it back if there is no value. Returns whether it is there.
#[inline]
pub(crate) fn member<V: Encode + ?Sized>(
    writer: &mut ValueWriter<'_>,
    comma: bool,
    name: MemberName,
    value: &V,
) -> bool {
    let start = writer.out.len();
    let losses = writer.losses.dropped.wrapping_add(writer.losses.clamped);
    let joined = |text: &'static str| text.as_bytes().get(usize::from(!comma)..).unwrap_or_default();
    if let Some(is_on) = value.switch() {
        writer.out.extend_from_slice(joined(if is_on { name.on } else { name.off }));
        return true;
    }
    writer.out.extend_from_slice(joined(name.lead));
    let outcome = value.write(writer);
    if outcome == Written::Dropped {
        writer.dropped();
    }
    if writer.losses.dropped.wrapping_add(writer.losses.clamped) != losses {
        writer.losses.field = Some(name.name());
    }
    if outcome != Written::Value {
        writer.out.truncate(start);
    }
    outcome == Written::Value
}
