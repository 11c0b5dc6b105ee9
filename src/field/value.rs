//! The values that an event may contain. Text is never safe by its type: it needs a policy.

use crate::field::pseudonym::Epoch;
use crate::observe::LossReason;
use crate::schema::FieldType;

/// A value that is safe to send because of its type: numbers, booleans, labels, aggregates, timestamps,
/// hashed ids, and options, arrays and maps of these.
///
/// This crate implements it for the types above; [`Label`](crate::Label) and
/// [`Properties`](crate::Properties) derive it. `String`, `&str`, paths and addresses do not implement it: a text
/// field needs an attribute that makes it safe.
#[diagnostic::on_unimplemented(
    message = "`{Self}` may not leave the machine as it is",
    label = "this type is not known to be safe to send",
    note = "make text safe in one of three ways: `#[event(hashed = \"prefix\")]` sends a hash, `#[event(pattern = \"[a-z]+\", max = 32)]` sends matching text and drops the rest, `#[event(raw = \"reason\")]` sends it as it is and shows the reason in the catalogue",
    note = "use an enum with `#[derive(candor::Label)]` for a closed set of words, a struct with `#[derive(candor::Properties)]` for a group of fields, and `#[event(items = 16)]` for a list"
)]
pub trait Field: Encode {
    /// The type that the catalogue shows.
    #[doc(hidden)]
    const KIND: FieldType;

    /// Whether the value can be absent.
    #[doc(hidden)]
    const OPTIONAL: bool = false;

    /// Writes a value that its type makes safe.
    #[doc(hidden)]
    #[inline]
    fn write_field(&self, writer: &mut ValueWriter<'_>) -> Written {
        self.write(writer)
    }

    /// Returns the value if it is a boolean.
    #[doc(hidden)]
    #[inline]
    fn switch_field(&self) -> Option<bool> {
        self.switch()
    }
}

/// A value that is safe to send even if its field identifies someone, because its type is a pseudonym. Fields named
/// `*_id` or `*_by`, distinct ids and group keys require it, unless they have a policy.
#[diagnostic::on_unimplemented(
    message = "this field identifies someone, and its `{Self}` would be sent as it is",
    label = "hash it, or give the reason for sending it as it is",
    note = "a field named `*_id` or `*_by`, a distinct id and a group key identify someone: use `#[event(hashed = \"prefix\")]`, `#[event(keyed = \"prefix\")]`, or `#[event(raw = \"reason\")]`, which the catalogue shows"
)]
pub trait Identifier: Field {
    /// The type that the catalogue shows.
    #[doc(hidden)]
    const IDENTIFIER_KIND: FieldType = Self::KIND;

    /// Whether the value can be absent.
    #[doc(hidden)]
    const IDENTIFIER_OPTIONAL: bool = Self::OPTIONAL;

    /// Writes the value of a field that identifies someone.
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
    /// The value was written.
    Value,
    /// There is no value, and nothing is lost.
    Absent,
    /// The value must not be sent; the loss is counted.
    Dropped,
}

/// A value that writes itself as JSON.
#[doc(hidden)]
pub trait Encode {
    /// Writes the value and nothing else. The caller removes what was written unless this returns `Written::Value`.
    fn write(&self, writer: &mut ValueWriter<'_>) -> Written;

    /// Returns the value if it is a boolean, which is then written in one piece with its name.
    #[inline]
    fn switch(&self) -> Option<bool> {
        None
    }
}

/// The name of a member as JSON, joined with everything that is known at compile time.
#[doc(hidden)]
#[derive(Clone, Copy, Debug)]
pub struct MemberName {
    /// A comma, the name in quotes, a colon.
    lead: &'static str,
    /// The same, followed by `true` or `false`.
    on: &'static str,
    off: &'static str,
}

impl MemberName {
    /// Creates a name from `,"name":`, `,"name":true` and `,"name":false`.
    pub const fn new(lead: &'static str, on: &'static str, off: &'static str) -> Self {
        Self { lead, on, off }
    }

    /// Returns the bare name.
    fn name(self) -> &'static str {
        self.lead.trim_matches([',', '"', ':'])
    }
}

