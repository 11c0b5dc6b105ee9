//! Writes the parts of one event as JSON fragments into reused buffers.

mod closing;

use serde::Serialize;
use uuid::Uuid;

use super::allow::{Allowed, Filter};
use super::common_properties::{CommonProperties, GROUPS};
use super::context::ActiveContext;
use super::rules::MaxLength;
use super::{encoded, parsable, reserved, rules};
use crate::field::{Encode, Epoch, FieldLosses, MemberName, ValueWriter, Written, member};
use crate::json::{has_escapes, write_string};
use crate::observe::LossReason;
use crate::schema::Schema;
use crate::timestamp::Timestamp;

/// The maximum capacity of a buffer that a thread keeps for the next event; larger buffers are freed after an event.
const KEPT: usize = 16 * 1024;

/// Receives the parts of one event in [`Event::encode`](super::Event::encode).
///
/// A reason for rejecting the event (a blank distinct id, a value that is too long, and so on) drops this one event,
/// which is counted with the first such reason.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent fact about the event")]
pub struct Encoder<'a> {
    buffers: &'a mut Buffers,
    common: &'a CommonProperties,
    overridden: u64,
    overridden_groups: u64,
    timestamp: Option<Timestamp>,
    uuid: Option<Uuid>,
    /// Whether the event itself has these reserved properties, which are checked when it is finished.
    has_profile: bool,
    has_cookieless: bool,
    epoch: Option<Epoch>,
    filter: Option<Filter<'a>>,
    /// The properties with a name chosen at run time that were left out.
    left_out: Vec<(String, LossReason)>,
    /// Whether to list properties that the client's rules forbid as well.
    is_debugging: bool,
    /// Whether the event comes from a hook and already has everything that the library adds.
    is_view: bool,
    is_preview: bool,
    /// The active context, and the bits of its properties and groups that the event overrides.
    active: Option<&'a ActiveContext>,
    in_active: u64,
    groups_in_active: u64,
}

/// The reused memory behind an encoder.
#[derive(Debug, Default)]
pub(crate) struct Buffers {
    name: Vec<u8>,
    distinct_id: Vec<u8>,
    groups: Vec<u8>,
    properties: Vec<u8>,
    losses: FieldLosses,
}

impl Buffers {
    pub(crate) const fn new() -> Self {
        let losses = FieldLosses::new();
        Self { name: Vec::new(), distinct_id: Vec::new(), groups: Vec::new(), properties: Vec::new(), losses }
    }

    /// Returns the size of the last encoded event in bytes.
    pub(crate) fn size(&self) -> usize {
        self.name.len() + self.distinct_id.len() + self.groups.len() + self.properties.len()
    }

    /// Returns the name of the last encoded event in quotes; empty if it has no name.
    pub(crate) fn name(&self) -> &[u8] {
        &self.name
    }

    /// Clears the name of the last encoded event.
    #[inline]
    pub(crate) fn forget_name(&mut self) {
        self.name.clear();
    }

    /// Frees the buffers if an unusually large event has grown them.
    #[inline]
    pub(crate) fn shrink(&mut self) {
        if self.properties.capacity() > KEPT || self.groups.capacity() > KEPT {
            *self = Self::new();
        }
    }
}

impl<'a> Encoder<'a> {
    #[inline]
    pub(crate) fn new(buffers: &'a mut Buffers, common: &'a CommonProperties, name: &str) -> Self {
        buffers.name.clear();
        buffers.distinct_id.clear();
        buffers.groups.clear();
        buffers.properties.clear();
        let max = common.rules().max_length;
        let reason = reason_against(name, max, LossReason::EmptyName, LossReason::LongName);
        if reason.is_none() {
            write_string(&mut buffers.name, name);
        }
        buffers.losses.begin(reason);
        Self {
            buffers,
            common,
            overridden: 0,
            overridden_groups: 0,
            timestamp: None,
            uuid: None,
            has_profile: false,
            has_cookieless: false,
            epoch: None,
            filter: None,
            left_out: Vec::new(),
            is_debugging: false,
            is_view: false,
            is_preview: false,
            active: None,
            in_active: 0,
            groups_in_active: 0,
        }
    }

    /// Sets the context of the event.
    #[inline]
    #[must_use]
    pub(crate) fn within(mut self, active: Option<&'a ActiveContext>) -> Self {
        self.active = active;
        self
    }

