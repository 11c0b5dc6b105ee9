//! One event: its root, its reserved properties, its limits.

use candor::encode::Encoder;
use candor::{LossReason, Protocol};
use serde_json::json;
use time::{OffsetDateTime, UtcOffset};
use uuid::Uuid;

use super::*;

#[test]
fn the_root_of_an_event_has_these_keys_and_no_others() {
    for (protocol, keys) in [
        (Protocol::V0, &["distinct_id", "event", "properties", "timestamp", "uuid"][..]),
        (Protocol::V1, &["distinct_id", "event", "options", "properties", "timestamp", "uuid"]),
    ] {
        let event = &sent(protocol, |it| it, [numbered(1)]).events()[0];
        assert_eq!(event.as_object().unwrap().keys().collect::<Vec<_>>(), keys);
    }
}

#[test]
fn the_distinct_id_is_at_the_root_and_not_in_the_properties() {
    for protocol in BOTH {
        let event = &sent(protocol, |it| it, [numbered(1)]).events()[0];
        assert_eq!(event["distinct_id"], "user_123");
        assert_eq!(event["properties"].get("distinct_id"), None);
    }
}

#[test]
fn every_event_has_a_unique_uuid_in_canonical_form() {
    for protocol in BOTH {
        let events = sent(protocol, |it| it, (0..100).map(numbered)).events();
        let mut ids: Vec<_> = events.iter().map(|event| event["uuid"].as_str().unwrap().to_owned()).collect();
        for id in &ids {
            let parsed = Uuid::parse_str(id).unwrap();
            assert_eq!((parsed.hyphenated().to_string(), parsed.get_version_num()), (id.clone(), 7));
        }
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), 100);
    }
}

#[test]
fn a_uuid_of_the_application_is_kept() {
    for protocol in BOTH {
        let id = Uuid::from_u128(0x00ab_cdef);
        let event = &sent(protocol, |it| it, [numbered(1).uuid(id)]).events()[0];
        assert_eq!(event["uuid"], "00000000-0000-0000-0000-000000abcdef");
    }
}

#[test]
fn the_timestamp_is_the_instant_of_the_capture_in_utc() {
    for protocol in BOTH {
        let server = Server::always(Reply::judged(taken).held());
        let client = client(plain(&server, protocol));
        let before = OffsetDateTime::now_utc() - time::Duration::milliseconds(1);
        client.capture(numbered(1));
        let after = OffsetDateTime::now_utc();
        server.release();
        client.shutdown(LONG).unwrap();
        let at = utc(server.events()[0]["timestamp"].as_str().unwrap());
        assert!(before <= at && at <= after, "{before} {at} {after}");
    }
}

#[test]
fn a_timestamp_with_an_offset_becomes_the_same_instant_in_utc() {
    for protocol in BOTH {
        for (hours, minutes) in [(5, 30), (-8, 0), (0, 0), (14, 0)] {
            let there = UtcOffset::from_hms(hours, minutes, 0).unwrap();
            let at = OffsetDateTime::from_unix_timestamp(1_735_787_045).unwrap().to_offset(there);
            let event = &sent(protocol, |it| it, [numbered(1).timestamp(at)]).events()[0];
            assert_eq!(event["timestamp"], "2025-01-02T03:04:05.000Z");
        }
    }
}

#[test]
fn properties_are_an_object_even_if_there_are_none() {
    for protocol in BOTH {
        let event = &sent(protocol, |it| it, [DynamicEvent::new("bare", "user_123")]).events()[0];
        assert!(event["properties"].is_object());
    }
}

#[test]
fn custom_properties_arrive_unchanged() {
    let properties = json!({
        "text": "2025-01-02T08:34:05+05:30",
        "quoted": "a \"b\" \\ \u{1} \u{2028} \u{1f4a1}",
        "numbers": [0, -1, 1.5, 1e300, u64::MAX, i64::MIN],
        "nothing": null,
        "nested": { "a": { "b": [true, false, {}] } },
        "": "an empty key",
        "token": "a property like any other",
    });
    for protocol in BOTH {
        let event = properties
            .as_object()
            .unwrap()
            .iter()
            .fold(DynamicEvent::new("custom", "user_123"), |event, (key, value)| {
                event.property(key.clone(), value)
            });
        let arrived = &sent(protocol, |it| it, [event]).events()[0]["properties"];
        for (key, value) in properties.as_object().unwrap() {
            assert_eq!(&arrived[key], value, "{key}");
        }
    }
}

#[test]
fn the_library_is_in_the_properties_in_v0_and_in_no_body_in_v1() {
    let event = &sent(Protocol::V0, |it| it, [numbered(1)]).events()[0];
    assert_eq!(event["properties"]["$lib"], "candor");
    assert_eq!(event["properties"]["$lib_version"], env!("CARGO_PKG_VERSION"));
    let event = &sent(Protocol::V1, |it| it, [numbered(1)]).events()[0];
    assert_eq!(event["properties"].get("$lib"), None);
    assert_eq!(event["properties"].get("$lib_version"), None);
}

#[test]
fn is_server_and_geoip_disable_are_true_by_default() {
    for protocol in BOTH {
        let properties = &sent(protocol, |it| it, [numbered(1)]).events()[0]["properties"];
        assert_eq!((&properties["$is_server"], &properties["$geoip_disable"]), (&json!(true), &json!(true)));
        assert_eq!(properties.get("$ip"), None);
        let configure = |it: Config| it.is_server(false).geoip_disable(false);
        let properties = &sent(protocol, configure, [numbered(1)]).events()[0]["properties"];
        assert_eq!(properties["$is_server"], false);
        assert_eq!(properties.get("$geoip_disable"), None, "left out, not false");
    }
}

