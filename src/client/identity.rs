//! PostHog's special events for people and groups, as calls.
//!
//! Never evaluates a property while the gate is closed.

use serde::Serialize;

use super::Client;
use crate::event::DynamicEvent;

impl Client {
    /// Tells PostHog who a distinct id is (`$identify`), with properties of the person. `properties` must serialize
    /// to an object, such as a struct, a map or `serde_json::json!({..})`; `()` stands for none.
    ///
    /// Blank ids and ids that strangers share (`anonymous`, `0`, `null` and so on) are dropped and counted, because
    /// PostHog would merge everyone who has them. See [`DynamicEvent::identify`] for details.
    pub fn identify<P: Serialize>(&self, distinct_id: impl Into<String>, properties: P) {
        self.capture_made(|| DynamicEvent::identify(distinct_id).set(properties));
    }

    /// Merges the persons of `previous` and `alias` (`$create_alias`).
    ///
    /// Blank and shared ids on either side are dropped and counted.
    pub fn alias(&self, previous: impl Into<String>, alias: impl Into<String>) {
        self.capture_made(|| DynamicEvent::alias(previous, alias));
    }

    /// Sets properties of a group (`$groupidentify`). `properties` must serialize to an object; `()` stands for
    /// none.
    pub fn group_identify<P: Serialize>(
        &self,
        group_type: impl Into<String>,
        key: impl Into<String>,
        properties: P,
    ) {
        self.capture_made(|| DynamicEvent::group_identify(group_type, key, properties));
    }

    /// Sets properties of a person. `properties` must serialize to an object.
    pub fn set_person<P: Serialize>(&self, distinct_id: impl Into<String>, properties: P) {
        self.capture_made(|| DynamicEvent::person(distinct_id).set(properties));
    }

    /// Sets properties of a person that are not set yet. `properties` must serialize to an object.
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
