//! The context of a request: its ids, groups and properties. `capture/scope` decides where it is active.

use std::fmt;
use std::sync::{Arc, OnceLock};

use serde::Serialize;
use uuid::Uuid;

use super::common_properties::CommonProperties;
use super::parsable::to_json;
use super::reserved;

/// Ids, groups and properties for all events of a request, a job or a task.
///
/// An event's own values take precedence, followed by those of the innermost context, those of the contexts around
/// it, and the client's groups and super properties. Pass a context to
/// [`Client::capture_in`](crate::Client::capture_in), or [`enter`](Self::enter) it, so the code that captures does
/// not need to know about it:
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
/// An event without a distinct id of its own has that of the active context: a random one, which is the same for the
/// whole context, and no person, if the context has none. Outside of a context it is dropped and counted.
#[derive(Clone, Default)]
pub struct Context {
    values: Values,
    /// Cached for use outside of any other context.
    active: OnceLock<Arc<ActiveContext>>,
}

#[derive(Clone, Default)]
struct Values {
    distinct_id: Option<String>,
    groups: Vec<(String, String)>,
    properties: Vec<(String, Vec<u8>)>,
    nobody: Arc<OnceLock<String>>,
}

/// An active context, merged with those around it.
pub(crate) struct ActiveContext {
    values: Values,
    /// The keys and groups again, with a bit for each, so an event can record which ones it overrides.
    pub(super) keys: CommonProperties,
    /// The number of contexts around it.
    depth: usize,
    /// The number of properties and groups beyond [`MAX`].
    left_out: u32,
}

impl Context {
    /// Creates an empty context.
    pub fn new() -> Self {
        Self::default()
    }

    fn with(mut self, change: impl FnOnce(&mut Values)) -> Self {
        change(&mut self.values);
        self.active = OnceLock::new();
        self
    }

    /// Sets the distinct id of events that have none.
    #[must_use]
    pub fn distinct_id(self, id: impl Into<String>) -> Self {
        self.with(|values| values.distinct_id = Some(id.into()))
    }

    /// Sets the session that events belong to (`$session_id`).
    #[must_use]
    pub fn session_id(self, id: impl Into<String>) -> Self {
        self.property(reserved::SESSION_ID, id.into())
    }

    /// Stores events without a person (`$process_person_profile: false`), except for events that need one, such as
    /// `$identify`.
    #[must_use]
    pub fn personless(self) -> Self {
        self.property(reserved::PROCESS_PERSON_PROFILE, false)
    }

    /// Adds a property. A context has at most 50 properties and 50 groups; more are left out of each event, and
    /// counted in [`fields_dropped`](crate::Stats::fields_dropped). A value that cannot be sent as JSON is left out,
    /// with a line in the log.
    #[must_use]
    pub fn property<V: Serialize>(self, key: impl Into<String>, value: V) -> Self {
        let key = key.into();
        let json = to_json(&value);
        self.with(|values| match json {
            Ok(json) => upsert(&mut values.properties, key, json),
            Err(reason) => {
                log::warn!(target: "candor", "the context property {key:?} was left out: {}", reason.as_str());
            }
        })
    }

    /// Adds events to a group, unless they set another group of the same type.
    #[must_use]
    pub fn group(self, group_type: impl Into<String>, key: impl Into<String>) -> Self {
        self.with(|values| upsert(&mut values.groups, group_type.into(), key.into()))
    }

    /// Returns the active form of the context, merged with the one around it.
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
        f.debug_struct("ActiveContext").field("depth", &self.depth).finish_non_exhaustive()
    }
}

impl Values {
    /// Adds the values of the context around this one, unless they are set here.
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
        let beyond = |len: usize| u32::try_from(len.saturating_sub(MAX)).unwrap_or(u32::MAX);
        let left_out = beyond(values.groups.len()).saturating_add(beyond(values.properties.len()));
        values.groups.truncate(MAX);
        values.properties.truncate(MAX);
        let keys = CommonProperties::new(&values.groups, &values.properties);
        Self { values, keys, depth, left_out }
    }

    /// Returns the number of properties and groups that events within this context are missing.
    pub(super) fn left_out(&self) -> u32 {
        self.left_out
    }

    /// Returns the number of contexts around this one.
    pub(crate) fn depth(&self) -> usize {
        self.depth
    }

    /// Returns the distinct id, if the context has one.
    pub(super) fn distinct_id(&self) -> Option<&str> {
        self.values.distinct_id.as_deref()
    }

    /// Returns the random distinct id of a context that has no other.
    pub(super) fn nobody(&self) -> &str {
        self.values.nobody.get_or_init(|| Uuid::new_v4().hyphenated().to_string())
    }

    /// Returns the groups whose bit is not set in `overridden`.
    pub(super) fn groups(&self, overridden: u64) -> impl Iterator<Item = (&str, &str)> {
        let groups = self.values.groups.iter();
        let left = groups.filter(move |(kind, _)| self.keys.group_bit(kind) & overridden == 0);
        left.map(|(kind, key)| (kind.as_str(), key.as_str()))
    }

    /// Returns the properties, as JSON, whose bit is not set in `overridden`.
    pub(super) fn properties(&self, overridden: u64) -> impl Iterator<Item = (&str, &[u8])> {
        let properties = self.values.properties.iter();
        let left = properties.filter(move |(key, _)| self.keys.bit(key) & overridden == 0);
        left.map(|(key, json)| (key.as_str(), json.as_slice()))
    }
}

/// The maximum number of properties, and of groups, in a context: the encoder has a bit for each.
const MAX: usize = 50;

fn upsert<V>(pairs: &mut Vec<(String, V)>, key: String, value: V) {
    match pairs.iter_mut().find(|(known, _)| *known == key) {
        Some((_, known)) => *known = value,
        None => pairs.push((key, value)),
    }
}
