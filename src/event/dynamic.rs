//! Events that are built at run time. Building never fails: values that cannot be sent are counted at the capture.

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
/// A value can be of any type that implements `serde::Serialize`. Prefer a typed event if possible: its fields are in
/// the catalogue that your users read.
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

/// The distinct id of an event.
#[derive(Clone)]
pub(super) enum About {
    /// This id.
    Id(String),
    /// The id of the context that is active during the capture.
    Context,
    /// A random id. It is created when the event is first encoded, so an event that is built while the gate is closed
    /// creates none; it is then kept, so a preview shows the id that is sent.
    Nobody(OnceLock<String>),
}

impl DynamicEvent {
    /// Creates an event. The name and the distinct id have 1 to 200 characters (bytes with PostHog's v1 protocol) and
    /// are not blank; otherwise the event is dropped and counted.
    pub fn new(name: impl Into<Cow<'static, str>>, distinct_id: impl Into<String>) -> Self {
        Self::made(name.into(), About::Id(distinct_id.into()))
    }

    /// Creates an event with the distinct id of the [`Context`](super::Context) that is active when it is captured: a
    /// random one, and no person, if the context has none. Outside of a context it is dropped and counted.
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
    /// A value that the receiver could not parse is left out and counted; see [`Encoder::property`].
    #[must_use]
    pub fn property<V: Serialize>(self, key: impl Into<Cow<'static, str>>, value: V) -> Self {
        self.with(key.into(), value, false)
    }

    /// Adds a property. If `is_object`, the value must be an object; `null` then adds nothing.
    pub(super) fn with<V: Serialize>(mut self, key: Cow<'static, str>, value: V, is_object: bool) -> Self {
        let start = self.json.len();
        // The application's `Serialize` may panic: this drops the event, but never reaches the caller.
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

    /// Sets the distinct id, replacing that of the constructor.
    #[must_use]
    pub fn distinct_id(mut self, distinct_id: impl Into<String>) -> Self {
        self.about = About::Id(distinct_id.into());
        self
    }

    pub(super) fn rejected_for(mut self, reason: Option<LossReason>) -> Self {
        self.rejected = self.rejected.or(reason);
        self
    }

    /// Sets the time at which the event happened. Default: the time of the capture.
    #[must_use]
    pub fn timestamp(mut self, at: impl Into<Timestamp>) -> Self {
        self.timestamp = Some(at.into());
        self
    }

    /// Sets the event's id. Default: a new v7 UUID. The receiver drops a second event with the same id.
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
