//! An application without a logger sees nothing, unless it enables debugging, which prints to stderr.
//! This is a separate binary that installs no logger, and that runs itself as that application.

use std::process::Command;

use candor::{Config, Consent, Env, Notice};
use testkit::{PATIENCE, Server};

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
        _ => candor::init_or_disabled(config(&endpoint)),
    };
    candor::event!("server started", distinct_id = "node-7", replicas = 3);
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
    let printed: serde_json::Value = serde_json::from_str(json).expect("the body");
    assert_eq!(printed, server.requests()[1].json());
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
