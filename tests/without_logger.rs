//! An application without a logger sees nothing, unless it enables debugging, which prints to stderr.
//! This is a separate binary that installs no logger, and that runs itself as that application.

use std::process::Command;
use std::time::Duration;

use candor::{Config, Consent, DynamicEvent, Env, Notice, OutgoingEvent};
use testkit::{PATIENCE, Reply, Server};

/// The variable that selects the application that this process runs.
const ROLE: &str = "CANDOR_TEST_ROLE";
const ENDPOINT: &str = "CANDOR_TEST_ENDPOINT";

fn config(endpoint: &str) -> Config {
    let env = ["TEST_APP_TELEMETRY_LOG", "DO_NOT_TRACK"].into_iter();
    let env = env.filter_map(|name| Some((name, std::env::var(name).ok()?)));
    let env = env.fold(Env::empty(), |env, (name, value)| env.with(name, value));
    let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry")).policy_file("");
    Config::new("test-app", "1.0").env(env).consent(consent).endpoint(endpoint).shutdown_timeout(PATIENCE)
}

/// Runs this test again as an application in the given role; returns its stderr.
fn run(test: &str, role: &str, endpoint: &str, variables: &[(&str, &str)]) -> String {
    let mut command = Command::new(std::env::current_exe().expect("this binary"));
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command
        .env_remove("DO_NOT_TRACK")
        .env(ROLE, role)
        .env(ENDPOINT, endpoint)
        .envs(variables.iter().copied());
    let output = command.output().expect("the application");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stderr).expect("text")
}

/// Runs the application, if this process was started as one.
fn is_application() -> bool {
    let (Ok(role), Ok(endpoint)) = (std::env::var(ROLE), std::env::var(ENDPOINT)) else { return false };
    let guard = match role.as_str() {
        "broken" => candor::init_or_disabled(config("not a URL")),
        "once" => candor::init_or_disabled(config(&endpoint).max_retries(0)),
        "twice" => {
            let retry = Duration::from_millis(20);
            candor::init_or_disabled(config(&endpoint).max_retries(1).retry_delays(retry, retry))
        }
        "loses" => {
            let keeps = |event: OutgoingEvent| (event.name != "unwanted").then_some(event);
            candor::init_or_disabled(config(&endpoint).event_bytes(1000).before_send(keeps))
        }
        _ => candor::init_or_disabled(config(&endpoint)),
    };
    if role == "loses" {
        for _ in 0..2 {
            candor::event!("half \u{9b}31m", distinct_id = "node-7", ratio = f64::NAN, share = f64::INFINITY);
            candor::capture(DynamicEvent::new("forged", "node-7").property("$lib", "other"));
            candor::event!("nobody", distinct_id = "");
            candor::event!("large", distinct_id = "node-7", text = "x".repeat(2000));
            candor::event!("unwanted", distinct_id = "node-7");
        }
    }
    candor::event!("server started", distinct_id = "node-7", replicas = 3);
    if role == "twice" {
        // A shutdown would not wait for a retry.
        candor::flush(PATIENCE).expect("a worker");
    }
    drop(guard);
    true
}

const DEBUG: (&str, &str) = ("TEST_APP_TELEMETRY_LOG", "debug");

#[test]
fn the_debug_switch_prints_to_stderr() {
    if is_application() {
        return;
    }
    let (name, server) = ("the_debug_switch_prints_to_stderr", Server::start([]));
    assert_eq!(run(name, "works", &server.url(), &[]), "");
    let said = run(name, "works", &server.url(), &[DEBUG]);
    let (first, json) = said.split_once('\n').expect("lines");
    assert!(first.starts_with("[candor::batch] sending "), "{first}");
    let (json, result) = json.split_at(json.rfind("[candor").expect("a result"));
    let printed: serde_json::Value = serde_json::from_str(json).expect("the body");
    assert_eq!(printed, server.requests()[1].json());
    assert_eq!(result, "[candor::batch] delivered 1 event (status 200)\n");
}

