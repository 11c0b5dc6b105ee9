//! PostHog's special events in the bodies of both protocols, and the ones that are refused.

use std::collections::BTreeMap;

use candor::testing::events_of;
use candor::{Client, Config, DynamicEvent, LossReason, Protocol, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use testkit::Server;
use testkit::clients::{LONG, client, config, taking_server};

const BOTH: [(Protocol, &str); 2] =
    [(Protocol::V0, include_str!("../golden/v0.json")), (Protocol::V1, include_str!("../golden/v1.json"))];

/// Every special event, with the name of its golden form.
fn special_events() -> Vec<(&'static str, DynamicEvent)> {
    vec![
        ("capture", DynamicEvent::new("order_placed", "user_123").property("plan", "pro").group("company", "acme")),
        (
            "identify",
            DynamicEvent::identify("user_123")
                .set(json!({ "email": "a@example.com", "plan": "pro" }))
                .set_once(json!({ "first_seen": "2026-08-21" })),
        ),
        ("identify_anonymous", DynamicEvent::identify("user_123").previously("anon_42").set(())),
        ("set", DynamicEvent::person("user_123").set(json!({ "plan": "team" }))),
        ("set_once", DynamicEvent::person("user_123").set_once(json!({ "first_seen": "2026-08-21" }))),
        ("unset", DynamicEvent::person("user_123").unset(["plan", "email"])),
        ("alias", DynamicEvent::alias("anon_42", "user_123")),
        ("group_identify", DynamicEvent::group_identify("company", "acme", json!({ "name": "Acme", "employees": 11 }))),
        ("group_identify_bare", DynamicEvent::group_identify("company", "acme", ())),
        ("group_identify_own_id", DynamicEvent::group_identify("company", "acme", ()).distinct_id("user_123")),
        ("personless", DynamicEvent::new("page_viewed", "0199-visitor").personless()),
        (
            "options",
            DynamicEvent::new("toured", "user_123")
                .session_id("01990b6e-0000-7000-8000-000000000001")
                .property("$window_id", "window-1")
                .property("$cookieless_mode", true)
                .property("$ignore_sent_at", true)
                .property("$product_tour_id", "tour-1")
                .property("step", 3),
        ),
        (
            "options_of_other_types",
            DynamicEvent::new("toured", "user_123")
                .property("$process_person_profile", "false")
                .property("$ignore_sent_at", 1)
                .property("$product_tour_id", 7)
                .property("$session_id", json!(null)),
        ),
        ("shared_id", DynamicEvent::new("page_viewed", "anonymous")),
        (
            "exception",
            DynamicEvent::new("$exception", "0199-random-v7").personless().property("$exception_level", "error").property(
                "$exception_list",
                json!([{ "type": "E", "value": "boom", "mechanism": { "type": "generic", "handled": true } }]),
            ),
        ),
        (
            "ai_generation",
            DynamicEvent::new("$ai_generation", "user_123").property("$ai_trace_id", "t-1").property("$ai_latency", 0.41),
        ),
        (
            "looks_like_a_time",
            DynamicEvent::new("noted", "user_123").property("when", "2025-01-02T08:34:05+05:30").property("big", u64::MAX),
        ),
    ]
}

fn plain(server: &Server, protocol: Protocol) -> Config {
    config(server).protocol(protocol).library("my-sdk", "0.1.0").is_server(false).geoip_disable(false)
}

#[test]
fn every_special_event_has_its_golden_form_in_both_protocols() {
    for (protocol, golden) in BOTH {
        let golden: BTreeMap<String, Value> = serde_json::from_str(golden).unwrap();
        let server = taking_server();
        let client = client(plain(&server, protocol));
        let events = special_events();
        for (n, (_, event)) in events.iter().enumerate() {
            let event = event.clone().uuid(Uuid::from_u128(n as u128 + 1));
            client.capture(event.timestamp(Timestamp::from_unix_millis(1_787_307_329_998)));
        }
        client.shutdown(LONG).unwrap();
        let arrived = server.events();
        let names: Vec<_> = events.iter().map(|(name, _)| *name).collect();
        let actual: BTreeMap<_, _> = names.iter().copied().zip(&arrived).collect();
        let shown = serde_json::to_string_pretty(&actual).unwrap();
        assert_eq!(arrived.len(), events.len(), "{shown}");
        assert_eq!(golden.len(), events.len());
        for (name, event) in actual {
            assert_eq!(Some(event), golden.get(name), "{protocol:?} {name}, of all of\n{shown}");
        }
    }
}

/// Runs `work` on a client, and returns its losses and the names of the events that arrived.
fn losses(protocol: Protocol, work: impl FnOnce(&Client)) -> (Vec<(LossReason, u64)>, Vec<String>) {
    let server = taking_server();
    let client = client(plain(&server, protocol));
    work(&client);
    client.shutdown(LONG).unwrap();
    let requests = server.requests();
    let names = requests.iter().flat_map(|request| events_of(&request.plain())).map(|event| event.name);
    (client.stats().losses().collect(), names.collect())
}

#[test]
fn events_that_would_merge_strangers_are_dropped_and_counted() {
    for (protocol, _) in BOTH {
        let (losses, arrived) = losses(protocol, |client| {
            for id in ["anonymous", "0", "NULL", "[object object]", "00000000-0000-0000-0000-000000000000"] {
                client.identify(id, json!({ "plan": "pro" }));
                client.alias(id, "user_1");
                client.alias("user_1", id);
                client.set_person(id, json!({ "plan": "pro" }));
                client.capture(DynamicEvent::identify("user_1").previously(id));
            }
        });
        assert_eq!(losses, [(LossReason::SharedDistinctId, 25)]);
        assert!(arrived.is_empty(), "{arrived:?}");
    }
}

#[test]
fn an_event_built_by_hand_cannot_merge_strangers_either() {
    for (protocol, _) in BOTH {
        let (losses, arrived) = losses(protocol, |client| {
            for id in [json!("anonymous"), json!(" NULL"), json!(0), json!(false)] {
                client.capture(DynamicEvent::new("$create_alias", "user_1").property("alias", &id));
                client.capture(DynamicEvent::new("$merge_dangerously", "user_1").property("alias", &id));
                client.capture(DynamicEvent::new("$identify", "user_1").property("$anon_distinct_id", &id));
            }
            client.capture(DynamicEvent::new("$create_alias", "user_1").property("alias", " "));
            client.capture(DynamicEvent::new("$create_alias", "user_1").property("alias", "user_2"));
            client.capture(DynamicEvent::new("$identify", "user_1").property("$anon_distinct_id", ()));
            client.capture(DynamicEvent::new("viewed", "user_1").property("alias", "anonymous"));
        });
        assert_eq!(losses, [(LossReason::EmptyDistinctId, 1), (LossReason::SharedDistinctId, 12)]);
        assert_eq!(arrived, ["$create_alias", "$identify", "viewed"]);
    }
}

#[test]
fn blank_ids_and_groups_are_dropped_and_counted() {
    for (protocol, _) in BOTH {
        let (losses, arrived) = losses(protocol, |client| {
            for blank in ["", " ", "\t\n", "\u{a0}"] {
                client.identify(blank, ());
                client.alias(blank, "user_1");
                client.alias("user_1", blank);
                client.capture(DynamicEvent::new("viewed", blank));
                client.capture(DynamicEvent::new(blank.to_owned(), "user_1"));
                client.group_identify(blank, "acme", ());
                client.group_identify("company", blank, ());
            }
        });
        let wanted =
            [(LossReason::EmptyName, 4), (LossReason::EmptyDistinctId, 16), (LossReason::EmptyGroup, 8)];
        assert_eq!(losses, wanted);
        assert!(arrived.is_empty(), "{arrived:?}");
    }
}

#[test]
fn reserved_properties_that_would_fail_the_batch_are_dropped_and_counted() {
    for (protocol, _) in BOTH {
        let (losses, arrived) = losses(protocol, |client| {
            client.set_person("user_1", "no object");
            client.set_person_once("user_1", 7);
            client.identify("user_1", ["a"]);
            client.group_identify("company", "acme", true);
            client.capture(DynamicEvent::new("viewed", "user_1").property("$cookieless_mode", "yes"));
            client.capture(DynamicEvent::identify("user_1").personless());
            client.set_person("user_1", json!({ "plan": "pro" }));
        });
        assert_eq!(losses, [(LossReason::Malformed, 6)]);
        assert_eq!(arrived, ["$set"]);
    }
}

#[test]
fn a_client_that_is_personless_still_identifies() {
    for (protocol, _) in BOTH {
        let server = taking_server();
        let client = client(plain(&server, protocol).super_property("$process_person_profile", false));
        client.identify("user_1", ());
        client.capture(DynamicEvent::new("viewed", "user_1"));
        client.shutdown(LONG).unwrap();
        let events = server.events();
        let is_personless = |event: &Value| {
            let option = &event["options"]["process_person_profile"];
            let property = &event["properties"]["$process_person_profile"];
            *option == json!(false) || *property == json!(false)
        };
        assert_eq!(events.iter().map(is_personless).collect::<Vec<_>>(), [false, true], "{events:?}");
    }
}

#[test]
fn off_evaluates_nothing_and_counts_nothing() {
    struct Explosive;
    impl serde::Serialize for Explosive {
        fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("serialized while off")
        }
    }
    let client = Client::disabled();
    client.identify("user_1", Explosive);
    client.group_identify("company", "acme", Explosive);
    client.set_person("user_1", Explosive);
    client.set_person_once("user_1", Explosive);
    assert_eq!(client.stats().captured, 0);
}