#[test]
fn groups_are_strings_by_type() {
    for protocol in BOTH {
        let event = numbered(1).group("company", "acme");
        let outcome = sent(protocol, |it| it.group("deployment", "dep_1"), [event]);
        let groups = &outcome.events()[0]["properties"]["$groups"];
        assert_eq!(groups, &json!({ "company": "acme", "deployment": "dep_1" }));
    }
}

#[test]
fn v1_options_hold_only_what_was_set() {
    let events = [numbered(1), numbered(2).personless()];
    let events = sent(Protocol::V1, |it| it, events).events();
    assert_eq!(events[0]["options"], json!({}));
    assert_eq!(events[1]["options"], json!({ "process_person_profile": false }));
    assert_eq!(events[1]["properties"].get("$process_person_profile"), None);
}

#[test]
fn v1_options_are_lifted_out_of_super_properties_too() {
    let configure =
        |it: Config| it.super_property("$ignore_sent_at", true).super_property("$session_id", "s-1");
    let event = &sent(Protocol::V1, configure, [numbered(1)]).events()[0];
    assert_eq!(
        (&event["options"], &event["session_id"]),
        (&json!({ "disable_skew_correction": true }), &json!("s-1"))
    );
    assert_eq!(event["properties"].get("$ignore_sent_at"), None);
    assert_eq!(event["properties"]["n"], 1);
}

#[test]
fn a_distinct_id_has_200_characters_in_v0_and_200_bytes_in_v1() {
    for (protocol, id, is_sent) in [
        (Protocol::V0, "\u{1f4a1}".repeat(200), true),
        (Protocol::V0, "a".repeat(201), false),
        (Protocol::V1, "\u{e9}".repeat(100), true),
        (Protocol::V1, "\u{e9}".repeat(101), false),
        (Protocol::V1, "\"".repeat(200), true),
        (Protocol::V1, "a".repeat(201), false),
    ] {
        let outcome = sent(protocol, |it| it, [DynamicEvent::new("viewed", id.clone())]);
        assert_eq!(outcome.requests.len(), usize::from(is_sent), "{protocol:?} {id}");
        assert_eq!(outcome.stats.lost(LossReason::LongDistinctId), u64::from(!is_sent));
    }
}

#[test]
fn a_name_has_at_most_200_bytes_in_v1() {
    for (name, is_sent) in
        [("\u{e9}".repeat(100), true), ("\u{e9}".repeat(101), false), ("n".repeat(201), false)]
    {
        let outcome = sent(Protocol::V1, |it| it, [DynamicEvent::new(name, "user_123")]);
        assert_eq!(outcome.requests.len(), usize::from(is_sent));
        assert_eq!(outcome.stats.lost(LossReason::LongName), u64::from(!is_sent));
    }
}

#[test]
fn a_nul_in_a_distinct_id_is_replaced_as_the_server_would() {
    for protocol in BOTH {
        let event = &sent(protocol, |it| it, [DynamicEvent::new("viewed", "a\u{0}b\\u0000")]).events()[0];
        assert_eq!(event["distinct_id"], "a\u{fffd}b\\u0000");
    }
}

#[test]
fn an_event_larger_than_the_server_stores_is_dropped_before_the_queue() {
    for protocol in BOTH {
        let large = |bytes: usize| DynamicEvent::new("large", "user_123").property("x", "x".repeat(bytes));
        let outcome = sent(protocol, |it| it, [large(900 * 1024), large(890 * 1024)]);
        assert_eq!(outcome.events().len(), 1);
        assert_eq!(outcome.stats.lost(LossReason::TooLarge), 1);
        assert!(outcome.requests[0].body.len() < 1_000_000);
    }
}

#[test]
fn a_poisoned_event_loses_no_other() {
    struct Poisoned;
    impl Event for Poisoned {
        fn name(&self) -> &str {
            "poisoned"
        }
        fn encode(&self, event: &mut Encoder<'_>) {
            event.distinct_id("user_123");
            event.property("$cookieless_mode", "not a boolean");
        }
    }
    for protocol in BOTH {
        let events: Vec<Box<dyn Event>> = vec![
            Box::new(numbered(0)),
            Box::new(Poisoned),
            Box::new(DynamicEvent::new("", "user_123")),
            Box::new(DynamicEvent::new("viewed", " ")),
            Box::new(numbered(1).property("x", f64::NAN)),
            Box::new(DynamicEvent::person("user_123").set([1])),
            Box::new(numbered(2)),
        ];
        let outcome = sent(protocol, |it| it, events);
        // A property that cannot be sent is left out; the event is still sent.
        assert_eq!(testkit::clients::numbers(&outcome.events()), [0, 1, 2]);
        assert!(outcome.events().iter().all(|event| event["properties"].get("x").is_none()));
        assert_eq!((outcome.stats.captured, outcome.stats.lost_total()), (7, 4));
        assert_eq!(outcome.stats.fields_dropped, 1);
    }
}

#[test]
fn after_shutdown_events_are_dropped_and_counted() {
    for protocol in BOTH {
        let server = Server::always(Reply::judged(taken));
        let client = client(plain(&server, protocol));
        client.shutdown(LONG).unwrap();
        client.capture(numbered(1));
        client.identify("user_123", ());
        client.capture_ai(numbered(1));
        assert!(server.requests().is_empty());
        assert_eq!(client.stats().lost(LossReason::ShuttingDown), 3);
    }
}
