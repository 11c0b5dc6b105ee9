//! The encoder's methods for derived events, and the client's limits on events.

use super::{Buffers, Encoder, LossReason};
use crate::event::allow::Allowed;
use crate::event::common_properties::GROUPS;
use crate::field::{Encode, Epoch, FieldLosses, MemberName, ValueWriter, Written, member};
use crate::json::has_escapes;
use crate::schema::Schema;

impl<'a> Encoder<'a> {
    /// Sets the key for pseudonyms, for fields that are `keyed`.
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
    pub(crate) fn losses(&self) -> FieldLosses {
        self.losses
    }

    /// Adds a property; `name` is `key` as JSON.
    #[doc(hidden)]
    #[inline]
    pub fn field<V: Encode + ?Sized>(&mut self, key: &'static str, name: MemberName, value: &V) {
        let Buffers { properties, .. } = &mut *self.buffers;
        let comma = !properties.is_empty();
        let writer =
            &mut ValueWriter { out: properties, losses: &mut self.losses, epoch: self.epoch.as_ref() };
        if member(writer, comma, name, value) {
            self.note(key);
        }
    }

    /// Sets the distinct id to a value with its own policy. If the value is absent, the context sets it.
    #[doc(hidden)]
    #[inline]
    pub fn identify<V: Encode + ?Sized>(&mut self, value: &V) {
        let max = self.common.rules().max_length;
        let out = &mut self.buffers.distinct_id;
        out.clear();
        let writer = &mut ValueWriter { out, losses: &mut self.losses, epoch: self.epoch.as_ref() };
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
        super::separate(properties);
        properties.extend_from_slice(quoted.as_bytes());
        properties.extend_from_slice(distinct_id);
    }

    /// Adds the event to a group whose key has its own policy.
    #[doc(hidden)]
    pub fn group_field<V: Encode + ?Sized>(&mut self, group_type: &'static str, name: MemberName, value: &V) {
        let Buffers { groups, .. } = &mut *self.buffers;
        let comma = !groups.is_empty();
        let writer = &mut ValueWriter { out: groups, losses: &mut self.losses, epoch: self.epoch.as_ref() };
        if member(writer, comma, name, value) {
            self.note_group(group_type);
        }
    }

    /// Leaves the client's groups out of this event.
    #[doc(hidden)]
    pub fn without_groups(&mut self) {
        self.overridden |= GROUPS;
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
