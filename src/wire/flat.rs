//! One record per request, for endpoints that are not PostHog's.

use super::{Attempt, BatchInfo, Envelope, EnvelopeLimits, WireEvent};
use crate::event::reserved;
use crate::json::{Members, write_string};

/// Sends each event as one flat JSON object, in its own request.
///
/// By default the object contains the event's properties and nothing else. Super properties are included; names that
/// begin with `$` are left out.
///
/// ```
/// use candor::wire::FlatRecord;
/// use candor::Config;
///
/// // {"customer":..,"version":"1.24.0","event":{"type":..,..},"emittedAt":".."}
/// let envelope = FlatRecord::new("/telemetry")
///     .distinct_id("customer")
///     .root("version")
///     .nested("event", "type")
///     .sent_at("emittedAt");
/// let config = Config::new("scanner", "1.24.0").super_property("version", "1.24.0").envelope(envelope);
/// ```
#[derive(Clone, Debug)]
pub struct FlatRecord {
    path: String,
    distinct_id: Option<String>,
    root: Vec<String>,
    nested: Option<(String, String)>,
    sent_at: Option<String>,
}

impl FlatRecord {
    /// Creates the envelope for a path under the endpoint; a missing leading slash is added.
    pub fn new(path: impl Into<String>) -> Self {
        let path = path.into();
        let path = if path.starts_with('/') { path } else { format!("/{path}") };
        Self { path, distinct_id: None, root: Vec::new(), nested: None, sent_at: None }
    }

    /// Writes the distinct id under this name. It is left out by default.
    #[must_use]
    pub fn distinct_id(mut self, name: impl Into<String>) -> Self {
        self.distinct_id = Some(name.into());
        self
    }

    /// Writes the properties into a nested object of this name, which also has the event's name under `kind`.
    ///
    /// By default the properties are at the root, and the event's name is left out.
    #[must_use]
    pub fn nested(mut self, name: impl Into<String>, kind: impl Into<String>) -> Self {
        self.nested = Some((name.into(), kind.into()));
        self
    }

    /// Keeps the property of this name at the root if the others are [`nested`](Self::nested).
    #[must_use]
    pub fn root(mut self, property: impl Into<String>) -> Self {
        self.root.push(property.into());
        self
    }

    /// Writes the time of the attempt under this name, as RFC 3339 in UTC with milliseconds. It is left out by default.
    #[must_use]
    pub fn sent_at(mut self, name: impl Into<String>) -> Self {
        self.sent_at = Some(name.into());
        self
    }

    fn is_root(&self, key: &[u8]) -> bool {
        self.nested.is_none() || self.root.iter().any(|name| is_name(key, name))
    }

    /// Returns whether the envelope itself writes a member of this name.
    fn is_taken(&self, key: &[u8], at_root: bool) -> bool {
        let own = |name: &Option<String>| name.as_ref().is_some_and(|name| is_name(key, name));
        match &self.nested {
            Some((_, kind)) if !at_root => is_name(key, kind),
            Some((name, _)) => is_name(key, name) || own(&self.distinct_id) || own(&self.sent_at),
            None => own(&self.distinct_id) || own(&self.sent_at),
        }
    }

    /// Copies the properties that belong at the root, or in the nested object.
    fn copy(&self, properties: &[u8], at_root: bool, out: &mut Vec<u8>) {
        for member in Members::inside(properties, 1) {
            let (key, value) = (properties.get(member.key), properties.get(member.value));
            let (Some(key), Some(value)) = (key, value) else { return };
            let is_library = reserved::is_reserved(key);
            if !is_library && self.is_root(key) == at_root && !self.is_taken(key, at_root) {
                separate(out);
                out.extend_from_slice(key);
                out.push(b':');
                out.extend_from_slice(value);
            }
        }
    }
}

impl Envelope for FlatRecord {
    fn path(&self) -> &str {
        &self.path
    }

    fn limits(&self) -> EnvelopeLimits {
        EnvelopeLimits::new().max_events(1)
    }

    fn begin(&self, _batch: &BatchInfo, body: &mut Vec<u8>) {
        body.push(b'{');
    }

