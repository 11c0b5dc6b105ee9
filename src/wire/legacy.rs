//! PostHog's batch as its libraries wrote it years ago, with `type` and `library` beside each event.

use std::sync::Arc;

use super::codec::Compression;
use super::spec::{Conventions, EnvelopeSettings, LibraryPlace, ProtocolSpec};
use super::{Attempt, BatchInfo, Envelope, EnvelopeLimits, WireEvent, v0};
use crate::event::reserved::quoted;
use crate::event::{MaxLength, Rules};
use crate::json::{Members, write_string};

/// The form from before `$is_server` and `sent_at`, for endpoints that were built for it.
pub(crate) static SPEC: ProtocolSpec = ProtocolSpec {
    path: "/batch/",
    limits: EnvelopeLimits::new().max_body_bytes(20 * 1024 * 1024).codecs(&[Compression::Gzip]),
    conventions: Conventions {
        name: "posthog-legacy",
        rules: Rules { max_length: MaxLength::Characters(200), knows_shared_ids: false },
        library: LibraryPlace::RootAndProperties,
        names_server: false,
    },
    envelope,
};

fn envelope(settings: &EnvelopeSettings<'_>) -> Arc<dyn Envelope> {
    Arc::new(LegacyBatch::new(settings))
}

/// The old batch form: `type`, `library` and `library_version` are at the root of each event, and so is the `$set` of
/// `$identify`. `$create_alias` has no distinct id at its root, and `$groupidentify` has no type.
#[derive(Clone, Debug)]
struct LegacyBatch {
    begin: Vec<u8>,
    library: Vec<u8>,
}

impl LegacyBatch {
    /// Creates the envelope.
    fn new(settings: &EnvelopeSettings<'_>) -> Self {
        let EnvelopeSettings { api_key, historical_migration, library } = *settings;
        let mut names = b"\"library\":".to_vec();
        write_string(&mut names, library.0);
        names.extend_from_slice(b",\"library_version\":");
        write_string(&mut names, library.1);
        Self { begin: v0::beginning(api_key, historical_migration), library: names }
    }

    /// Writes an ordinary event, with its properties unchanged.
    fn capture(event: &WireEvent<'_>, body: &mut Vec<u8>) {
        write_id(event, body);
        body.extend_from_slice(b",\"properties\":");
        event.write_properties(body);
    }

    /// Writes one of PostHog's own events, some of whose properties belong elsewhere.
    fn special(event_type: EventType, event: &WireEvent<'_>, body: &mut Vec<u8>) {
        let mut properties = Vec::new();
        event.write_properties(&mut properties);
        let mut kept = vec![b'{'];
        let (mut has_id, mut set) = (false, None);
        for member in Members::inside(&properties, 1) {
            let (key, value) = (properties.get(member.key.clone()), properties.get(member.value.clone()));
            let (Some(key), Some(value)) = (key, value) else { break };
            match key {
                quoted::SET if event_type == EventType::Identify => set = Some(value),
                quoted::GROUPS if event_type != EventType::Identify => {}
                _ => {
                    has_id |= key == b"\"distinct_id\"";
                    if kept.len() > 1 {
                        kept.push(b',');
                    }
                    kept.extend_from_slice(key);
                    kept.push(b':');
                    kept.extend_from_slice(value);
                }
            }
        }
        kept.push(b'}');
        if event_type != EventType::Alias || !has_id {
            write_id(event, body);
        }
        if let Some(set) = set {
            for part in [b",".as_slice(), quoted::SET, b":", set] {
                body.extend_from_slice(part);
            }
        }
        body.extend_from_slice(b",\"properties\":");
        body.extend_from_slice(&kept);
    }
}

/// The kinds of event that the old libraries distinguished by `type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EventType {
    Capture,
    Identify,
    GroupIdentify,
    Alias,
}

impl EventType {
    fn of(name: &[u8]) -> Self {
        match name {
            quoted::IDENTIFY => Self::Identify,
            quoted::GROUP_IDENTIFY => Self::GroupIdentify,
            quoted::CREATE_ALIAS => Self::Alias,
            _ => Self::Capture,
        }
    }

    fn text(self) -> Option<&'static [u8]> {
        match self {
            Self::Capture => Some(b",\"type\":\"capture\""),
            Self::Identify => Some(b",\"type\":\"identify\""),
            Self::Alias => Some(b",\"type\":\"alias\""),
            Self::GroupIdentify => None,
        }
    }
}

fn write_id(event: &WireEvent<'_>, body: &mut Vec<u8>) {
    body.extend_from_slice(b",\"distinct_id\":");
    body.extend_from_slice(event.encoded().distinct_id());
}

impl Envelope for LegacyBatch {
    fn path(&self) -> &str {
        SPEC.path
    }

    fn limits(&self) -> EnvelopeLimits {
        SPEC.limits
    }

    fn begin(&self, _batch: &BatchInfo, body: &mut Vec<u8>) {
        body.extend_from_slice(&self.begin);
    }

