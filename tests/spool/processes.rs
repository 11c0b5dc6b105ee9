//! The spool across processes: killed ones, many at once, and denied ones.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use candor::{Config, DynamicEvent, Env, Spool};

use crate::other::{AFTER, BEFORE, Other};
use crate::rig::{Endpoint, LONG, Scratch, Wire, client, config, documented, eventually, scratch};

const STATE: &str = "CANDOR_TEST_SPOOL_STATE";
const MODE: &str = "CANDOR_TEST_SPOOL_MODE";

/// The number of times that a process is killed: few by default; a variable sets more.
fn rounds() -> u64 {
    std::env::var("CANDOR_TEST_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(3)
}

fn spool(mode: &str) -> Spool {
    match mode {
        "each-event" => Spool::server().each_event(),
        "write-ahead" => Spool::server().write_ahead(Duration::from_millis(5)),
        _ => Spool::cli(),
    }
}

/// The other process: captures endlessly and prints its progress, or captures once if it is a tool.
#[test]
fn other_process() {
    let (Ok(state), Ok(mode)) = (std::env::var(STATE), std::env::var(MODE)) else { return };
    let state = Scratch::at(state);
    let (first, mode) = mode.split_once(' ').unwrap();
    let first: u64 = first.parse().unwrap();
    let config = Config::new("spool-app", "1.0.0")
        .env(Env::empty())
        .endpoint("http://127.0.0.1:9")
        .flush_interval(LONG)
        .queue_events(4_000_000)
        .consent(documented(&state))
        .spool(spool(mode))
        .transport(|_granted| {
            Ok(Box::new(Wire::new(Endpoint::Hangs).plug()) as Box<dyn candor::transport::Transport>)
        });
    let client = client(config);
    let capture =
        |n: u64| client.capture(DynamicEvent::new("counted", "node-7").property("n", n).property("z", true));
    if mode == "tool" {
        capture(first);
        client.shutdown(LONG).unwrap();
        return;
    }
    for n in first.. {
        capture(n);
        if n % 50 == 49 {
            println!("captured {n}");
        }
        if n % 500 == 499 {
            std::thread::sleep(Duration::from_millis(20));
            // On a busy machine the worker may not have had its turn yet.
            eventually("something to be written", || !state.files().is_empty());
        }
    }
}

fn start(state: &Scratch, mode: &str, first: u64) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "processes::other_process", "--nocapture"])
        .env(STATE, state.path())
        .env(MODE, format!("{first} {mode}"))
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Runs a process until it has captured some events, kills it, and returns the last captured number.
fn killed(state: &Scratch, mode: &str, first: u64) -> u64 {
    let mut child = start(state, mode, first);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let numbers =
        lines.map_while(Result::ok).filter_map(|line| line.split_once("captured ")?.1.parse::<u64>().ok());
    let mut last = 0;
    for n in numbers {
        last = n;
        if n >= first + 1_199 {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    last
}

/// Sends the events on disk, and returns how often each number has arrived.
fn drained(state: &Scratch) -> BTreeMap<u64, u32> {
    let wire = Wire::up();
    let next = client(config(state, &wire, Spool::server()));
    next.flush(LONG).unwrap();
    next.shutdown(LONG).unwrap();
    let mut counts = BTreeMap::new();
    for n in wire.numbers() {
        *counts.entry(n).or_insert(0) += 1;
    }
    counts
}

#[test]
fn a_kill_loses_no_event_whose_capture_has_returned() {
    let state = scratch();
    let mut all = BTreeMap::new();
    for round in 0..rounds() {
        let first = round * 1_000_000;
        let last = killed(&state, "each-event", first);
        let arrived = drained(&state);
        assert!((first..=last).all(|n| arrived.get(&n) == Some(&1)), "round {round}, up to {last}");
        all.extend(arrived);
    }
    assert!(all.values().all(|count| *count == 1));
    assert!(state.files().is_empty());
}

#[test]
fn a_kill_loses_no_more_than_was_written_ahead() {
    let state = scratch();
    for round in 0..rounds() {
        let first = round * 1_000_000;
        let last = killed(&state, "write-ahead", first);
        let arrived = drained(&state);
        // In order and without gaps: only the last events are missing.
        let kept = arrived.len() as u64;
        assert!(
            kept > 0 && (first..first + kept).all(|n| arrived.get(&n) == Some(&1)),
            "round {round}: {kept} of {last}"
        );
    }
}

#[test]
fn a_hundred_runs_at_once_leave_a_hundred_events() {
    let state = scratch();
    for wave in 0..4 {
        let runs: Vec<Child> = (0..25).map(|n| start(&state, "tool", wave * 25 + n)).collect();
        for mut run in runs {
            assert!(run.wait().unwrap().success());
        }
    }
    let wire = Wire::up();
    let next = client(config(&state, &wire, Spool::cli()));
    eventually("all to arrive", || wire.numbers().len() >= 100);
    eventually("their files to go", || state.files().is_empty());
    next.shutdown(LONG).unwrap();
    assert_eq!(wire.numbers(), (0..100).collect::<Vec<_>>());
    let mut ids: Vec<String> = wire.events().iter().map(|event| event["uuid"].to_string()).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 100);
    // Nothing is left that would be sent once more.
    assert_eq!(drained(&state).len(), 0);
    assert!(state.files().is_empty());
}

/// Every cell of the table in the documentation of `Spool`, but for the loss of power.
#[test]
fn each_durability_survives_what_its_documentation_says() {
    for how in ["main", "panic", "exit", "abort", "kill"] {
        for durability in ["sealed", "write-ahead", "each-event"] {
            let state = scratch();
            let mut other = Other::start(&format!("ends {how} {durability}"), &state);
            other.wait_for("captured");
            if how == "kill" {
                other.kill();
            }
            other.end();
            let arrived = drained(&state);
            let kept = arrived.len() as u64;
            // In order and without a hole: what is missing is the end. Nothing arrives twice.
            assert!((0..kept).all(|n| arrived.get(&n) == Some(&1)), "{how}, {durability}: {arrived:?}");
            let keeps_all = matches!(how, "main" | "panic") || durability == "each-event";
            let least = if keeps_all { BEFORE + AFTER } else { BEFORE };
            assert!((least..=BEFORE + AFTER).contains(&kept), "{how}, {durability}: {kept}");
        }
    }
}
