//! Writes one event's parts as JSON fragments into reused buffers.
//!
//! Never allocates once the buffers have grown.

mod closing;
mod derived;

use serde::Serialize;
use uuid::Uuid;

use super::allow::Filter;
use super::common_properties::{CommonProperties, PROFILE};
use super::context::ActiveContext;
use super::encoded;
use super::{parsable, rules};
use crate::field::{Epoch, FieldLosses};
use crate::json::write_string;
use crate::observe::LossReason;
use crate::timestamp::Timestamp;

/// At most this many characters in an event name or a distinct id: PostHog cuts ids there, so that two
/// longer ones that begin alike would become one person (its capture server, v0).
const MAX_CHARACTERS: usize = 200;

/// A thread keeps this much memory for the next event, and what is larger no longer than one event.
const KEPT: usize = 16 * 1024;

/// Receives the parts of one event; handed to [`Event::encode`](super::Event::encode).
///
/// A reason against an event (a blank distinct id, a value that is too long, and so on) drops this one event, counted
/// with its reason; the other calls are then without effect.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the event")]
pub struct Encoder<'a> {
    buffers: &'a mut Buffers,
    common: &'a CommonProperties,
    overridden: u64,
    overridden_groups: u64,
    timestamp: Option<Timestamp>,
    uuid: Option<Uuid>,
    /// Reserved properties of the event's own that are looked at when it is closed.
    has_profile: bool,
    has_cookieless: bool,
    epoch: Option<Epoch>,
    filter: Option<Filter<'a>>,
    losses: FieldLosses,
    /// The last property of a name of its own that could not be sent.
    refused_key: Option<String>,
    /// The event is what a hook has left, with all that the library adds.
    is_view: bool,
    is_preview: bool,
    /// The context in force, and which of its properties and groups the event has itself.
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
}

impl Buffers {
    pub(crate) const fn new() -> Self {
        Self { name: Vec::new(), distinct_id: Vec::new(), groups: Vec::new(), properties: Vec::new() }
    }

    /// Returns the name and the size of the event that was encoded last, for a log line.
    pub(crate) fn name_and_size(&self) -> (String, usize) {
        let size = self.name.len() + self.distinct_id.len() + self.groups.len() + self.properties.len();
        (self.quoted_name(), size)
    }

    /// Returns the name of the event that was encoded last in quotes, for a log line; empty if it has no name.
    pub(crate) fn quoted_name(&self) -> String {
        String::from_utf8_lossy(&self.name).into_owned()
    }

    /// Forgets the event that was encoded last.
    #[inline]
    pub(crate) fn forget_name(&mut self) {
        self.name.clear();
    }

