//! PostHog's special events about persons and groups. Blank ids, and ids that many people share, are rejected, so
//! strangers are never merged.

use std::sync::OnceLock;

use serde::Serialize;

use super::dynamic::{About, DynamicEvent};
use super::reserved;
use super::rules::{self, Rules};
use crate::observe::LossReason;

impl DynamicEvent {
    /// Creates a `$identify` event: PostHog then keeps a person for this id.
    ///
    /// ```
    /// # let client = candor::Client::disabled();
    /// let event = candor::DynamicEvent::identify("user_123")
    ///     .set(serde_json::json!({ "plan": "pro" }))
    ///     .set_once(serde_json::json!({ "first_seen": "2026-08-21" }));
    /// client.capture(event);
    /// ```
    pub fn identify(distinct_id: impl Into<String>) -> Self {
        Self::new(reserved::IDENTIFY, distinct_id)
    }

    /// Creates a `$create_alias` event: PostHog then merges the persons of `alias` and `previous`.
    pub fn alias(previous: impl Into<String>, alias: impl Into<String>) -> Self {
        let (previous, alias) = (previous.into(), alias.into());
        let reason = reason_against_id(&alias);
        Self::new(reserved::CREATE_ALIAS, previous.clone())
            .property("distinct_id", previous)
            .property("alias", alias)
            .rejected_for(reason)
    }

    /// Creates a `$groupidentify` event with the properties of a group: an object, such as a struct or a map.
    ///
    /// Its distinct id is `$<type>_<key>`, unless [`distinct_id`](Self::distinct_id) sets another.
    pub fn group_identify<P: Serialize>(
        group_type: impl Into<String>,
        key: impl Into<String>,
        properties: P,
    ) -> Self {
        let (group_type, key) = (group_type.into(), key.into());
        let is_blank = group_type.trim().is_empty() || key.trim().is_empty();
        let event = Self::new(reserved::GROUP_IDENTIFY, format!("${group_type}_{key}"))
            .property(reserved::GROUP_TYPE, group_type)
            .property(reserved::GROUP_KEY, key)
            .rejected_for(is_blank.then_some(LossReason::EmptyGroup));
        event.property(reserved::GROUP_SET, Empty {}).with(reserved::GROUP_SET.into(), properties, true)
    }

    /// Creates a `$set` event, which only changes the properties of a person, with [`set`](Self::set),
    /// [`set_once`](Self::set_once) and [`unset`](Self::unset).
    pub fn person(distinct_id: impl Into<String>) -> Self {
        Self::new(reserved::SET, distinct_id)
    }

    /// Creates an anonymous event: its distinct id is random, chosen when it is captured, and the receiver stores no
    /// person for it.
    pub fn anonymous(name: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self::made(name.into(), About::Nobody(OnceLock::new())).personless()
    }

    /// Sets properties of the person (`$set`): an object, such as a struct or a map.
    #[must_use]
    pub fn set<P: Serialize>(self, properties: P) -> Self {
        self.with(reserved::SET.into(), properties, true)
    }

    /// Sets properties of the person that are not yet set (`$set_once`): an object.
    #[must_use]
    pub fn set_once<P: Serialize>(self, properties: P) -> Self {
        self.with(reserved::SET_ONCE.into(), properties, true)
    }

    /// Removes properties of the person (`$unset`).
    #[must_use]
    pub fn unset<K: AsRef<str>>(self, keys: impl IntoIterator<Item = K>) -> Self {
        let keys: Vec<String> = keys.into_iter().map(|key| key.as_ref().to_owned()).collect();
        self.property(reserved::UNSET, keys)
    }

    /// Sets the id by which the person was known before (`$anon_distinct_id`), for [`identify`](Self::identify).
    #[must_use]
    pub fn previously(self, anonymous_id: impl Into<String>) -> Self {
        let id = anonymous_id.into();
        let reason = reason_against_id(&id);
        self.property(reserved::ANON_DISTINCT_ID, id).rejected_for(reason)
    }

    /// Stores the event without a person (`$process_person_profile: false`).
    #[must_use]
    pub fn personless(self) -> Self {
        self.property(reserved::PROCESS_PERSON_PROFILE, false)
    }

    /// Sets the session that the event belongs to (`$session_id`).
    #[must_use]
    pub fn session_id(self, id: impl Into<String>) -> Self {
        self.property(reserved::SESSION_ID, id.into())
    }
}

/// `{}`, which the receiver requires if a group has no properties.
#[derive(Serialize)]
struct Empty {}

/// Returns the reason against merging an id with another, if any.
fn reason_against_id(id: &str) -> Option<LossReason> {
    if id.trim().is_empty() {
        Some(LossReason::EmptyDistinctId)
    } else if Rules::LENIENT.max_length.is_exceeded(id) {
        Some(LossReason::LongDistinctId)
    } else {
        rules::is_shared(id).then_some(LossReason::SharedDistinctId)
    }
}
