//! Captured events arrive once, complete, in order, and in batches of the right size.

use std::time::Duration;

use candor::LossReason;

use testkit::clients::{LONG, client, config, numbered, numbers};
use testkit::{Reply, Server, eventually};

#[test]
fn every_event_arrives_once_and_in_order() {
    let server = Server::start([]);
    let client = client(config(&server));
    for n in 0..1000 {
        client.capture(numbered(n));
    }
    let flushed = client.shutdown(LONG).unwrap();
    assert!(flushed.is_complete(), "{flushed:?}");
    assert_eq!(numbers(&server.events()), (0..1000).collect::<Vec<_>>());
    let stats = client.stats();
    assert_eq!((stats.captured, stats.sent, stats.queued, stats.lost_total()), (1000, 1000, 0, 0));
}

#[test]
fn a_batch_is_sent_when_it_has_enough_events() {
    let server = Server::start([]);
    let client = client(config(&server).flush_at(3).flush_interval(LONG * 10));
    for n in 0..3 {
        client.capture(numbered(n));
    }
    server.wait_for(1);
    assert_eq!(numbers(&server.events()), [0, 1, 2]);
}

#[test]
fn a_batch_is_sent_when_it_has_enough_bytes() {
    let server = Server::start([]);
    let client = client(config(&server).flush_bytes(1).flush_interval(LONG * 10));
    client.capture(numbered(7));
    server.wait_for(1);
    assert_eq!(numbers(&server.events()), [7]);
}

#[test]
fn a_batch_is_sent_when_its_interval_ends() {
    let server = Server::start([]);
    let client = client(config(&server).flush_interval(Duration::from_millis(5)));
    client.capture(numbered(7));
    server.wait_for(1);
    assert_eq!(numbers(&server.events()), [7]);
}

#[test]
fn a_backlog_is_sent_in_larger_batches_over_one_connection() {
    let server = Server::start([Reply::ok().held()]);
    let client = client(config(&server).flush_at(1));
    client.capture(numbered(0));
    server.wait_for(1);
    for n in 1..=5000 {
        client.capture(numbered(n));
    }
    server.release();
    assert!(client.shutdown(LONG).unwrap().is_complete());
    let requests = server.requests();
    assert!(requests.len() < 5, "{} requests", requests.len());
    assert_eq!(numbers(&server.events()), (0..=5000).collect::<Vec<_>>());
    assert_eq!(server.connections(), 1);
}

#[test]
fn a_body_stays_under_the_byte_limit() {
    let server = Server::start([]);
    let client = client(config(&server).batch_bytes(2000));
    for n in 0..100 {
        client.capture(numbered(n));
    }
    assert!(client.shutdown(LONG).unwrap().is_complete());
    assert!(server.requests().iter().all(|request| request.body.len() <= 2000));
    assert_eq!(numbers(&server.events()), (0..100).collect::<Vec<_>>());
}

#[test]
fn events_that_the_endpoint_refuses_are_counted() {
    let server = Server::start([Reply::status(401)]);
    let client = client(config(&server));
    client.capture(numbered(1));
    client.flush(LONG).unwrap();
    client.capture(numbered(2));
    client.shutdown(LONG).unwrap();
    let stats = client.stats();
    assert_eq!((stats.sent, stats.lost(LossReason::Rejected), stats.requests), (1, 1, 2));
}

#[test]
fn dropping_the_last_clone_sends_what_is_queued() {
    let server = Server::start([]);
    let client = client(config(&server).flush_interval(LONG));
    let clone = client.clone();
    client.capture(numbered(1));
    drop(client);
    clone.capture(numbered(2));
    drop(clone);
    eventually("both events to arrive", || numbers(&server.events()) == [1, 2]);
}