/// The losses within one event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct FieldLosses {
    pub(crate) rejected: Option<LossReason>,
    /// Why the last field that cannot be sent was left out, if the reason is not its policy.
    pub(crate) refused: Option<LossReason>,
    /// Fields, list items and map entries that were left out.
    pub(crate) dropped: u32,
    /// Fields that were sent as the declared `other`.
    pub(crate) clamped: u32,
    /// The first field that was refused, or else the last that was dropped or clamped: a name from the program's source.
    pub(crate) field: Option<&'static str>,
    /// Whether that field was refused.
    pub(crate) is_refused: bool,
    /// Whether to keep the names of all of them, since the application is debugging.
    pub(crate) keeps_names: bool,
    /// Those names.
    pub(crate) names: LostNames,
}

/// The names of the fields that were dropped or clamped, each with the number of losses after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct LostNames(Vec<(String, u32)>);

impl LostNames {
    /// Adds a field with losses. Of a group of fields, only those inside it are named.
    fn add(&mut self, name: &str, before: u32, after: u32) {
        let mut is_group = false;
        for (inner, _) in self.0.iter_mut().rev().take_while(|(_, count)| *count > before) {
            *inner = format!("{name}.{inner}");
            is_group = true;
        }
        if !is_group {
            self.0.push((name.to_owned(), after));
        }
    }

    /// Returns the names, separated by commas; `None` if there are none.
    pub(crate) fn list(&self) -> Option<String> {
        let names: Vec<_> = self.0.iter().map(|(name, _)| name.as_str()).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }
}

impl FieldLosses {
    pub(crate) const fn new() -> Self {
        Self {
            rejected: None,
            refused: None,
            dropped: 0,
            clamped: 0,
            field: None,
            is_refused: false,
            keeps_names: false,
            names: LostNames(Vec::new()),
        }
    }

    /// Starts anew with an event, which may have been rejected already.
    #[inline]
    pub(crate) fn begin(&mut self, rejected: Option<LossReason>) {
        (self.rejected, self.refused, self.field) = (rejected, None, None);
        (self.dropped, self.clamped) = (0, 0);
        if self.keeps_names {
            self.names.0.clear();
        }
        (self.is_refused, self.keeps_names) = (false, false);
    }

    /// Returns the number of losses.
    #[inline]
    fn count(&self) -> u32 {
        self.dropped.wrapping_add(self.clamped)
    }

    /// Names a field whose losses began after the first `before`.
    #[cold]
    fn name(&mut self, name: &'static str, before: u32) {
        if !self.is_refused {
            (self.field, self.is_refused) = (Some(name), self.refused.is_some());
        }
        let after = self.count();
        if self.keeps_names {
            self.names.add(name, before, after);
        }
    }
}

/// Writes one value into an event.
#[doc(hidden)]
#[derive(Debug)]
pub struct ValueWriter<'e> {
    pub(crate) out: &'e mut Vec<u8>,
    pub(crate) losses: &'e mut FieldLosses,
    pub(crate) epoch: Option<&'e Epoch>,
}

impl<'e> ValueWriter<'e> {
    /// Writes an object with the members that `fields` adds.
    #[inline]
    pub fn object(&mut self, fields: impl FnOnce(&mut Object<'_, 'e>)) -> Written {
        self.out.push(b'{');
        fields(&mut Object { writer: self, first: true });
        self.out.push(b'}');
        Written::Value
    }

    /// Writes text that is already JSON.
    #[inline]
    pub fn literal(&mut self, json: &'static str) -> Written {
        self.out.extend_from_slice(json.as_bytes());
        Written::Value
    }

    /// Counts a value that was replaced with its declared `other`.
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

/// Writes one member of an object, and returns whether it has a value; a member without a value is removed again.
#[inline]
pub(crate) fn member<V: Encode + ?Sized>(
    writer: &mut ValueWriter<'_>,
    comma: bool,
    name: MemberName,
    value: &V,
) -> bool {
    let start = writer.out.len();
    let losses = writer.losses.count();
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
    if writer.losses.count() != losses {
        writer.losses.name(name.name(), losses);
    }
    if outcome != Written::Value {
        writer.out.truncate(start);
    }
    outcome == Written::Value
}
