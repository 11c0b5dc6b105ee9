//! The edge itself: what it refuses and cleans, and how long it keeps records.

use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Dir, cf, ck, ins};
use testkit::systems::edge::{Edge, Rules};

fn send(edge: &Edge, method: &str, path: &str, body: &str) -> u16 {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let url = format!("{}{path}", edge.url());
    let answer = if method == "GET" { agent.get(url).call() } else { agent.post(url).send(body) };
    answer.expect("an answer").status().as_u16()
}

fn edge(rules: Rules) -> Edge {
    Edge::start(rules, None).expect("an edge")
}

fn created() -> Value {
    let text =
        std::fs::read_to_string("tests/fixtures/common-fate/cf-request-created.json").expect("a payload");
    serde_json::from_str(&text).expect("JSON")
}

/// Sends the recorded payload with a change; returns the status, and the stored records.
fn batch(change: impl FnOnce(&mut Value)) -> (u16, Vec<Value>, String) {
    let (edge, mut body) = (edge(cf::catalogue::EDGE), created());
    change(&mut body["batch"][0]);
    let status = send(&edge, "POST", "/batch/", &body.to_string());
    let rows = edge.rows();
    let dropped = rows.first().map(|row| row.dropped.clone()).unwrap_or_default();
    (status, rows.iter().map(|row| serde_json::from_str(&row.record).expect("JSON")).collect(), dropped)
}

#[test]
fn a_recorded_payload_is_stored_without_undeclared_fields() {
    let (status, rows, dropped) = batch(|_| {});
    assert_eq!((status, rows.len(), dropped.as_str()), (200, 1, ""));
    let (status, rows, dropped) = batch(|event| {
        event["properties"]["$ip"] = json!("203.0.113.7");
        event["properties"]["email"] = json!("ada@example.com");
        event["properties"]["$groups"]["company"] = json!("acme");
        event["ip"] = json!("203.0.113.7");
    });
    assert_eq!((status, dropped.as_str()), (200, "$ip,email,ip"));
    let text = rows[0].to_string();
    assert!(
        !text.contains("203.0.113.7") && !text.contains("example.com") && !text.contains("acme"),
        "{text}"
    );
}

type Change = fn(&mut Value);

#[test]
fn an_undeclared_value_refuses_the_whole_batch() {
    let refused: [(&str, Change); 9] = [
        ("an unknown event", |event| event["event"] = json!("cf:user.deleted")),
        ("no event", |event| event["event"] = Value::Null),
        ("an id in clear", |event| event["distinct_id"] = json!("usr_123")),
        ("a person in clear", |event| event["properties"]["requested_by"] = json!("ada@example.com")),
        ("no id", |event| event["distinct_id"] = json!("")),
        ("a time that is none", |event| event["timestamp"] = json!("yesterday")),
        ("a type that is none", |event| event["type"] = json!("alias")),
        ("a missing field", |event| {
            let properties = event["properties"].as_object_mut().expect("an object");
            properties.remove("has_reason");
        }),
        ("a number as text", |event| event["properties"]["targets_count"] = json!("6")),
    ];
    for (what, change) in refused {
        let (status, rows, _) = batch(change);
        assert_eq!((status, rows.len()), (400, 0), "{what}");
    }
}

#[test]
fn paths_methods_and_sizes() {
    let edge = edge(cf::catalogue::EDGE);
    let body = created().to_string();
    assert_eq!(send(&edge, "POST", "/batch", &body), 404);
    assert_eq!(send(&edge, "POST", "/", &body), 404);
    assert_eq!(send(&edge, "GET", "/batch/", ""), 405);
    let large = format!("{{\"batch\":[],\"padding\":\"{}\"}}", "x".repeat(500_000));
    assert_eq!(send(&edge, "POST", "/batch/", &large), 413);
    for body in ["", "null", "[]", "{}", "{\"batch\":{}}", "{\"batch\":[1]}", "\u{0}"] {
        assert_eq!(send(&edge, "POST", "/batch/", body), 400, "{body:?}");
    }
    assert!(edge.rows().is_empty());
}

