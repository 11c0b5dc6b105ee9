//! What a whole process keeps in memory: for threads that have captured and are idle now, and for one event.
//! A binary of its own: the counting allocator is that of the whole process.

use std::alloc::System;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use candor::transport::{Request, Response, SendError, Transport};
use candor::{Client, Config, Consent, DynamicEvent, Env, Notice};
use cap::Cap;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

const THREADS: usize = 64;
const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;

/// So long no machine takes for what is waited for here.
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes every body and forgets it.
struct Nowhere;

impl Transport for Nowhere {
    fn send(&self, _: &Request<'_>) -> Result<Response, SendError> {
        Ok(Response::status(200))
    }
}

fn config() -> Config {
    let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry")).policy_file("");
    Config::new("memory", "1.0.0")
        .env(Env::empty())
        .consent(consent)
        .endpoint("http://127.0.0.1:9")
        .transport(|_granted| Ok(Box::new(Nowhere) as Box<dyn Transport>))
}

/// Captures small events, and a large one among them.
fn capture_some(client: &Client, large: &str) {
    let small = |n| client.capture(DynamicEvent::new("small", "node-7").property("n", n));
    (0..100).for_each(small);
    client.capture(DynamicEvent::new("large", "node-7").property("text", large).group("team", large));
    small(100);
}

/// Waits until everything is delivered and the worker has nothing to do, which is when it gives memory back.
fn rest(client: &Client) {
    // Each answer takes the worker through its loop once, and it rests at the end of a loop that finds nothing.
    for _ in 0..3 {
        assert!(client.flush(PATIENCE).unwrap().is_complete());
    }
}

/// One after the other, since the allocator counts for all.
#[test]
fn memory_is_given_back() {
    one_event_takes_little();
    idle_threads_keep_little();
}

/// One event through a client and its worker takes 26 KB at its peak and 44 KB in all. A queue with a place for each
/// event, made at once, took 577 KB for its places alone.
fn one_event_takes_little() {
    let (before, total_before) = (ALLOCATOR.allocated(), ALLOCATOR.total_allocated());
    let client = Client::new(config()).unwrap();
    client.capture(DynamicEvent::new("finished", "node-7").property("exit_code", 0));
    assert!(client.shutdown(PATIENCE).unwrap().is_complete());
    drop(client);
    let (peak, total) = (ALLOCATOR.max_allocated() - before, ALLOCATOR.total_allocated() - total_before);
    assert!(peak < 48 * KIB, "{peak}");
    assert!(total < 96 * KIB, "{total}");
}

fn idle_threads_keep_little() {
    let large = "x".repeat(300 * KIB);
    let client = Client::new(config().queue_bytes(THREADS * MIB)).unwrap();
    // What the client and its worker keep is not the threads'.
    for _ in 0..8 {
        capture_some(&client, &large);
    }
    rest(&client);
    let before = ALLOCATOR.allocated();
    let (captured, measured) = (Barrier::new(THREADS + 1), Barrier::new(THREADS + 1));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                capture_some(&client, &large);
                captured.wait();
                measured.wait();
            });
        }
        captured.wait();
        rest(&client);
        let kept = ALLOCATOR.allocated().saturating_sub(before);
        measured.wait();
        assert!(kept < 2 * MIB, "{kept}");
    });
    assert_eq!(client.stats().sent, (THREADS as u64 + 8) * 102);
    client.shutdown(PATIENCE).unwrap();
}