    fn event(&self, event: &WireEvent<'_>, body: &mut Vec<u8>) {
        let mut properties = Vec::new();
        event.write_properties(&mut properties);
        if let Some(name) = &self.distinct_id {
            write_key(name, body);
            body.extend_from_slice(event.encoded().distinct_id());
        }
        self.copy(&properties, true, body);
        if let Some((name, kind)) = &self.nested {
            write_key(name, body);
            body.push(b'{');
            write_key(kind, body);
            body.extend_from_slice(event.encoded().name());
            self.copy(&properties, false, body);
            body.push(b'}');
        }
    }

    fn end(&self, _batch: &BatchInfo, attempt: Attempt, body: &mut Vec<u8>) {
        if let Some(name) = &self.sent_at {
            write_key(name, body);
            body.push(b'"');
            body.extend_from_slice(attempt.at.to_rfc3339().as_bytes());
            body.push(b'"');
        }
        body.push(b'}');
    }
}

/// Returns whether a quoted key is this name.
fn is_name(key: &[u8], name: &str) -> bool {
    let mut quoted = Vec::with_capacity(name.len() + 2);
    write_string(&mut quoted, name);
    key == quoted
}

fn write_key(name: &str, out: &mut Vec<u8>) {
    separate(out);
    write_string(out, name);
    out.push(b':');
}

/// Writes the comma before a member, unless it is the first of its object.
fn separate(out: &mut Vec<u8>) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, from_slice, json};

    use super::FlatRecord;
    use crate::event::{CommonProperties, DynamicEvent};
    use crate::wire::Envelope;
    use crate::wire::sample::{AT, body_of};

    fn common() -> CommonProperties {
        let json = |value: &str| serde_json::to_vec(value).unwrap();
        let properties = [
            ("tier".to_owned(), json("free")),
            ("$lib".to_owned(), json("candor")),
            ("$is_server".to_owned(), b"true".to_vec()),
        ];
        CommonProperties::new(&[("deployment".to_owned(), "dep_1".to_owned())], &properties)
    }

    fn sent(envelope: &FlatRecord, event: DynamicEvent) -> Value {
        from_slice(&body_of(envelope, &common(), &[event])).unwrap()
    }

    #[test]
    fn properties_are_at_the_root_without_posthogs_own() {
        let event = DynamicEvent::new("seen", "usr_1").property("n", 1).group("company", "acme");
        assert_eq!(sent(&FlatRecord::new("cli/t"), event), json!({"n": 1, "tier": "free"}));
        assert_eq!(FlatRecord::new("cli/t").path(), "/cli/t");
        assert_eq!(FlatRecord::new("/cli/t").limits().max_events, 1);
    }

    #[test]
    fn a_declared_shape_has_exactly_these_fields() {
        let envelope = FlatRecord::new("/t").distinct_id("who").root("tier").nested("event", "type");
        let event = DynamicEvent::new("fix_run", "usr_1").property("applied", 2).property("mode", "apply");
        assert_eq!(
            sent(&envelope.sent_at("emittedAt"), event),
            json!({
                "who": "usr_1", "tier": "free", "emittedAt": AT,
                "event": {"type": "fix_run", "applied": 2, "mode": "apply"},
            })
        );
    }

    #[test]
    fn an_event_without_properties_is_still_an_object() {
        let none = || DynamicEvent::new("e", "1").property("$only", 1);
        let bare = CommonProperties::default();
        let body =
            |envelope: &FlatRecord| -> Value { from_slice(&body_of(envelope, &bare, &[none()])).unwrap() };
        assert_eq!(body(&FlatRecord::new("/t")), json!({}));
        assert_eq!(body(&FlatRecord::new("/t").sent_at("at")), json!({"at": AT}));
        assert_eq!(body(&FlatRecord::new("/t").nested("e", "k")), json!({"e": {"k": "e"}}));
    }

    #[test]
    fn a_property_never_takes_a_name_of_the_envelope() {
        let envelope = FlatRecord::new("/t").distinct_id("who").nested("event", "type").sent_at("at");
        let event = DynamicEvent::new("e", "usr_1").property("type", "forged").property("who", "kept inside");
        assert_eq!(
            sent(&envelope.root("at"), event.property("at", "forged")),
            json!({
                "who": "usr_1", "at": AT,
                "event": {"type": "e", "who": "kept inside", "tier": "free"},
            })
        );
    }
}