#[test]
fn an_event_that_arrives_twice_is_stored_once() {
    let edge = edge(cf::catalogue::EDGE);
    let mut body = created();
    body["batch"][0]["uuid"] = json!("01990b6e-8f2a-7c31-9a56-000000000003");
    for _ in 0..2 {
        assert_eq!(send(&edge, "POST", "/batch/", &body.to_string()), 200);
    }
    assert_eq!(edge.rows().len(), 1);
}

#[test]
fn a_nested_record_must_use_its_known_words() {
    let sound = json!({
        "hashedLicenseId": "8d3e78791c4b1734e1c510a56f559f3d", "tier": "free", "cliVersion": "1.24.0",
        "platform": "linux", "emittedAt": "2026-01-31T12:00:00.000Z",
        "event": {"type": "fix_run", "mode": "apply", "applied": 1, "skipped": 0, "errored": 0, "rulesFixed": {}},
    });
    let post = |change: &dyn Fn(&mut Value)| {
        let (edge, mut record) = (edge(ins::catalogue::EDGE), sound.clone());
        change(&mut record);
        (send(&edge, "POST", "/telemetry", &record.to_string()), edge.rows())
    };
    assert_eq!(post(&|_| {}).0, 200);
    let (status, rows) = post(&|record| {
        record["hostname"] = json!("build-7");
        record["event"]["ruleFilter"] = json!("CDKI-A");
        record["event"]["path"] = json!("/srv/acme");
    });
    assert_eq!((status, rows[0].dropped.as_str()), (200, "hostname,path"));
    let refused: [&dyn Fn(&mut Value); 8] = [
        &|record| record["tier"] = json!("enterprise"),
        &|record| record["platform"] = json!("macos"),
        &|record| record["hashedLicenseId"] = json!("TEST-LICENSE-KEY"),
        &|record| record["emittedAt"] = json!(1_769_860_800),
        &|record| record["event"]["type"] = json!("login"),
        &|record| record["event"]["mode"] = json!("undo"),
        &|record| record["event"]["applied"] = json!(-1),
        &|record| record["event"]["rulesFixed"] = json!({"arn:aws:s3:::customer": 1}),
    ];
    for (number, change) in refused.into_iter().enumerate() {
        let (status, rows) = post(change);
        assert_eq!((status, rows.len()), (400, 0), "{number}");
    }
}

#[test]
fn the_store_is_a_readable_file_and_old_records_are_deleted() {
    let dir = Dir::new();
    let path = dir.path().join("collected.sqlite");
    {
        let edge = Edge::start(cf::catalogue::EDGE, Some(&path)).expect("an edge");
        let mut old = created();
        old["batch"][0]["timestamp"] = json!("2009-11-10T23:00:00Z");
        let mut new = created();
        new["batch"][0]["timestamp"] = json!(OffsetDateTime::now_utc().format(&Rfc3339).expect("a time"));
        for body in [old, new] {
            assert_eq!(send(&edge, "POST", "/batch/", &body.to_string()), 200);
        }
        assert_eq!(edge.rows().len(), 2);
    }
    // Expired records are deleted when the store is next opened.
    let edge = Edge::start(cf::catalogue::EDGE, Some(&path)).expect("an edge");
    assert_eq!(edge.rows().len(), 1);
    let connection = rusqlite::Connection::open(&path).expect("the file");
    let event: String =
        connection.query_row("SELECT event FROM records", [], |row| row.get(0)).expect("one record");
    assert_eq!(event, "cf:request.created");
}

#[test]
fn the_edges_require_what_their_documents_say() {
    let session = ck::catalogue::EDGE;
    assert!(session.needs_bearer && session.keeps_address);
    for rules in [cf::catalogue::EDGE, ins::catalogue::EDGE] {
        assert!(!rules.needs_bearer && !rules.keeps_address);
    }
    assert_eq!(ins::catalogue::EDGE.days, 365);
}
