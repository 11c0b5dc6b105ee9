//! Events that are put together at run time.
//!
//! Never fails: what cannot be sent is remembered, and counted when captured.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::OnceLock;

use serde::Serialize;
use uuid::Uuid;

use super::parsable;
use super::{Encoder, Event};
use crate::observe::LossReason;
use crate::panic::catch_panic;
use crate::timestamp::Timestamp;

/// An event whose name and properties are chosen at run time.
///
/// ```
/// # let client = candor::Client::disabled();
/// let event = candor::DynamicEvent::new("server started", "node-7")
///     .property("replicas", 3)
///     .property("tls", true)
///     .group("deployment", "dep_123");
/// client.capture(event);
/// ```
///
/// Values are anything that is `serde::Serialize`. Prefer a typed event where you can: its fields are
/// in the catalogue that your users read.
#[derive(Clone)]
pub struct DynamicEvent {
    name: Cow<'static, str>,
    about: About,
    json: Vec<u8>,
    properties: Vec<(Cow<'static, str>, Range<usize>)>,
    /// Properties that cannot be sent.
    left_out: Vec<(Cow<'static, str>, LossReason)>,
    groups: Vec<(Cow<'static, str>, String)>,
    timestamp: Option<Timestamp>,
    uuid: Option<Uuid>,
    rejected: Option<LossReason>,
}

/// Who or what an event is about.
#[derive(Clone)]
pub(super) enum About {
    /// Whoever this id stands for.
    Id(String),
    /// Whoever the context of the capture is about.
    Context,
    /// Nobody: the random id is drawn when the event is first encoded, so that an event that is made
    /// while the gate is closed draws none, and kept, so that a preview shows what is sent.
    Nobody(OnceLock<String>),
}

impl DynamicEvent {
    /// Starts an event; the name and the distinct id have 1 to 200 characters (bytes with PostHog's v1
    /// protocol).
    pub fn new(name: impl Into<Cow<'static, str>>, distinct_id: impl Into<String>) -> Self {
        Self::made(name.into(), About::Id(distinct_id.into()))
    }

    /// Starts an event about whoever the [`Context`](super::Context) of its capture is about; without a
    /// context it is dropped, since it has no distinct id.
    pub fn in_context(name: impl Into<Cow<'static, str>>) -> Self {
        Self::made(name.into(), About::Context)
    }

    pub(super) fn made(name: Cow<'static, str>, about: About) -> Self {
        Self {
            name,
            about,
            json: Vec::new(),
            properties: Vec::new(),
            left_out: Vec::new(),
            groups: Vec::new(),
            timestamp: None,
            uuid: None,
            rejected: None,
        }
    }

    /// Sets a property; a second value under the same name replaces the first.
    ///
    /// A value that receivers could not read is left out and counted; see [`Encoder::property`].
    #[must_use]
    pub fn property<V: Serialize>(self, key: impl Into<Cow<'static, str>>, value: V) -> Self {
        self.with(key.into(), value, false)
    }

    /// Adds a property, which has to be an object where `is_object` says so; `null` then means none.
    pub(super) fn with<V: Serialize>(mut self, key: Cow<'static, str>, value: V, is_object: bool) -> Self {
        let start = self.json.len();
        // The value's code is the application's: a panic in it costs the event, not the caller.
        let written = catch_panic(|| parsable::write(&mut self.json, &value));
        if let Err(reason) = written.unwrap_or(Err(LossReason::EventPanicked)) {
            self.json.truncate(start);
            if is_object || reason == LossReason::EventPanicked {
                self.rejected.get_or_insert(reason);
            } else {
                self.properties.retain(|(known, _)| *known != key);
                self.left_out.push((key, reason));
            }
            return self;
        }
        if is_object && self.json.get(start) != Some(&b'{') {
            if self.json.get(start..) != Some(b"null") {
                self.rejected.get_or_insert(LossReason::Malformed);
            }
            self.json.truncate(start);
            return self;
        }
        let range = start..self.json.len();
        match self.properties.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = range,
            None => self.properties.push((key, range)),
        }
        self
    }

    /// Adds the event to a group; a second key for the same type replaces the first.
    #[must_use]
    pub fn group(mut self, group_type: impl Into<Cow<'static, str>>, key: impl Into<String>) -> Self {
        let (group_type, key) = (group_type.into(), key.into());
        match self.groups.iter_mut().find(|(known, _)| *known == group_type) {
            Some((_, known)) => *known = key,
            None => self.groups.push((group_type, key)),
        }
        self
    }

    /// Sets who or what the event is about, in place of what its constructor chose.
    #[must_use]
    pub fn distinct_id(mut self, distinct_id: impl Into<String>) -> Self {
        self.about = About::Id(distinct_id.into());
        self
    }

    pub(super) fn rejected_for(mut self, reason: Option<LossReason>) -> Self {
        self.rejected = self.rejected.or(reason);
        self
    }

    /// Sets when the event happened, in place of the instant of its capture.
    #[must_use]
    pub fn timestamp(mut self, at: impl Into<Timestamp>) -> Self {
        self.timestamp = Some(at.into());
        self
    }

    /// Sets the event's id, in place of a fresh v7 one; the receiver drops a second event with the same id.
    #[must_use]
    pub fn uuid(mut self, uuid: Uuid) -> Self {
        self.uuid = Some(uuid);
        self
    }
}

impl Event for DynamicEvent {
    fn name(&self) -> &str {
        &self.name
    }

    fn encode(&self, event: &mut Encoder<'_>) {
        if let Some(reason) = self.rejected {
            event.reject(reason);
        }
        match &self.about {
            About::Id(id) => event.distinct_id(id),
            About::Context => {}
            About::Nobody(id) => {
                event.distinct_id(id.get_or_init(|| Uuid::new_v4().hyphenated().to_string()));
            }
        }
        for (key, range) in &self.properties {
            event.fragment(key, self.json.get(range.clone()).unwrap_or(b"null"));
        }
        for (key, reason) in &self.left_out {
            event.leave_out(key, *reason);
        }
        for (group_type, key) in &self.groups {
            event.group(group_type, key);
        }
        if let Some(at) = self.timestamp {
            event.timestamp(at);
        }
        if let Some(uuid) = self.uuid {
            event.uuid(uuid);
        }
    }
}

impl std::fmt::Debug for DynamicEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Ids and values stay out of logs; names are the application's own constants.
        let keys: Vec<_> = self.properties.iter().map(|(key, _)| key).collect();
        f.debug_struct("DynamicEvent")
            .field("name", &self.name)
            .field("properties", &keys)
            .finish_non_exhaustive()
    }
}
