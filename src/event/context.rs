//! What the work at hand is about: a request's ids, groups and properties.
//!
//! Never knows where it is in force: that is the business of scopes.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::Serialize;
use uuid::Uuid;

use super::common_properties::{CommonProperties, PROFILE};
use super::parsable::to_json;

/// Ids, groups and properties for all events of a request, a job or a task.
///
/// An event's own values come first, then those of the innermost context, then those of contexts around it, then the
/// client's groups and super properties. Use it as an argument of [`Client::capture_in`](crate::Client::capture_in),
/// or [`enter`](Self::enter) it for a while, so that whoever captures need not know of it:
///
/// ```
/// use candor::{Context, event};
///
/// let events = candor::testing::capture(|| {
///     let request = Context::new().distinct_id("user_123").session_id("s-1").property("route", "/orders");
///     let _guard = request.enter();
///     event!("order placed", items = 3);
/// });
/// assert_eq!(events[0].distinct_id, "user_123");
/// assert_eq!(events[0].properties["route"], "/orders");
/// ```
///
/// An event that has no distinct id, in a context that has none, gets a random one, the same for the whole context,
/// and is stored without a person.
#[derive(Clone, Default)]
pub struct Context {
    values: Values,
    /// Made once for a context that stands alone.
    active: OnceLock<Arc<ActiveContext>>,
}

#[derive(Clone, Default)]
struct Values {
    distinct_id: Option<String>,
    groups: Vec<(String, String)>,
    properties: Vec<(String, Vec<u8>)>,
    nobody: Arc<OnceLock<String>>,
}

/// A context in force, on top of those around it.
pub(crate) struct ActiveContext {
    values: Values,
    /// Keys and groups once more, with a bit for each, so that an event can say which it has itself.
    pub(super) keys: CommonProperties,
    /// How many contexts are around it.
    depth: usize,
}

impl Context {
    /// Starts a context that says nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    fn with(mut self, change: impl FnOnce(&mut Values)) -> Self {
        change(&mut self.values);
        self.active = OnceLock::new();
        self
    }

    /// Sets who or what events are about if they do not say.
    #[must_use]
    pub fn distinct_id(self, id: impl Into<String>) -> Self {
        self.with(|values| values.distinct_id = Some(id.into()))
    }

    /// Sets the session that events belong to (`$session_id`).
    #[must_use]
    pub fn session_id(self, id: impl Into<String>) -> Self {
        self.property("$session_id", id.into())
    }

    /// Stores events without a person (`$process_person_profile: false`), except for those that are about one.
    #[must_use]
    pub fn personless(self) -> Self {
        self.property(PROFILE, false)
    }

    /// Adds a property. At most 50; a value that has no form in JSON is left out, with a line in the log.
    #[must_use]
    pub fn property<V: Serialize>(self, key: impl Into<String>, value: V) -> Self {
        let key = key.into();
        let json = to_json(&value);
        self.with(|values| match json {
            Ok(json) => upsert(&mut values.properties, key, json),
            Err(reason) => {
                log::warn!(target: "candor", "context property {key:?} is left out: {}", reason.as_str());
            }
        })
    }

    /// Adds events to a group, unless they name another of the same type.
    #[must_use]
    pub fn group(self, group_type: impl Into<String>, key: impl Into<String>) -> Self {
        self.with(|values| upsert(&mut values.groups, group_type.into(), key.into()))
    }

    /// Puts the context in force on top of another.
    pub(crate) fn active(&self, around: Option<&ActiveContext>) -> Arc<ActiveContext> {
        match around {
            None => {
                Arc::clone(self.active.get_or_init(|| Arc::new(ActiveContext::new(self.values.clone(), 0))))
            }
            Some(around) => {
                Arc::new(ActiveContext::new(self.values.clone().over(&around.values), around.depth + 1))
            }
        }
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Ids and values stay out of logs.
        let keys: Vec<_> = self.values.properties.iter().map(|(key, _)| key).collect();
        f.debug_struct("Context").field("properties", &keys).finish_non_exhaustive()
    }
}

impl fmt::Debug for ActiveContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scene").field("depth", &self.depth).finish_non_exhaustive()
    }
}

impl Values {
    /// Fills what is not said here with what is said around it.
    fn over(mut self, around: &Self) -> Self {
        if self.distinct_id.is_none() {
            self.distinct_id.clone_from(&around.distinct_id);
            self.nobody = Arc::clone(&around.nobody);
        }
        for (kind, key) in &around.groups {
            if self.groups.iter().all(|(known, _)| known != kind) {
                self.groups.push((kind.clone(), key.clone()));
            }
        }
        for (key, json) in &around.properties {
            if self.properties.iter().all(|(known, _)| known != key) {
                self.properties.push((key.clone(), json.clone()));
            }
        }
        self
    }
}

impl ActiveContext {
    fn new(mut values: Values, depth: usize) -> Self {
        values.groups.truncate(MAX);
        values.properties.truncate(MAX);
        let keys = CommonProperties::new(&values.groups, &values.properties);
        Self { values, keys, depth }
    }

    /// Returns how many contexts are around this one.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// Returns the distinct id, if the context has one.
    pub(super) fn distinct_id(&self) -> Option<&str> {
        self.values.distinct_id.as_deref()
    }

    /// Returns the random id of a context that is about nobody known.
    pub(super) fn nobody(&self) -> &str {
        self.values.nobody.get_or_init(|| Uuid::new_v4().hyphenated().to_string())
    }

    /// Returns the groups whose bit is not in `overridden`.
    pub(super) fn groups(&self, overridden: u64) -> impl Iterator<Item = (&str, &str)> {
        let groups = self.values.groups.iter();
        let left = groups.filter(move |(kind, _)| self.keys.group_bit(kind) & overridden == 0);
        left.map(|(kind, key)| (kind.as_str(), key.as_str()))
    }

    /// Returns the properties, as JSON, whose bit is not in `overridden`.
    pub(super) fn properties(&self, overridden: u64) -> impl Iterator<Item = (&str, &[u8])> {
        let properties = self.values.properties.iter();
        let left = properties.filter(move |(key, _)| self.keys.bit(key) & overridden == 0);
        left.map(|(key, json)| (key.as_str(), json.as_slice()))
    }
}

/// As many as the encoder has bits for.
const MAX: usize = 50;

fn upsert<V>(pairs: &mut Vec<(String, V)>, key: String, value: V) {
    match pairs.iter_mut().find(|(known, _)| *known == key) {
        Some((_, known)) => *known = value,
        None => pairs.push((key, value)),
    }
}
