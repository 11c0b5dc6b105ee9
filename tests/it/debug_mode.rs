//! Debug mode prints the bytes that are sent; a dry run prints them without sending.

use candor::{Client, Compression, Config, Env, LossReason};
use serde_json::Value;

use testkit::Server;
use testkit::clients::{LONG, client, config, numbered};
use testkit::lines;

/// Captures an event with a unique key, and returns the printed batches that contain it.
fn printed(config: Config, mark: usize) -> Vec<String> {
    lines::listen();
    let client = client(config);
    client.capture(numbered(mark));
    client.shutdown(LONG).unwrap();
    let text = format!("\"n\": {mark}");
    let batches = lines::all().into_iter().filter(|line| line.target == "candor::batch");
    batches.map(|line| line.text).filter(|line| line.contains(&text)).collect()
}

fn json_of(line: &str) -> Value {
    serde_json::from_str(line.split_once('\n').unwrap().1).unwrap()
}

#[test]
fn prints_each_batch_pretty_as_it_is_sent() {
    let server = Server::start([]);
    let lines = printed(config(&server).debug(true), 81_000_001);
    assert_eq!(lines.len(), 1);
    assert_eq!(json_of(&lines[0]), server.requests()[0].json());
    assert!(lines[0].contains("\n      \"event\": \"counted\",\n"), "{}", lines[0]);
}

#[test]
fn prints_the_uncompressed_text() {
    let server = Server::start([]);
    let lines = printed(config(&server).debug(true).compression(Compression::Gzip), 81_000_002);
    assert_eq!(json_of(&lines[0]), server.requests()[0].json());
}

#[test]
fn the_applications_variable_also_enables_it() {
    let server = Server::start([]);
    let env = Env::empty().with("TEST_APP_TELEMETRY_LOG", "debug");
    assert_eq!(printed(config(&server).env(env), 81_000_003).len(), 1);
    assert_eq!(printed(config(&server), 81_000_004).len(), 0);
}

#[test]
fn the_key_is_truncated_when_printed_but_sent_in_full() {
    let server = Server::start([]);
    let lines = printed(config(&server).debug(true).api_key("phc_confidential_one"), 81_000_005);
    assert!(lines[0].contains("\"api_key\": \"phc_...\"") && !lines[0].contains("confidential"));
    assert_eq!(server.requests()[0].json()["api_key"], "phc_confidential_one");
}

#[test]
fn a_dry_run_prints_counts_and_opens_no_connection() {
    lines::listen();
    let server = Server::start([]);
    let client = client(config(&server).dry_run(true));
    client.capture(numbered(81_000_006));
    let flushed = client.shutdown(LONG).unwrap();
    assert_eq!(flushed.stats.lost(LossReason::DryRun), 1);
    assert_eq!((server.connections(), client.stats().requests), (0, 0));
    let is_ours = |line: &lines::Line| line.text.contains("81000006") && line.text.starts_with("dry run");
    assert_eq!(lines::all().iter().filter(|line| is_ours(line)).count(), 1);
}

#[test]
fn a_client_that_starts_disabled_says_why_in_one_line() {
    lines::listen();
    let server = Server::start([]);
    let off = Client::new(config(&server).env(Env::empty().with("DO_NOT_TRACK", "1"))).unwrap();
    assert!(!off.is_enabled());
    let here = std::thread::current().id();
    let lines: Vec<_> = lines::all().into_iter().filter(|line| line.thread == here).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert_eq!((lines[0].level, lines[0].target.as_str()), (log::Level::Info, "candor"));
    assert!(
        lines[0].text.starts_with("telemetry of test-app is disabled, decided by universal: DO_NOT_TRACK: "),
        "{}",
        lines[0].text
    );
}

/// A build ended.
#[derive(candor::Event)]
#[event(name = "build ended", distinct_id = "tool")]
struct BuildEnded {
    #[event(pattern = "[a-z]+")]
    target: &'static str,
    place: Place,
    ratio: f64,
    #[event(pattern = "[a-z]+", other = "other")]
    kind: &'static str,
    jobs: u8,
}

#[derive(candor::Properties)]
struct Place {
    #[event(pattern = "[a-z]+")]
    region: &'static str,
    #[event(pattern = "[a-z]+")]
    zone: &'static str,
    floor: u8,
}

#[test]
fn each_lost_field_of_a_typed_event_is_named_while_debugging() {
    lines::listen();
    let server = Server::start([]);
    let place = || Place { region: "EU 1", zone: "B/2", floor: 1 };
    let event = || BuildEnded { target: "A-B", place: place(), ratio: f64::NAN, kind: "K-9", jobs: 2 };
    let told = || {
        let lines = lines::all().into_iter().map(|line| line.text);
        let about = "event \"build ended\": 4 fields left out, 1 replaced";
        lines.filter_map(|line| line.strip_prefix(about).map(str::to_owned)).collect::<Vec<_>>()
    };
    client(config(&server)).capture(event());
    assert_eq!(told(), ["; among them: ratio (not finite)"]);
    client(config(&server).debug(true)).capture(event());
    assert_eq!(told()[1..], [": target, place.region, place.zone, ratio, kind"]);
}
