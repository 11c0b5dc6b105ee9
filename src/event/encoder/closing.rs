//! The completion of an event: adds what its context, its client and the receiver's rules require.

use super::{Buffers, Encoder, LossReason};
use crate::event::common_properties::GROUPS;
use crate::event::context::ActiveContext;
use crate::event::encoded::{self, EncodedEvent};
use crate::event::reserved::PROCESS_PERSON_PROFILE;
use crate::event::rules::{self, PersonProcessing};
use crate::timestamp::Timestamp;

impl<'a> Encoder<'a> {
    /// Adds the values of the context that the event does not have itself.
    #[inline]
    pub(crate) fn complete(&mut self) {
        if let Some(active) = self.active.take() {
            self.fill(active);
        }
    }

    #[cold]
    fn fill(&mut self, active: &ActiveContext) {
        if active.left_out() > 0 {
            self.buffers.losses.dropped = self.buffers.losses.dropped.saturating_add(active.left_out());
            self.buffers.losses.field.get_or_insert("a property or group of the context");
        }
        if self.overridden & GROUPS == 0 {
            for (kind, key) in active.groups(self.groups_in_active) {
                self.group(kind, key);
            }
        }
        let needs_a_person = rules::needs_a_person(&self.buffers.name);
        for (key, json) in active.properties(self.in_active) {
            if !(needs_a_person && key == PROCESS_PERSON_PROFILE) {
                self.fragment(key, json);
            }
        }
        if self.buffers.distinct_id.is_empty() && self.buffers.losses.rejected.is_none() {
            match active.distinct_id() {
                Some(id) => self.distinct_id(id),
                None if needs_a_person => {}
                None => {
                    self.distinct_id(active.nobody());
                    if !self.has_profile {
                        self.fragment(PROCESS_PERSON_PROFILE, b"false");
                    }
                }
            }
        }
    }

    /// Finishes the event: merges groups and checks the size. The parts stay in the encoder's buffers.
    #[inline]
    pub(crate) fn finish(mut self, now: Timestamp, max: usize) -> Result<EncodedEvent<'a>, LossReason> {
        if let Some(reason) = self.buffers.losses.rejected {
            return Err(reason);
        }
        if self.buffers.distinct_id.is_empty() {
            return Err(LossReason::EmptyDistinctId);
        }
        if self.is_unusual() {
            self.validate()?;
        }
        if !self.buffers.groups.is_empty() {
            self.merge_groups();
        }
        let buffers: &'a Buffers = self.buffers;
        let Buffers { name, distinct_id, groups, properties, .. } = buffers;
        let parts = [name.as_slice(), distinct_id, groups, properties];
        let size: usize = parts.iter().map(|part| part.len()).sum();
        if size + self.common.len() + encoded::FRAME > max {
            return Err(LossReason::TooLarge);
        }
        Ok(EncodedEvent::new(parts, self.timestamp.unwrap_or(now), self.overridden, self.uuid))
    }

    /// Returns quickly whether the receiver's rules need a full check.
    #[inline]
    fn is_unusual(&self) -> bool {
        let Buffers { name, distinct_id, .. } = &*self.buffers;
        rules::is_about_a_person(name)
            || rules::may_be_shared(distinct_id)
            || self.has_profile
            || self.has_cookieless
            || self.common.has_profile()
    }

    #[cold]
    fn validate(&mut self) -> Result<(), LossReason> {
        let Buffers { name, distinct_id, properties, .. } = &*self.buffers;
        let (has_profile, has_cookieless) = (self.has_profile, self.has_cookieless);
        let is_preview = self.is_preview;
        let parts = rules::Parts { name, distinct_id, properties, has_profile, has_cookieless, is_preview };
        let remedy = rules::validate(&parts, self.common.rules())?;
        let of_client = self.common.bit(PROCESS_PERSON_PROFILE);
        if of_client != 0 && rules::needs_a_person(name) {
            self.overridden |= of_client;
        } else if of_client == 0 && remedy == PersonProcessing::Personless {
            self.fragment(PROCESS_PERSON_PROFILE, b"false");
        }
        Ok(())
    }

    fn merge_groups(&mut self) {
        if self.overridden & GROUPS == 0 {
            self.common.write_groups(self.overridden_groups, &mut self.buffers.groups);
        } else {
            // A `$groups` property from a hook, or `no_groups`, replaces all groups.
            self.buffers.groups.clear();
        }
        self.overridden |= GROUPS;
    }
}