/// Returns the lines that begin with the target, without the bodies of the batches.
fn told(said: &str) -> Vec<&str> {
    said.lines().filter(|line| line.starts_with("[candor")).collect()
}

#[test]
fn each_attempt_tells_its_result() {
    if is_application() {
        return;
    }
    let name = "each_attempt_tells_its_result";
    // The port of a listener that is gone.
    let down = std::net::TcpListener::bind("127.0.0.1:0").and_then(|it| it.local_addr()).expect("a port");
    let down = format!("http://{down}");
    assert_eq!(run(name, "twice", &down, &[]), "");
    let said = run(name, "twice", &down, &[DEBUG]);
    let lines = told(&said);
    let [first, failed, second, gave_up, lost] = lines[..] else { panic!("{said}") };
    assert!(first.contains("] sending ") && second.contains("] sending "), "{said}");
    for result in [failed, gave_up] {
        assert!(result.starts_with("[candor::batch] failed: not sent: "), "{said}");
        assert!(result.to_lowercase().contains("connection refused"), "{said}");
    }
    assert!(failed.contains("; retrying in 0.0") && failed.ends_with(" s"), "{said}");
    assert!(!gave_up.contains("retrying"), "{said}");
    assert_eq!(lost, "[candor] 1 event lost: retries exhausted");

    let reply = Reply::status(401).body("the key\u{1b}[2J is unknown");
    let server = Server::start([reply]);
    let said = run(name, "once", &server.url(), &[DEBUG]);
    let wanted = [
        "[candor::batch] refused with status 401: \"the key [2J is unknown\"; check the API key",
        "[candor] 1 event lost: rejected, status 401",
    ];
    assert_eq!(told(&said)[1..], wanted, "{said}");
}

#[test]
fn each_loss_is_told_with_its_reason() {
    if is_application() {
        return;
    }
    let (name, server) = ("each_loss_is_told_with_its_reason", Server::start([]));
    assert_eq!(run(name, "loses", &server.url(), &[]), "");
    let said = run(name, "loses", &server.url(), &[DEBUG]);
    let lines = told(&said);
    for wanted in [
        r#"event "half  31m": the property "ratio" was left out: not finite"#,
        r#"event "half  31m": the property "share" was left out: not finite"#,
        r#"event "forged": the property "$lib" was left out: reserved name"#,
        r#"event "nobody" was dropped: no distinct id; pass `distinct_id = ..` or enter a `Context`"#,
        r#"event "large" was dropped: too large; see `Config::event_bytes`"#,
        r#"event "unwanted" was dropped: dropped by hook"#,
    ] {
        let wanted = format!("[candor] {wanted}");
        assert_eq!(lines.iter().filter(|line| **line == wanted).count(), 2, "{wanted}: {said}");
    }
    assert_eq!(lines.iter().filter(|line| line.contains("is too large: ")).count(), 2, "{said}");
}

#[test]
fn a_client_that_starts_disabled_says_why_and_where_to_look() {
    if is_application() {
        return;
    }
    let (name, server) = ("a_client_that_starts_disabled_says_why_and_where_to_look", Server::start([]));
    let no = ("DO_NOT_TRACK", "1");
    assert_eq!(run(name, "works", &server.url(), &[no]), "");
    let said = run(name, "works", &server.url(), &[no, DEBUG]);
    assert!(
        said.starts_with("[candor] telemetry of test-app is disabled, decided by universal: DO_NOT_TRACK: "),
        "{said}"
    );
    assert!(said.contains("`candor::status(&config)`") && said.lines().count() == 1, "{said}");
    assert_eq!(server.connections(), 0);
}

#[test]
fn a_client_that_cannot_be_created_says_why_once() {
    if is_application() {
        return;
    }
    let (name, server) = ("a_client_that_cannot_be_created_says_why_once", Server::start([]));
    assert_eq!(run(name, "broken", &server.url(), &[]), "");
    let said = run(name, "broken", &server.url(), &[DEBUG]);
    let wanted = "[candor] telemetry of test-app could not be started and is disabled: endpoint: not a URL";
    assert!(said.starts_with(wanted) && said.lines().count() == 1, "{said}");
}
