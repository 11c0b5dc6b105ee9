//! The bytes of PostHog's `/batch/`, version 0, as its compliance suite requires them.

use candor::{DynamicEvent, Timestamp};
use serde_json::{Value, json};
use uuid::Uuid;

use testkit::Server;
use testkit::clients::{LONG, client, config, numbered};
use testkit::lines;

const ID: Uuid = Uuid::from_u128(0x0199_0b6e_8f2a_7c31_9a56_2f3f_8a1d_0c77);
const AT: Timestamp = Timestamp::from_unix_millis(1_787_307_329_998);

#[test]
fn a_whole_body_byte_for_byte() {
    let server = Server::start([]);
    let client = client(
        config(&server)
            .api_key(" phc_project_token ")
            .library("my-sdk", "0.1.0")
            .group("company", "none")
            .group("deployment", "dep_1")
            .super_property("plan", "team")
            .super_property("region", json!({"id": 1})),
    );
    client.capture(
        DynamicEvent::new("order_placed", "user \"1\" \u{1f600}")
            .property("plan", "pro")
            .property("looks_like_a_time", "2025-01-02T08:34:05+05:30")
            .group("company", "acme")
            .timestamp(AT)
            .uuid(ID),
    );
    client.capture(DynamicEvent::new("second", "node-7").timestamp(AT).uuid(Uuid::nil()));
    assert!(client.shutdown(LONG).unwrap().is_complete());
    let body = String::from_utf8(server.requests()[0].body.clone()).unwrap();
    let (batch, end) = body.rsplit_once(",\"sent_at\":").unwrap();
    let golden = concat!(
        r#"{"api_key":"phc_project_token","batch":["#,
        r#"{"uuid":"01990b6e-8f2a-7c31-9a56-2f3f8a1d0c77","event":"order_placed","#,
        "\"distinct_id\":\"user \\\"1\\\" \u{1f600}\",",
        r#""timestamp":"2026-08-21T10:15:29.998Z","properties":{"#,
        r#""plan":"pro","looks_like_a_time":"2025-01-02T08:34:05+05:30","#,
        r#""$groups":{"company":"acme","deployment":"dep_1"},"#,
        r#""region":{"id":1},"$is_server":true,"$geoip_disable":true,"#,
        r#""$lib":"my-sdk","$lib_version":"0.1.0"}},"#,
        r#"{"uuid":"00000000-0000-0000-0000-000000000000","event":"second","distinct_id":"node-7","#,
        r#""timestamp":"2026-08-21T10:15:29.998Z","properties":{"#,
        r#""$groups":{"company":"none","deployment":"dep_1"},"#,
        r#""plan":"team","region":{"id":1},"$is_server":true,"$geoip_disable":true,"#,
        r#""$lib":"my-sdk","$lib_version":"0.1.0"}}]"#,
    );
    assert_eq!(batch, golden);
    assert!(is_utc(&serde_json::from_str(end.trim_end_matches('}')).unwrap()), "{end}");
}

fn is_utc(text: &Value) -> bool {
    let text = text.as_str().unwrap();
    text.len() == "2026-08-21T10:15:29.998Z".len() && text.ends_with('Z') && text.contains('T')
}

#[test]
fn without_a_key_the_body_has_none() {
    let server = Server::start([]);
    let client = client(config(&server));
    client.capture(numbered(1));
    client.shutdown(LONG).unwrap();
    let body = server.requests()[0].json();
    assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["batch", "sent_at"]);
}

#[test]
fn a_new_event_has_a_v7_id_and_the_time_of_its_capture() {
    let server = Server::start([]);
    let client = client(config(&server));
    let now = || Timestamp::from_unix_millis(Timestamp::from(std::time::SystemTime::now()).unix_millis());
    let before = now().to_rfc3339();
    for n in 0..100 {
        client.capture(numbered(n));
    }
    let after = now().to_rfc3339();
    client.shutdown(LONG).unwrap();
    let events = server.events();
    let mut ids: Vec<Uuid> = events.iter().map(|e| e["uuid"].as_str().unwrap().parse().unwrap()).collect();
    assert!(ids.iter().all(|id| id.get_version_num() == 7));
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 100);
    for event in events {
        let at = event["timestamp"].as_str().unwrap();
        assert!(*before <= *at && *at <= *after && is_utc(&event["timestamp"]), "{before} {at} {after}");
    }
}

#[test]
fn the_application_can_choose_the_library_name() {
    let server = Server::start([]);
    let client = client(config(&server).is_server(false).geoip_disable(false).historical_migration(true));
    client.capture(numbered(1));
    client.shutdown(LONG).unwrap();
    let body = server.requests()[0].json();
    assert_eq!(body["historical_migration"], true);
    let properties = body["batch"][0]["properties"].clone();
    let wanted =
        json!({"n": 1, "$lib": "candor", "$lib_version": env!("CARGO_PKG_VERSION"), "$is_server": false});
    assert_eq!(properties, wanted);
}

#[test]
fn an_event_overrides_common_properties() {
    let server = Server::start([]);
    let client = client(config(&server).super_property("plan", "team").group("company", "acme"));
    client.capture(
        DynamicEvent::new("forwarded", "id").property("$is_server", false).property("plan", Value::Null),
    );
    client.capture(DynamicEvent::new("grouped", "id").group("company", "other"));
    client.shutdown(LONG).unwrap();
    let events = server.events();
    let first = &events[0]["properties"];
    assert_eq!((&first["$is_server"], &first["plan"]), (&json!(false), &Value::Null));
    assert_eq!(events[1]["properties"]["$groups"], json!({"company": "other"}));
    // No name is repeated: with JSON it would be unclear which value applies.
    let body = String::from_utf8(server.requests()[0].body.clone()).unwrap();
    assert_eq!(body.matches("\"$is_server\":").count(), 2);
    assert_eq!(body.matches("\"$groups\":").count(), 2);
}

#[test]
fn properties_that_the_library_sets_are_left_out_of_an_event() {
    lines::listen();
    let server = Server::start([]);
    let client = client(config(&server).group("company", "acme"));
    for name in ["$groups", "$lib", "$lib_version"] {
        client.capture(
            DynamicEvent::new("by hand", "id").property(name, json!({"team": "t"})).property("n", 1),
        );
    }
    client.shutdown(LONG).unwrap();
    for event in server.events() {
        let properties = &event["properties"];
        assert_eq!((&properties["n"], &properties["$lib"]), (&json!(1), &json!("candor")));
        assert_eq!(properties["$groups"], json!({"company": "acme"}));
        assert_eq!(properties["$lib_version"], env!("CARGO_PKG_VERSION"));
    }
    assert_eq!((client.stats().sent, client.stats().fields_dropped), (3, 3));
    let told = lines::warnings_here();
    let wanted = "event \"by hand\": the property \"$groups\" was left out: reserved name";
    assert_eq!(told.iter().filter(|line| line.starts_with(wanted)).count(), 1, "{told:?}");
}