    /// Sets the key for pseudonyms, for fields that are `keyed`.
    #[inline]
    #[must_use]
    pub(crate) fn keyed(mut self, epoch: Option<Epoch>) -> Self {
        self.epoch = epoch;
        self
    }

    /// Limits the event to what the client allows.
    #[inline]
    #[must_use]
    pub(crate) fn allowed(
        mut self,
        allowed: &'a Allowed,
        name: &str,
        schema: Option<&'static Schema>,
    ) -> Self {
        if !allowed.everything() {
            match allowed.filter(name, schema) {
                Ok(filter) => self.filter = filter,
                Err(reason) => self.reject(reason),
            }
        }
        self
    }

    /// Returns the losses of fields so far.
    #[inline]
    pub(crate) fn losses(&self) -> &FieldLosses {
        &self.buffers.losses
    }

    /// Sets the distinct id: not blank, and at most 200 characters (bytes with PostHog's v1 protocol).
    #[inline]
    pub fn distinct_id(&mut self, id: &str) {
        let max = self.common.rules().max_length;
        if let Some(reason) = reason_against(id, max, LossReason::EmptyDistinctId, LossReason::LongDistinctId)
        {
            self.reject(reason);
            return;
        }
        if self.filter.is_some_and(|filter| !filter.admits_id(id)) {
            self.reject(LossReason::Undeclared);
        }
        self.buffers.distinct_id.clear();
        write_string(&mut self.buffers.distinct_id, id);
        if self.buffers.distinct_id.len() != id.len() + 2 && id.contains('\0') {
            // The receiver replaces NUL in the same way.
            self.buffers.distinct_id.clear();
            write_string(&mut self.buffers.distinct_id, &id.replace('\0', "\u{fffd}"));
        }
    }

    /// Adds a property. Use each name only once: if a name is repeated, the receiver may keep either value.
    ///
    /// A value that the receiver could not parse as JSON is left out, and counted in
    /// [`fields_dropped`](crate::Stats::fields_dropped): a number that is not finite or is too large for an `f64`,
    /// half of a surrogate pair, or more than 120 levels of nesting.
    ///
    /// An event's own property replaces a super property of the same name, and the library's `$is_server` and
    /// `$geoip_disable`. `$groups`, `$lib` and `$lib_version` are left out and counted: set groups with
    /// [`group`](Self::group), and the library's name with [`Config::library`](crate::Config::library).
    #[inline]
    pub fn property<V: Serialize + ?Sized>(&mut self, key: &str, value: &V) {
        let begin = self.key(key);
        self.value(key, begin, value);
    }

    /// Adds a property whose name is known at compile time; `lead` is a comma, the name as JSON, and a colon.
    #[inline]
    pub(super) fn known_property<V>(&mut self, key: &'static str, lead: &'static str, value: &V)
    where
        V: Serialize + ?Sized,
    {
        let out = &mut self.buffers.properties;
        let start = out.len();
        out.extend_from_slice(lead.as_bytes().get(usize::from(start == 0)..).unwrap_or_default());
        let begin = (start, out.len());
        self.value(key, begin, value);
    }

    /// Writes the value of a property after its name, or removes the name if the value cannot be sent.
    #[inline]
    fn value<V: Serialize + ?Sized>(&mut self, key: &str, begin: (usize, usize), value: &V) {
        match parsable::write(&mut self.buffers.properties, value) {
            Ok(()) => self.added(key, begin),
            Err(reason) => {
                self.buffers.properties.truncate(begin.0);
                self.leave_out(key, reason);
            }
        }
    }

    /// Counts a property that cannot be sent; the event is sent without it.
    #[cold]
    pub(crate) fn leave_out(&mut self, key: &str, reason: LossReason) {
        self.buffers.losses.dropped = self.buffers.losses.dropped.saturating_add(1);
        self.buffers.losses.refused = Some(reason);
        self.left_out.push((key.to_owned(), reason));
    }

    /// Counts a property or a group that the client's rules forbid; the event is sent without it.
    #[cold]
    fn forbid(&mut self, key: &str) {
        self.buffers.losses.dropped = self.buffers.losses.dropped.saturating_add(1);
        if self.is_debugging {
            self.left_out.push((key.to_owned(), LossReason::Undeclared));
        }
    }

