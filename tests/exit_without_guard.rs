//! A program that exits without its guard only loses unsent events: it exits at once, with its own exit code and
//! without any output.
//!
//! This binary runs itself as that program; a variable selects that mode and holds the endpoint.

use std::process::{Command, exit};
use std::time::{Duration, Instant};

use candor::{Config, Consent, DynamicEvent, Env, Notice};
use testkit::{Reply, Server};

const ENDPOINT: &str = "CANDOR_TEST_ENDPOINT";
const TEST: &str = "a_program_that_forgets_its_guard_exits_at_once";

/// The program: captures, waits until the request has started, and exits.
fn program(endpoint: &str) -> ! {
    let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry")).policy_file("");
    let config = Config::new("test-app", "1.0").env(Env::empty()).consent(consent).endpoint(endpoint);
    let guard = candor::init(config.flush_at(1)).unwrap();
    candor::capture(DynamicEvent::new("name", "id"));
    while candor::stats().requests == 0 {
        std::thread::sleep(Duration::from_millis(1));
    }
    std::mem::forget(guard);
    exit(7);
}

#[test]
fn a_program_that_forgets_its_guard_exits_at_once() {
    if let Ok(endpoint) = std::env::var(ENDPOINT) {
        program(&endpoint);
    }
    let server = Server::always(Reply::stall());
    let began = Instant::now();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", TEST, "--nocapture"])
        .env(ENDPOINT, server.url())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(7));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}
