//! Flush waits for events that were captured before it, for at most its timeout.

use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use candor::{Client, ErrorKind};

use testkit::clients::{LONG, SOON, client, config, numbered, numbers};
use testkit::{Reply, Server, eventually};

#[test]
fn returns_when_everything_captured_before_has_arrived() {
    let server = Server::start([]);
    let client = client(config(&server).flush_interval(LONG * 10));
    for n in 0..250 {
        client.capture(numbered(n));
    }
    let flushed = client.flush(LONG).unwrap();
    assert!(flushed.is_complete() && flushed.delivered == 250, "{flushed:?}");
    assert_eq!(numbers(&server.events()), (0..250).collect::<Vec<_>>());
}

#[test]
fn with_nothing_to_send_makes_no_request() {
    let server = Server::start([]);
    let client = client(config(&server));
    let began = Instant::now();
    assert!(client.flush(LONG).unwrap().is_complete());
    assert!(began.elapsed() < SOON);
    assert_eq!(server.connections(), 0);
}

#[test]
fn returns_when_its_timeout_ends() {
    let server = Server::always(Reply::stall());
    let client = client(config(&server));
    client.capture(numbered(1));
    for timeout in [Duration::ZERO, Duration::from_millis(100)] {
        let began = Instant::now();
        let flushed = client.flush(timeout).unwrap();
        assert!(began.elapsed() < SOON);
        assert_eq!((flushed.delivered, flushed.waiting), (0, 1));
    }
    client.shutdown(Duration::ZERO).unwrap();
}

#[test]
fn does_not_wait_for_a_retry_beyond_its_time() {
    let server = Server::start([Reply::status(503)]);
    let client = client(config(&server).retry_delays(LONG * 10, LONG * 10));
    client.capture(numbered(1));
    let began = Instant::now();
    let flushed = client.flush(LONG).unwrap();
    assert!(began.elapsed() < SOON);
    assert_eq!((flushed.delivered, flushed.waiting), (0, 1));
}

#[test]
fn waits_for_a_retry_within_its_time() {
    let server = Server::start([Reply::status(503), Reply::reset_after_body()]);
    let client = client(config(&server));
    client.capture(numbered(1));
    assert!(client.flush(LONG).unwrap().is_complete());
    assert_eq!(server.requests().len(), 3);
}

#[test]
fn answers_the_calls_of_many_threads() {
    let server = Server::start([]);
    let client = client(config(&server).flush_interval(LONG * 10));
    thread::scope(|scope| {
        for thread in 0..4 {
            let client = &client;
            scope.spawn(move || {
                for round in 0..20 {
                    client.capture(numbered(thread * 100 + round));
                    client.flush(LONG).unwrap();
                }
            });
        }
    });
    assert_eq!(server.events().len(), 80);
    assert_eq!(client.stats().queued, 0);
}

#[test]
fn on_the_worker_thread_returns_at_once() {
    let server = Server::start([Reply::status(401)]);
    let own = Arc::new(OnceLock::<Client>::new());
    let hook = Arc::clone(&own);
    let client = client(config(&server).on_error(move |_| {
        hook.get().unwrap().flush(LONG * 10).unwrap();
    }));
    own.set(client.clone()).ok().unwrap();
    client.capture(numbered(1));
    let began = Instant::now();
    client.flush(LONG).unwrap();
    assert!(began.elapsed() < LONG);
    client.shutdown(LONG).unwrap();
}

#[test]
fn does_nothing_on_a_disabled_client() {
    let off = Client::disabled();
    assert_eq!(off.flush(LONG).unwrap(), candor::Flushed::default());
    assert_eq!(off.shutdown(LONG).unwrap(), candor::Flushed::default());
}

#[test]
fn after_a_shutdown_is_an_error() {
    let server = Server::start([]);
    let client = client(config(&server));
    client.shutdown(LONG).unwrap();
    assert_eq!(client.flush(LONG).unwrap_err().kind(), ErrorKind::NotRunning);
}

#[test]
fn a_timeout_ends_only_the_wait() {
    let server = Server::start([]);
    let client = client(config(&server));
    for n in 0..250 {
        client.capture(numbered(n));
    }
    client.flush(Duration::ZERO).unwrap();
    // Nothing else sends the events: neither a full batch nor an interval.
    eventually("what was there has arrived", || client.stats().sent == 250);
    assert_eq!(numbers(&server.events()), (0..250).collect::<Vec<_>>());
}

#[test]
fn a_timeout_ends_only_the_wait_for_a_hanging_request() {
    let server = Server::start([Reply::ok().held()]);
    let client = client(config(&server));
    client.capture(numbered(0));
    client.flush(Duration::ZERO).unwrap();
    server.wait_for(1);
    client.capture(numbered(1));
    client.flush(Duration::from_millis(20)).unwrap();
    server.release();
    eventually("what was there has arrived", || client.stats().sent == 2);
    assert_eq!(numbers(&server.events()), [0, 1]);
}