    /// Returns the properties with a name chosen at run time that were left out; those that the client's rules forbid
    /// only with debugging.
    pub(crate) fn left_out(&self) -> &[(String, LossReason)] {
        &self.left_out
    }

    /// Returns the event's name in quotes; empty if it has no name.
    #[cold]
    pub(crate) fn name(&self) -> &[u8] {
        self.buffers.name()
    }

    /// Returns the name of the last property that could not be sent, with the reason.
    #[cold]
    pub(crate) fn refused(&self) -> Option<(&str, LossReason)> {
        let refused = self.left_out.iter().rev().find(|(_, reason)| *reason != LossReason::Undeclared);
        match refused {
            Some((key, reason)) => Some((key, *reason)),
            None => Some((self.buffers.losses.field?, self.buffers.losses.refused?)),
        }
    }

    /// Adds a property whose value is already JSON text.
    pub(crate) fn fragment(&mut self, key: &str, json: &[u8]) {
        let begin = self.key(key);
        self.buffers.properties.extend_from_slice(json);
        self.added(key, begin);
    }

    /// Writes the name of a property. Returns the offsets of the property and of its value.
    #[inline]
    fn key(&mut self, key: &str) -> (usize, usize) {
        let out = &mut self.buffers.properties;
        let start = out.len();
        separate(out);
        write_string(out, key);
        out.push(b':');
        (start, out.len())
    }

    /// Completes a property after its value was written, or removes it if the client's rules forbid it.
    #[inline]
    fn added(&mut self, key: &str, (start, value): (usize, usize)) {
        if key.as_bytes().first() == Some(&b'$') && rules::is_set_by_the_library(key) && !self.is_view {
            self.buffers.properties.truncate(start);
            self.leave_out(key, LossReason::ReservedName);
            return;
        }
        if let Some(filter) = self.filter {
            let properties = &mut self.buffers.properties;
            if !filter.admits(key, properties.get(value..).unwrap_or_default()) {
                properties.truncate(start);
                self.forbid(key);
                return;
            }
        }
        self.note(key);
    }

    /// Adds the event to a group. For this event, it replaces the client's group of the same type.
    pub fn group(&mut self, group_type: &str, key: &str) {
        if self.filter.is_some_and(|filter| !filter.admits_group(group_type, key)) {
            self.forbid(group_type);
            return;
        }
        self.note_group(group_type);
        let out = &mut self.buffers.groups;
        separate(out);
        write_string(out, group_type);
        out.push(b':');
        write_string(out, key);
    }

    fn note_group(&mut self, group_type: &str) {
        self.overridden_groups |= self.common.group_bit(group_type);
        if let Some(active) = self.active {
            self.groups_in_active |= active.keys.group_bit(group_type);
        }
    }

    /// Sets the time at which the event happened. Default: the time of the capture.
    pub fn timestamp(&mut self, at: impl Into<Timestamp>) {
        self.timestamp = Some(at.into());
    }

    /// Sets the event's id. Default: a new v7 UUID. The receiver drops a second event with the same id.
    pub fn uuid(&mut self, uuid: Uuid) {
        self.uuid = Some(uuid);
    }

    /// Sets the event's id if it is not set yet.
    pub(crate) fn uuid_unless_set(&mut self, uuid: Uuid) {
        self.uuid.get_or_insert(uuid);
    }

    /// Adds a property; `name` is `key` as JSON.
    #[doc(hidden)]
    #[inline]
    pub fn field<V: Encode + ?Sized>(&mut self, key: &'static str, name: MemberName, value: &V) {
        let Buffers { properties, losses, .. } = &mut *self.buffers;
        let comma = !properties.is_empty();
        let writer = &mut ValueWriter { out: properties, losses, epoch: self.epoch.as_ref() };
        if member(writer, comma, name, value) {
            self.note(key);
        }
    }

    /// Sets the distinct id to a value with its own policy. If the value is absent, the context sets it.
    #[doc(hidden)]
    #[inline]
    pub fn identify<V: Encode + ?Sized>(&mut self, value: &V) {
        let max = self.common.rules().max_length;
        let Buffers { distinct_id: out, losses, .. } = &mut *self.buffers;
        out.clear();
        let writer = &mut ValueWriter { out, losses, epoch: self.epoch.as_ref() };
        match value.write(writer) {
            Written::Value if is_plain(&self.buffers.distinct_id, max.in_bytes()) => {}
            Written::Value => self.identify_again(),
            // The active context supplies the id.
            Written::Absent => self.buffers.distinct_id.clear(),
            Written::Dropped => {
                self.buffers.distinct_id.clear();
                self.reject(LossReason::EmptyDistinctId);
            }
        }
    }

