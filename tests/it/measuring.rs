//! The examples for measurements: their options, their figures, and the events that arrive. No speed is asserted.

use std::collections::BTreeSet;
use std::process::Output;

use serde_json::Value;

use testkit::{Server, example};

fn run(name: &str, arguments: &[&str]) -> Output {
    // The machine's own telemetry settings must not affect them.
    let mut command = example(name);
    command.args(arguments).env("DO_NOT_TRACK", "1").env("CI", "true");
    command.output().expect("the example runs")
}

fn figures(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    serde_json::from_str(&text).expect("one line of JSON")
}

#[test]
fn throughput_delivers_every_event_once_and_prints_its_figures() {
    let server = Server::start([]);
    let url = server.url();
    let arguments = ["--events", "3000", "--url", &url, "--threads", "3", "--gzip", "--api-key", "phc_test"];
    let figures = figures(&run("throughput", &arguments));
    for key in ["capture_ns_p50", "capture_ns_p99", "capture_ns_mean", "seconds", "events_per_second"] {
        assert!(figures[key].as_f64().is_some_and(|value| value > 0.0), "{key}: {figures}");
    }
    assert!(figures.as_object().expect("an object").contains_key("peak_rss_kib"), "{figures}");
    for (key, value) in [("events", 3000), ("captured", 3000), ("delivered", 3000), ("dropped", 0)] {
        assert_eq!(figures[key], value, "{key}");
    }
    let events = server.events();
    let seqs: BTreeSet<_> = events.iter().filter_map(|event| event["properties"]["seq"].as_u64()).collect();
    assert_eq!((events.len(), seqs.len(), seqs.last()), (3000, 3000, Some(&2999)));
    let event = &events[0];
    assert_eq!(event["event"], "cf:request.created");
    assert!(event["properties"]["$groups"]["deployment"].is_string(), "{event}");
    for key in ["has_reason", "provider", "requires_approval", "mode"] {
        assert!(!event["properties"][key].is_null(), "{key}: {event}");
    }
    let request = &server.requests()[0];
    assert_eq!(request.header("content-encoding"), Some("gzip"));
    assert_eq!(request.json()["api_key"], "phc_test");
}

#[test]
fn throughput_off_sends_nothing() {
    let server = Server::start([]);
    let figures = figures(&run("throughput", &["--events", "1000", "--url", &server.url(), "--off"]));
    assert_eq!((&figures["captured"], &figures["delivered"]), (&Value::from(0), &Value::from(0)));
    assert_eq!(server.connections(), 0);
}

#[test]
fn oneshot_delivers_its_one_event() {
    let server = Server::start([]);
    let figures = figures(&run("oneshot", &["--url", &server.url()]));
    assert_eq!(figures["delivered"], 1);
    assert_eq!(server.events().len(), 1);
}

#[test]
fn wrong_arguments_print_the_usage() {
    for name in ["throughput", "oneshot"] {
        let output = run(name, &["--nonsense"]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("usage"), "{name}");
    }
}

#[test]
fn the_quickstart_shows_what_arrived_and_what_was_lost() {
    let output = run("quickstart", &[]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8_lossy(&output.stdout);
    for shown in [
        "telemetry: granted",
        "it would be denied, decided by universal",
        "\"batch\": [",
        "no distinct id: 1",
        "The event without a distinct id was dropped on purpose",
    ] {
        assert!(text.contains(shown), "{shown}: {text}");
    }
}