    fn event(&self, event: &WireEvent<'_>, body: &mut Vec<u8>) {
        let event_type = EventType::of(event.encoded().name());
        for part in [
            b"{\"uuid\":\"".as_slice(),
            event.uuid().as_bytes(),
            b"\"",
            event_type.text().unwrap_or_default(),
            b",",
            &self.library,
            b",\"timestamp\":\"",
            event.timestamp(),
            b"\",\"event\":",
            event.encoded().name(),
        ] {
            body.extend_from_slice(part);
        }
        match event_type {
            EventType::Capture => Self::capture(event, body),
            event_type => Self::special(event_type, event, body),
        }
        body.push(b'}');
    }

    fn end(&self, _batch: &BatchInfo, _attempt: Attempt, body: &mut Vec<u8>) {
        body.extend_from_slice(b"]}");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{EnvelopeSettings, LegacyBatch};
    use crate::event::{CommonProperties, DynamicEvent};
    use crate::wire::sample::body_of;

    fn common() -> CommonProperties {
        let lib = |name: &str| serde_json::to_vec(name).unwrap();
        let properties = [("$lib".to_owned(), lib("old-go")), ("$lib_version".to_owned(), lib("dev"))];
        CommonProperties::new(&[("deployment".to_owned(), "dep_1".to_owned())], &properties)
    }

    fn envelope(api_key: Option<&str>, historical_migration: bool, library: (&str, &str)) -> LegacyBatch {
        LegacyBatch::new(&EnvelopeSettings { api_key, historical_migration, library })
    }

    fn sent(event: &DynamicEvent) -> Value {
        let envelope = envelope(None, false, ("old-go", "dev"));
        let body = body_of(&envelope, &common(), std::slice::from_ref(event));
        let mut body: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
        let mut event = body["batch"][0].take();
        for gone in ["uuid", "timestamp"] {
            assert!(event.as_object_mut().unwrap().remove(gone).is_some(), "{gone}");
        }
        event
    }

    #[test]
    fn a_captured_event_names_type_and_library_at_its_root() {
        assert_eq!(
            sent(&DynamicEvent::new("seen", "usr_1").property("n", 1).property("$set", json!({"a": 1}))),
            json!({
                "type": "capture", "library": "old-go", "library_version": "dev",
                "event": "seen", "distinct_id": "usr_1",
                "properties": {
                    "n": 1, "$set": {"a": 1}, "$groups": {"deployment": "dep_1"},
                    "$lib": "old-go", "$lib_version": "dev",
                },
            })
        );
    }

    #[test]
    fn the_set_of_an_identify_is_at_its_root() {
        let event = DynamicEvent::new("$identify", "usr_1").property("$set", json!({"role": "a,}\""}));
        assert_eq!(
            sent(&event),
            json!({
                "type": "identify", "library": "old-go", "library_version": "dev",
                "event": "$identify", "distinct_id": "usr_1", "$set": {"role": "a,}\""},
                "properties": {
                    "$groups": {"deployment": "dep_1"}, "$lib": "old-go", "$lib_version": "dev",
                },
            })
        );
    }

    #[test]
    fn a_group_has_no_type_and_no_groups() {
        let event = DynamicEvent::new("$groupidentify", "$deployment_dep_1")
            .property("$group_type", "deployment")
            .property("$group_key", "dep_1")
            .property("$group_set", json!({"stage": "test"}));
        assert_eq!(
            sent(&event),
            json!({
                "library": "old-go", "library_version": "dev",
                "event": "$groupidentify", "distinct_id": "$deployment_dep_1",
                "properties": {
                    "$group_type": "deployment", "$group_key": "dep_1", "$group_set": {"stage": "test"},
                    "$lib": "old-go", "$lib_version": "dev",
                },
            })
        );
    }

    #[test]
    fn an_alias_has_its_id_in_the_properties_only() {
        let event =
            DynamicEvent::new("$create_alias", "old").property("distinct_id", "old").property("alias", "new");
        let sent = sent(&event);
        assert_eq!(sent["type"], "alias");
        assert_eq!(sent.get("distinct_id"), None);
        assert_eq!(
            sent["properties"],
            json!({"distinct_id": "old", "alias": "new", "$lib": "old-go", "$lib_version": "dev"})
        );
        // An alias without the property keeps the id at its root, since an event without one is refused.
        assert_eq!(self::sent(&DynamicEvent::new("$create_alias", "old"))["distinct_id"], "old");
    }

    #[test]
    fn the_key_comes_before_the_events_if_there_is_one() {
        let events = [DynamicEvent::new("a", "1"), DynamicEvent::new("b", "2")];
        let envelope = envelope(Some("phc_1"), true, ("l", "v"));
        let body: Value = serde_json::from_slice(&body_of(&envelope, &common(), &events)).unwrap();
        assert_eq!(body["api_key"], "phc_1");
        assert_eq!(body["historical_migration"], true);
        assert_eq!(body["batch"][0]["event"], "a");
        assert_eq!(body["batch"][1]["event"], "b");
        assert_eq!(body["batch"][1]["uuid"].as_str().unwrap().len(), 36);
    }
}
