//! Who is who: PostHog's special events as calls.
//!
//! Never evaluates a property while the gate is not open.

use serde::Serialize;

use super::Client;
use crate::event::DynamicEvent;

impl Client {
    /// Tells PostHog who a distinct id is (`$identify`), with properties of the person: an object, such as a
    /// struct, a map or `serde_json::json!({..})`; `()` for none.
    ///
    /// Blank ids, and ids that strangers share (`anonymous`, `0`, `null` and the like), are dropped and
    /// counted: PostHog would merge whoever has them. [`DynamicEvent::identify`] has more to say.
    pub fn identify<P: Serialize>(&self, distinct_id: impl Into<String>, properties: P) {
        self.capture_made(|| DynamicEvent::identify(distinct_id).set(properties));
    }

    /// Makes the person of `alias` and that of `previous` one (`$create_alias`).
    ///
    /// Blank and shared ids on either side are dropped and counted.
    pub fn alias(&self, previous: impl Into<String>, alias: impl Into<String>) {
        self.capture_made(|| DynamicEvent::alias(previous, alias));
    }

    /// Sets properties of a group (`$groupidentify`): an object; `()` for none.
    pub fn group_identify<P: Serialize>(
        &self,
        group_type: impl Into<String>,
        key: impl Into<String>,
        properties: P,
    ) {
        self.capture_made(|| DynamicEvent::group_identify(group_type, key, properties));
    }

    /// Sets properties of a person: an object.
    pub fn set_person<P: Serialize>(&self, distinct_id: impl Into<String>, properties: P) {
        self.capture_made(|| DynamicEvent::person(distinct_id).set(properties));
    }

    /// Sets properties of a person that are not set yet: an object.
    pub fn set_person_once<P: Serialize>(&self, distinct_id: impl Into<String>, properties: P) {
        self.capture_made(|| DynamicEvent::person(distinct_id).set_once(properties));
    }

    /// Removes properties of a person.
    pub fn unset_person<K: AsRef<str>>(
        &self,
        distinct_id: impl Into<String>,
        keys: impl IntoIterator<Item = K>,
    ) {
        self.capture_made(|| DynamicEvent::person(distinct_id).unset(keys));
    }
}
