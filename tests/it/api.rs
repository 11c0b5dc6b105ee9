//! The public API, as an application uses it.

use std::sync::atomic::{AtomicUsize, Ordering};

use candor::{Client, Config, Env, LossReason, OutgoingEvent};

use serde_json::json;
use testkit::Server;
use testkit::clients::{LONG, client, config, config_for, granted, numbered, numbers};

static EVALUATED: AtomicUsize = AtomicUsize::new(0);

fn costly() -> usize {
    EVALUATED.fetch_add(1, Ordering::Relaxed)
}

#[test]
fn the_macro_evaluates_its_arguments_only_while_on() {
    let off = Client::disabled();
    candor::event!(client = off, "counted", distinct_id = "id", n = costly());
    assert_eq!(EVALUATED.load(Ordering::Relaxed), 0);

    let server = Server::start([]);
    let on = client(config(&server));
    candor::event!(
        client = on,
        "counted",
        distinct_id = "id",
        n = costly(),
        "two words" = true,
        groups = { team = "t" }
    );
    on.shutdown(LONG).unwrap();
    assert_eq!(EVALUATED.load(Ordering::Relaxed), 1);
    let properties = &server.events()[0]["properties"];
    assert_eq!(
        (properties["two words"].as_bool(), properties["$groups"]["team"].as_str()),
        (Some(true), Some("t"))
    );
}

#[test]
fn clones_share_one_client() {
    let server = Server::start([]);
    let client = client(config(&server));
    let clone = client.clone();
    client.capture(numbered(1));
    clone.capture(numbered(2));
    assert_eq!(client.flush(LONG).unwrap().delivered, 2);
    assert_eq!(clone.stats(), client.stats());
    clone.shutdown(LONG).unwrap();
    assert!(!client.is_enabled());
}

#[test]
fn a_client_can_be_sent_and_shared() {
    fn shared<T: Clone + Send + Sync + 'static>() {}
    fn sent<T: Send>() {}
    shared::<Client>();
    sent::<Config>();
    sent::<OutgoingEvent>();
}

#[test]
fn each_switch_of_the_environment_makes_no_connection() {
    let server = Server::start([]);
    for (name, value) in
        [("DO_NOT_TRACK", "1"), ("TEST_APP_TELEMETRY_DISABLED", "1"), ("TEST_APP_TELEMETRY", "0")]
    {
        let off = Client::new(config(&server).env(Env::empty().with(name, value))).unwrap();
        off.capture(numbered(1));
        assert!(!off.is_enabled());
        assert!(off.disabled_reason().is_some_and(|why| why.contains(name)), "{:?}", off.disabled_reason());
        assert!(off.flush(LONG).unwrap().is_complete());
        off.shutdown(LONG).unwrap();
        assert_eq!(off.stats().captured, 0);
    }
    assert_eq!(server.connections(), 0);
}

#[test]
fn without_an_endpoint_or_with_a_blank_key_a_client_is_off() {
    let nowhere = Client::new(Config::new("test-app", "1.0").env(Env::empty()).consent(granted())).unwrap();
    assert!(!nowhere.is_enabled());
    let blank = Client::new(config_for("http://127.0.0.1:9").api_key("  ")).unwrap();
    assert!(!blank.is_enabled());
}

#[test]
fn config_takes_name_and_version_from_the_calling_package() {
    let server = Server::start([]);
    let config = candor::config!().posthog_eu("phc_test").endpoint(server.url());
    let client = Client::new(config.env(Env::empty()).consent(granted())).unwrap();
    client.capture(numbered(1));
    client.flush(LONG).unwrap();
    let request = &server.requests()[0];
    let package = concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION"));
    assert_eq!(request.header("user-agent"), Some(package));
    assert_eq!(request.json()["api_key"], "phc_test");
}

#[test]
fn stats_print_what_became_of_every_event() {
    let server = Server::start([]);
    let client = client(config(&server).before_send(|view| (view.properties["n"] != 1).then_some(view)));
    client.capture(numbered(1));
    client.capture(numbered(2));
    client.flush(LONG).unwrap();
    let text = client.stats().to_string();
    assert!(
        text.starts_with("captured 2, queued 0, sent 1, retried 0, lost 1 (dropped by hook: 1)"),
        "{text}"
    );
    assert_eq!(client.stats().losses().collect::<Vec<_>>(), [(LossReason::DroppedByHook, 1)]);
    assert_eq!(numbers(&server.events()), [2]);
}

#[test]
fn an_applications_test_sees_its_own_events() {
    let events = candor::testing::capture_with(Config::new("app", "1.0").group("team", "t"), || {
        candor::capture(numbered(7));
        candor::event!("named", distinct_id = "id");
    });
    assert_eq!(events.iter().map(|event| event.name.as_str()).collect::<Vec<_>>(), ["counted", "named"]);
    assert_eq!(events[0].properties["$groups"]["team"], "t");
}

#[test]
fn stats_are_available_as_data_and_as_text() {
    let server = Server::always(testkit::Reply::status(403));
    let (sender, errors) = std::sync::mpsc::channel();
    let config = config(&server).before_send(|view| (view.properties["n"] != 1).then_some(view));
    let client = client(config.on_error(move |error| sender.send(error.clone()).unwrap()));
    client.capture(numbered(1));
    client.capture(numbered(2));
    let flushed = client.flush(LONG).unwrap();
    assert_eq!(flushed.to_string(), "delivered 0, waiting 0, lost 1 (rejected: 1)");
    let debug = format!("{flushed:?}");
    assert!(debug.contains("lost: {Rejected: 1}"), "{debug}");
    let json = serde_json::to_value(&flushed).unwrap();
    assert_eq!((&json["delivered"], &json["stats"]["lost"]), (&json!(0), &json!({ "rejected": 1 })));
    let json = serde_json::to_value(client.stats()).unwrap();
    assert_eq!(json["lost"], json!({ "dropped_by_hook": 1, "rejected": 1 }));
    let error = serde_json::to_value(errors.recv().unwrap()).unwrap();
    let id = &server.events()[0]["uuid"];
    assert_eq!(
        (&error["reason"], &error["status"], &error["events"][0]),
        (&json!("rejected"), &json!(403), id)
    );
}

#[test]
fn the_readme_and_the_front_page_have_the_same_list_of_causes() {
    let readme = include_str!("../../README.md").replace("\r\n", "\n");
    let (_, section) = readme.split_once("## Nothing arrives?\n\n").expect("the section");
    let section = section.split("\n## ").next().expect("its text");
    let page = include_str!("../../src/documentation/nothing_arrives.md").replace("\r\n", "\n");
    assert_eq!(section, page, "copy src/documentation/nothing_arrives.md into README.md");
}
