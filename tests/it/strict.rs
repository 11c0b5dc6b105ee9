//! Strict mode: only what the catalogue declares is sent.

use candor::{Catalogue, DynamicEvent, Event, Label, LossReason, Properties};
use serde_json::{Value, json};

use testkit::Server;
use testkit::clients::{LONG, client, config};

/// A run ended.
#[derive(Event)]
#[event(name = "run ended")]
struct RunEnded {
    #[event(distinct_id, hashed = "usr")]
    by: &'static str,
    size: u8,
    outcome: Option<Outcome>,
}

#[derive(Clone, Copy, Label)]
enum Outcome {
    Success,
    Failure,
}

/// A draft that is not in the catalogue.
#[derive(Event)]
#[event(name = "draft", distinct_id = "tool")]
struct Draft {
    size: u8,
}

/// Another type with the name of an event in the catalogue.
#[derive(Event)]
#[event(name = "run ended", distinct_id = "tool")]
struct Impostor {
    extra: u8,
}

#[derive(Properties)]
struct Common {
    #[event(pattern = "[a-z]+")]
    plan: &'static str,
}

const CATALOGUE: Catalogue =
    candor::events![RunEnded].super_properties::<Common>().groups(&[("deployment", "a random id")]);

const USER: &str = "usr_-CHh8_rdIqAotcBsP64GKQkfzW2hb1JDJ_6u7q4zom4";

fn ended() -> RunEnded {
    RunEnded { by: "usr_123", size: 3, outcome: Some(Outcome::Success) }
}

/// Returns the events that arrive, and the numbers of undeclared events and of fields that were dropped.
fn strictly(
    set: impl Fn(candor::Config) -> candor::Config,
    capture: impl FnOnce(&candor::Client),
) -> (Vec<Value>, u64, u64) {
    let server = Server::start([]);
    let client = client(set(config(&server).strict()));
    capture(&client);
    client.flush(LONG).expect("a flush");
    let stats = client.stats();
    (server.events(), stats.lost(LossReason::Undeclared), stats.fields_dropped)
}

fn own(event: &Value) -> Value {
    let mut properties = event["properties"].clone();
    for librarys in ["$lib", "$lib_version", "$is_server", "$geoip_disable"] {
        properties.as_object_mut().expect("properties").remove(librarys).expect(librarys);
    }
    properties
}

#[test]
fn a_library_s_event_is_sent_if_the_catalogue_includes_it() {
    const LIBRARY: Catalogue = candor::events![Draft];
    const OWN: Catalogue = candor::events![RunEnded];
    const ALL: Catalogue = candor::events![RunEnded, ..LIBRARY];
    for (catalogue, sent) in [(OWN, 1), (ALL, 2)] {
        let (events, lost, _) = strictly(
            |config| config.catalogue(catalogue),
            |client| {
                client.capture(ended());
                client.capture(Draft { size: 1 });
            },
        );
        assert_eq!((events.len(), lost), (sent, 2 - sent as u64));
    }
}

#[test]
fn a_declared_event_is_sent_and_others_are_counted() {
    let (events, lost, fields) = strictly(
        |config| config.catalogue(CATALOGUE),
        |client| {
            client.capture(ended());
            client.capture(Draft { size: 1 });
            client.capture(Impostor { extra: 1 });
            client.capture(DynamicEvent::new("anything", "node-7").property("text", "free"));
        },
    );
    assert_eq!(events.len(), 1);
    assert_eq!(own(&events[0]), json!({"size": 3, "outcome": "success"}));
    assert_eq!((lost, fields), (3, 0));
}

#[test]
fn a_dynamic_event_with_a_declared_name_must_fit_the_schema() {
    let (events, lost, fields) = strictly(
        |config| config.catalogue(CATALOGUE),
        |client| {
            let dynamic = DynamicEvent::new("run ended", USER)
                .property("size", 3)
                .property("outcome", "/home/ada")
                .property("text", "free")
                .property("plan", "pro")
                .property("$groups", json!({"deployment": "d", "company": "acme"}))
                .group("company", "acme")
                .group("deployment", "dep_1");
            client.capture(dynamic);
            client.capture(DynamicEvent::new("run ended", "ada@example.com").property("size", 3));
            client.capture(DynamicEvent::new("run ended", USER).property("size", 300));
        },
    );
    assert_eq!(events.len(), 2);
    let wanted = json!({"size": 3, "plan": "pro", "$groups": {"deployment": "dep_1"}});
    assert_eq!(own(&events[0]), wanted);
    assert_eq!(own(&events[1]), json!({}));
    assert_eq!((lost, fields), (1, 5));
}

#[test]
fn the_clients_own_values_must_fit_the_catalogue() {
    let (events, _, fields) = strictly(
        |config| {
            config
                .catalogue(CATALOGUE)
                .super_property("plan", "pro")
                .super_property("host", "build-17")
                .group("deployment", "dep_1")
                .group("company", "acme")
        },
        |client| client.capture(ended()),
    );
    let wanted = json!({
        "size": 3, "outcome": "success", "plan": "pro", "$groups": {"deployment": "dep_1"},
    });
    assert_eq!(own(&events[0]), wanted);
    assert_eq!(fields, 2);
    let (events, _, fields) = strictly(
        |config| config.catalogue(CATALOGUE).super_property("plan", "not a plan"),
        |client| client.capture(ended()),
    );
    assert!(events[0]["properties"].get("plan").is_none());
    assert_eq!(fields, 1);
}

#[test]
fn an_event_from_a_hook_must_fit_the_catalogue() {
    let (events, lost, fields) = strictly(
        |config| {
            config.catalogue(CATALOGUE).before_send(|mut event| {
                event.properties.insert("host".to_owned(), "build-17".into());
                event.properties.insert("outcome".to_owned(), "failure".into());
                if event.properties["size"] == 9 {
                    event.name = "renamed".to_owned();
                }
                Some(event)
            })
        },
        |client| {
            client.capture(ended());
            client.capture(RunEnded { size: 9, outcome: Some(Outcome::Failure), ..ended() });
        },
    );
    assert_eq!(events.len(), 1);
    assert_eq!(own(&events[0]), json!({"size": 3, "outcome": "failure"}));
    assert_eq!((lost, fields), (1, 1));
}

#[test]
fn without_a_catalogue_only_derived_events_are_sent() {
    let (events, lost, _) = strictly(
        |config| config,
        |client| {
            client.capture(Draft { size: 1 });
            client.capture(DynamicEvent::new("draft", "tool").property("size", 1));
        },
    );
    assert_eq!((events.len(), lost), (1, 1));
}

#[test]
fn the_names_of_dynamic_properties_can_be_limited() {
    let server = Server::start([]);
    let client = client(config(&server).dynamic_properties(["size", "plan"]));
    client.capture(DynamicEvent::new("anything", "node-7").property("size", 1).property("text", "free"));
    client.capture(ended());
    client.flush(LONG).expect("a flush");
    let events = server.events();
    assert_eq!(own(&events[0]), json!({"size": 1}));
    assert_eq!(own(&events[1]), json!({"size": 3, "outcome": "success"}));
    assert_eq!(client.stats().fields_dropped, 1);
}