    /// Frees what an unusually large event has taken, so that no thread keeps it.
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
        let reason = reason_against(name, LossReason::EmptyName, LossReason::LongName);
        if reason.is_none() {
            write_string(&mut buffers.name, name);
        }
        let losses = FieldLosses { rejected: reason, ..FieldLosses::default() };
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
            losses,
            refused_key: None,
            is_view: false,
            is_preview: false,
            active: None,
            in_active: 0,
            groups_in_active: 0,
        }
    }

    /// Puts the event into a context.
    #[inline]
    #[must_use]
    pub(crate) fn within(mut self, active: Option<&'a ActiveContext>) -> Self {
        self.active = active;
        self
    }

    /// Sets who or what the event is about; at most 200 characters (bytes with PostHog's v1), not blank.
    #[inline]
    pub fn distinct_id(&mut self, id: &str) {
        if let Some(reason) = reason_against(id, LossReason::EmptyDistinctId, LossReason::LongDistinctId) {
            self.reject(reason);
            return;
        }
        if self.filter.is_some_and(|filter| !filter.admits_id(id)) {
            self.reject(LossReason::Undeclared);
        }
        self.buffers.distinct_id.clear();
        write_string(&mut self.buffers.distinct_id, id);
        if self.buffers.distinct_id.len() != id.len() + 2 && id.contains('\0') {
            // The receiver would do the same.
            self.buffers.distinct_id.clear();
            write_string(&mut self.buffers.distinct_id, &id.replace('\0', "\u{fffd}"));
        }
    }

    /// Adds a property; name each one once, since of two equal names receivers keep either.
    ///
    /// A value that has no JSON form that receivers can read is left out, and counted in
    /// [`fields_dropped`](crate::Stats::fields_dropped): a number that is not finite or too large for a `f64`, half of
    /// a surrogate pair, more than 120 levels of nesting.
    ///
    /// An event's own property replaces a super property of the same name, and the library's `$is_server` and
    /// `$geoip_disable`. `$groups`, `$lib` and `$lib_version` are left out and counted: groups are set by
    /// [`group`](Self::group), the library's name by [`Config::library`](crate::Config::library).
    #[inline]
    pub fn property<V: Serialize + ?Sized>(&mut self, key: &str, value: &V) {
        let begin = self.key(key);
        match parsable::write(&mut self.buffers.properties, value) {
            Ok(()) => self.added(key, begin),
            Err(reason) => {
                self.buffers.properties.truncate(begin.0);
                self.leave_out(key, reason);
            }
        }
    }

    /// Counts a property that cannot be sent; the event goes without it.
    #[cold]
    pub(crate) fn leave_out(&mut self, key: &str, reason: LossReason) {
        self.losses.dropped = self.losses.dropped.saturating_add(1);
        self.losses.refused = Some(reason);
        self.refused_key = Some(key.to_owned());
    }

    /// Returns the event's name in quotes, for a log line.
    #[cold]
    pub(crate) fn quoted_name(&self) -> String {
        self.buffers.quoted_name()
    }

    /// Returns the name of the last property that could not be sent, with the reason.
    #[cold]
    pub(crate) fn refused(&self) -> Option<(&str, LossReason)> {
        let reason = self.losses.refused?;
        Some((self.refused_key.as_deref().or(self.losses.field)?, reason))
    }

    /// Adds a property whose value is JSON text already.
    pub(crate) fn fragment(&mut self, key: &str, json: &[u8]) {
        let begin = self.key(key);
        self.buffers.properties.extend_from_slice(json);
        self.added(key, begin);
    }

    /// Writes the name of a property; returns where the property begins and where its value does.
    #[inline]
    fn key(&mut self, key: &str) -> (usize, usize) {
        let out = &mut self.buffers.properties;
        let start = out.len();
        separate(out);
        write_string(out, key);
        out.push(b':');
        (start, out.len())
    }

    /// Keeps a property that was written, unless the client's rules forbid it.
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
                self.losses.dropped = self.losses.dropped.saturating_add(1);
                return;
            }
        }
        self.note(key);
    }

    /// Adds the event to a group; replaces the client's group of the same type for this event.
    pub fn group(&mut self, group_type: &str, key: &str) {
        if self.filter.is_some_and(|filter| !filter.admits_group(group_type, key)) {
            self.losses.dropped = self.losses.dropped.saturating_add(1);
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

    /// Sets when the event happened, in place of the instant of its capture.
    pub fn timestamp(&mut self, at: impl Into<Timestamp>) {
        self.timestamp = Some(at.into());
    }

    /// Sets the event's id, in place of a fresh v7 one. The receiver drops a second event with the same id.
    pub fn uuid(&mut self, uuid: Uuid) {
        self.uuid = Some(uuid);
    }

    /// Sets the event's id unless the event has set one.
    pub(crate) fn uuid_unless_set(&mut self, uuid: Uuid) {
        self.uuid.get_or_insert(uuid);
    }

    /// Marks the event as one that must not be sent; the first reason counts.
    pub fn reject(&mut self, reason: LossReason) {
        self.losses.rejected.get_or_insert(reason);
    }

    #[inline]
    fn note(&mut self, key: &str) {
        self.overridden |= self.common.bit(key);
        if let Some(active) = self.active {
            self.in_active |= active.keys.bit(key);
        }
        if key.as_bytes().first() == Some(&b'$') && encoded::is_lifted(key) {
            self.overridden |= encoded::LIFTED;
            self.has_profile |= key == PROFILE;
            self.has_cookieless |= key == "$cookieless_mode";
        }
    }

    /// Takes the event as a hook has left it: it holds what the library adds already.
    #[must_use]
    pub(crate) fn view(mut self) -> Self {
        self.is_view = true;
        self
    }

    /// Uses up no warning that is logged once.
    #[must_use]
    pub(crate) fn preview(mut self, is_preview: bool) -> Self {
        self.is_preview = is_preview;
        self
    }

    /// Keeps all common properties out, if the event holds them already.
    pub(crate) fn override_all(&mut self) {
        self.overridden |= super::common_properties::ALL;
    }
}

#[inline]
fn separate(out: &mut Vec<u8>) {
    if !out.is_empty() {
        out.push(b',');
    }
}

#[inline]
fn reason_against(text: &str, empty: LossReason, long: LossReason) -> Option<LossReason> {
    let first = text.as_bytes().first().copied().unwrap_or(b' ');
    // Only text that begins with white space, or outside of ASCII, can be blank.
    if (first <= b' ' || !first.is_ascii()) && text.trim().is_empty() {
        return Some(empty);
    }
    (text.len() > MAX_CHARACTERS && text.chars().count() > MAX_CHARACTERS).then_some(long)
}
