//! A forked child, which has no worker, never hangs: flush and shutdown return at once, memory is bounded, and `init`
//! creates a new client. Tested only on Unix, which has `fork`.
//!
//! This binary runs itself as the program that forks, so a child that hangs can be killed; a variable selects that
//! mode and holds the endpoints. The crate `fork` keeps the test free of unsafe code.

#![cfg(unix)]

use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::{Command, ExitStatus, Stdio, exit};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use candor::{Client, Config, Consent, DynamicEvent, Env, ErrorKind, Guard, LossReason, Notice, Overflow};
use fork::{Fork, fork, waitpid};
use testkit::{PATIENCE, Reply, Server};

const ENDPOINTS: &str = "CANDOR_TEST_ENDPOINTS";
const LONG: Duration = Duration::from_secs(20);
/// Much less than [`LONG`]: a call that returns within this time has not waited for the parent's worker.
const SOON: Duration = Duration::from_secs(5);

fn config(endpoint: &str) -> Config {
    let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry")).policy_file("");
    let config = Config::new("test-app", "1.0").env(Env::empty()).consent(consent).endpoint(endpoint);
    config.queue_events(500).flush_at(1).shutdown_timeout(LONG).overflow(Overflow::Wait(LONG))
}

fn named(name: &'static str) -> DynamicEvent {
    DynamicEvent::new(name, "id").property("process", std::process::id())
}

/// Forks, runs `work` in the child, and returns the child's exit code: 0, or 1 if `work` panics.
fn in_child(work: impl FnOnce()) -> i32 {
    match fork().unwrap() {
        Fork::Parent(child) => {
            let status = ExitStatus::from_raw(waitpid(child).unwrap());
            status.code().unwrap_or(-1)
        }
        Fork::Child => exit(i32::from(catch_unwind(AssertUnwindSafe(work)).is_err())),
    }
}

/// The work of every child, with the parent's client and then with its own.
fn child(parents: &Client, answering: &str) {
    let began = Instant::now();
    for _ in 0..2000 {
        parents.capture(named("child of the parent's client"));
    }
    let stats = parents.stats();
    // The queue, and the batch that the parent's worker was sending.
    assert!(stats.queued <= 500 + 500 + 10, "{stats}");
    assert!(stats.lost(LossReason::QueueFull) > 0, "{stats}");
    assert_eq!(parents.flush(LONG).unwrap_err().kind(), ErrorKind::NotRunning);
    assert_eq!(candor::shutdown(LONG).unwrap_err().kind(), ErrorKind::NotRunning);
    parents.capture(named("after"));
    assert!(began.elapsed() < SOON, "{:?}", began.elapsed());

    let own: Guard = candor::init(config(answering)).unwrap();
    candor::capture(named("child"));
    assert!(candor::flush(LONG).unwrap().is_complete());
    assert_eq!(candor::stats().sent, 1);
    assert!(candor::shutdown(LONG).unwrap().is_complete());
    drop(own);
}

/// Forks while the worker waits for an answer that never comes, and while other threads capture.
fn program(stalling: &str, answering: &str) {
    let guard = candor::init(config(stalling)).unwrap();
    candor::capture(named("parent"));
    while candor::stats().requests == 0 {
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(in_child(|| child(guard.client(), answering)), 0, "while a request is under way");
    // The parent's own client works as before.
    assert!(guard.client().is_enabled());
    guard.client().shutdown(Duration::ZERO).unwrap();
    drop(guard);

    let guard = candor::init(config(answering)).unwrap();
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    candor::capture(named("parent"));
                    thread::yield_now();
                }
            });
        }
        let codes: Vec<i32> = (0..20).map(|_| in_child(|| child(guard.client(), answering))).collect();
        is_over.store(true, Ordering::Relaxed);
        assert!(codes.iter().all(|code| *code == 0), "{codes:?}");
    });
    assert!(guard.client().shutdown(LONG).unwrap().is_complete());
    amid_a_change(answering);
}

/// A logger that blocks the thread that logs a change of consent.
struct Holding;

static IS_HELD: AtomicBool = AtomicBool::new(false);
static HOLDER: AtomicU32 = AtomicU32::new(0);

impl log::Log for Holding {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let holds = || HOLDER.load(Ordering::SeqCst) == std::process::id();
        if holds() && record.args().to_string().starts_with("telemetry is now off") {
            IS_HELD.store(true, Ordering::SeqCst);
            while holds() {
                thread::sleep(Duration::from_millis(1));
            }
        }
    }

    fn flush(&self) {}
}

/// Forks while a thread of the parent is changing consent; in the child that change never ends.
fn amid_a_change(answering: &str) {
    log::set_logger(&Holding).unwrap();
    log::set_max_level(log::LevelFilter::Debug);
    let client = Client::new(config(answering)).unwrap();
    HOLDER.store(std::process::id(), Ordering::SeqCst);
    let changing = {
        let client = client.clone();
        // There is no directory to store the refusal in, but it still applies to this process.
        thread::spawn(move || client.opt_out().unwrap_err().kind())
    };
    while !IS_HELD.load(Ordering::SeqCst) {
        thread::sleep(Duration::from_millis(1));
    }
    let code = in_child(|| {
        let began = Instant::now();
        assert_eq!(client.state(), client.status().state);
        assert_eq!(client.decision().state(), client.state());
        assert_eq!(client.opt_out().unwrap_err().kind(), ErrorKind::Storage);
        assert_eq!(client.opt_in().unwrap_err().kind(), ErrorKind::NotRunning);
        assert!(began.elapsed() < SOON, "{:?}", began.elapsed());
    });
    HOLDER.store(0, Ordering::SeqCst);
    assert_eq!(code, 0, "amid a change of consent");
    assert_eq!(changing.join().unwrap(), ErrorKind::Storage);
}

#[test]
fn a_forked_child_never_hangs_and_starts_afresh() {
    if let Ok(endpoints) = std::env::var(ENDPOINTS) {
        let (stalling, answering) = endpoints.split_once(' ').unwrap();
        return program(stalling, answering);
    }
    let (stalling, answering) = (Server::always(Reply::stall()), Server::start([]));
    let mut program = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_forked_child_never_hangs_and_starts_afresh", "--nocapture"])
        .env(ENDPOINTS, format!("{} {}", stalling.url(), answering.url()))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + PATIENCE;
    let status = loop {
        if let Some(status) = program.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > deadline {
            program.kill().unwrap();
            panic!("the program or a child of it hangs");
        }
        thread::sleep(Duration::from_millis(5));
    };
    assert!(status.success(), "{status}");
    // Each child has delivered its own event, and none of the parent's.
    let of_children = answering.events().iter().filter(|event| event["event"] == "child").count();
    assert_eq!(of_children, 21);
    assert!(!answering.events().iter().any(|event| event["event"] == "child of the parent's client"));
}