    /// Checks a distinct id that is not plain with the general rules; a number becomes text.
    #[cold]
    fn identify_again(&mut self) {
        let id = std::mem::take(&mut self.buffers.distinct_id);
        match serde_json::from_slice::<String>(&id) {
            Ok(text) => self.distinct_id(&text),
            Err(_) => self.distinct_id(&String::from_utf8_lossy(&id)),
        }
    }

    /// Adds the event's own distinct id, if it has one, as a property too.
    #[doc(hidden)]
    #[inline]
    pub fn identity(&mut self, key: &'static str, quoted: &'static str) {
        if self.buffers.distinct_id.is_empty() {
            return;
        }
        self.note(key);
        let Buffers { properties, distinct_id, .. } = &mut *self.buffers;
        separate(properties);
        properties.extend_from_slice(quoted.as_bytes());
        properties.extend_from_slice(distinct_id);
    }

    /// Adds the event to a group whose key has its own policy.
    #[doc(hidden)]
    pub fn group_field<V: Encode + ?Sized>(&mut self, group_type: &'static str, name: MemberName, value: &V) {
        let Buffers { groups, losses, .. } = &mut *self.buffers;
        let comma = !groups.is_empty();
        let writer = &mut ValueWriter { out: groups, losses, epoch: self.epoch.as_ref() };
        if member(writer, comma, name, value) {
            self.note_group(group_type);
        }
    }

    /// Leaves the client's groups out of this event.
    #[doc(hidden)]
    pub fn without_groups(&mut self) {
        self.overridden |= GROUPS;
    }

    /// Rejects the event: it is not sent, and is counted with the first reason given.
    pub fn reject(&mut self, reason: LossReason) {
        self.buffers.losses.rejected.get_or_insert(reason);
    }

    #[inline]
    fn note(&mut self, key: &str) {
        self.overridden |= self.common.bit(key);
        if let Some(active) = self.active {
            self.in_active |= active.keys.bit(key);
        }
        if key.as_bytes().first() == Some(&b'$') && reserved::is_lifted(key) {
            self.overridden |= encoded::LIFTED;
            self.has_profile |= key == reserved::PROCESS_PERSON_PROFILE;
            self.has_cookieless |= key == reserved::COOKIELESS_MODE;
        }
    }

    /// Marks the event as one from a hook, which already has everything that the library adds.
    #[inline]
    #[must_use]
    pub(crate) fn view(mut self) -> Self {
        self.is_view = true;
        self
    }

    /// Marks the event as only previewed, so it does not use up a warning that is logged once.
    #[inline]
    #[must_use]
    pub(crate) fn preview(mut self, is_preview: bool) -> Self {
        self.is_preview = is_preview;
        self
    }

    /// Lists every property that is left out, also those that the client's rules forbid.
    #[inline]
    #[must_use]
    pub(crate) fn debugging(mut self, is_debugging: bool) -> Self {
        self.is_debugging = is_debugging;
        self.buffers.losses.keeps_names = is_debugging;
        self
    }

    /// Leaves out all common properties, because the event already has them.
    pub(crate) fn override_all(&mut self) {
        self.overridden |= super::common_properties::ALL;
    }
}

/// Returns whether a distinct id in JSON needs no further check: it is text, begins with a visible ASCII character,
/// contains no escapes, and cannot be too long.
#[inline]
fn is_plain(id: &[u8], max: usize) -> bool {
    match id {
        [b'"', first, .., b'"'] => {
            first.is_ascii_graphic() && id.len() <= max && !has_escapes(id) && id.len() > 2
        }
        _ => false,
    }
}

#[inline]
fn separate(out: &mut Vec<u8>) {
    if !out.is_empty() {
        out.push(b',');
    }
}

#[inline]
fn reason_against(text: &str, max: MaxLength, empty: LossReason, long: LossReason) -> Option<LossReason> {
    let first = text.as_bytes().first().copied().unwrap_or(b' ');
    // Only text that begins with whitespace or with a non-ASCII character can be blank.
    if (first <= b' ' || !first.is_ascii()) && text.trim().is_empty() {
        return Some(empty);
    }
    max.is_exceeded(text).then_some(long)
}
