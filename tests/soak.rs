//! 100,000 events for an endpoint of which every tenth answer is faulty: all are delivered, none is lost, and an event
//! arrives twice only if the client could not know that it had arrived.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use candor::{Client, Config, Consent, DynamicEvent, Env, Notice, Overflow};
use serde_json::Value;
use testkit::{Received, Reply, Server};

const EVENTS: u64 = 100_000;
const THREADS: u64 = 4;
const LONG: Duration = Duration::from_secs(120);

/// The requests that the endpoint has seen, and whether it kept their events and confirmed them.
#[derive(Default)]
struct Seen {
    kept: Vec<Received>,
    /// The numbers of the requests that were kept although the client could not know it.
    silent: BTreeSet<usize>,
}

/// Every tenth answer is a fault, and the kinds of faults alternate.
fn faulty(number: usize, seen: &Arc<Mutex<Seen>>) -> Reply {
    let keep = |is_silent: bool, reply: Reply| {
        let seen = Arc::clone(seen);
        Reply::judged(move |received| {
            let mut seen = seen.lock().unwrap();
            seen.kept.push(received.clone());
            if is_silent {
                seen.silent.insert(received.number);
            }
            reply.clone()
        })
    };
    if number % 10 != 3 {
        return keep(false, Reply::ok());
    }
    match number / 10 % 8 {
        0 => Reply::status(503),
        1 => Reply::status(429).header("Retry-After", "0"),
        2 => Reply::reset_before_body(),
        3 => keep(true, Reply::reset_after_body()),
        4 => keep(true, Reply::garbage()),
        5 => Reply::judged(too_large),
        6 => keep(false, Reply::half(200)),
        _ => Reply::status(500),
    }
}

/// Refuses a batch that can be halved. A single event is deferred, because a refusal would lose it.
fn too_large(received: &Received) -> Reply {
    Reply::status(if received.events().len() > 1 { 413 } else { 502 })
}

fn client(server: &Server) -> Client {
    let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry")).policy_file("");
    let config = Config::new("soak", "1.0")
        .env(Env::empty())
        .consent(consent)
        .endpoint(server.url())
        .retry_delays(Duration::from_millis(1), Duration::from_millis(5))
        .batch_bytes(64 * 1024)
        .overflow(Overflow::Wait(LONG));
    Client::new(config).unwrap()
}

#[test]
fn every_event_is_delivered_through_faults() {
    let seen = Arc::new(Mutex::new(Seen::default()));
    let server = Server::scripted({
        let seen = Arc::clone(&seen);
        move |number| faulty(number, &seen)
    });
    let client = client(&server);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let client = &client;
            scope.spawn(move || {
                for n in (thread..EVENTS).step_by(usize::try_from(THREADS).unwrap()) {
                    client.capture(DynamicEvent::new("soaked", format!("thread-{thread}")).property("n", n));
                }
            });
        }
    });
    let flushed = client.shutdown(LONG).unwrap();
    let stats = client.stats();
    assert!(flushed.is_complete(), "{stats}");
    assert_eq!((stats.captured, stats.sent, stats.lost_total()), (EVENTS, EVENTS, 0), "{stats}");
    assert!(stats.requests > 100, "too few requests to meet every fault: {stats}");
    check(&seen.lock().unwrap());
}

/// Compares the events that the endpoint has kept with those that were captured.
fn check(seen: &Seen) {
    let mut arrivals: BTreeMap<u64, Vec<(usize, String)>> = BTreeMap::new();
    let mut bytes: HashMap<String, Value> = HashMap::new();
    for received in &seen.kept {
        for event in received.events() {
            let id = event["uuid"].as_str().unwrap().to_owned();
            let n = event["properties"]["n"].as_u64().unwrap();
            arrivals.entry(n).or_default().push((received.number, id.clone()));
            let first = bytes.entry(id).or_insert_with(|| event.clone());
            assert_eq!(*first, event, "the same on every attempt");
        }
    }
    assert_eq!(arrivals.len() as u64, EVENTS, "none is missing");
    assert_eq!(bytes.len() as u64, EVENTS, "each has one id of its own");
    let mut twice = 0;
    for requests in arrivals.values().filter(|requests| requests.len() > 1) {
        let (_, known) = requests.split_last().unwrap();
        assert!(known.iter().all(|(number, _)| seen.silent.contains(number)), "{requests:?}");
        assert!(requests.iter().all(|(_, id)| *id == requests[0].1), "{requests:?}");
        twice += 1;
    }
    assert!(twice > 0, "some outcome was unknown");
}
