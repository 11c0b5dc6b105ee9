//! The queue has limits for events and for bytes. If it is full, the newest event is dropped and counted, unless the
//! application chose to wait.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use candor::{Client, DynamicEvent, LossReason, Overflow};

use testkit::clients::{LONG, SOON, client, config, numbered, numbers};
use testkit::lines;
use testkit::{Reply, Server};

/// The first request blocks the worker; later events stay in the queue until the server releases it.
fn held() -> Server {
    Server::start([Reply::ok().held()])
}

#[test]
fn a_full_queue_drops_the_newest_with_one_warning_per_episode() {
    lines::listen();
    let server = held();
    let client = client(config(&server).queue_events(10).flush_at(1));
    let warned = || lines::warnings_here().iter().filter(|text| text.contains("queue is full")).count();
    client.capture(numbered(0));
    server.wait_for(1);
    for n in 1..=30 {
        client.capture(numbered(n));
    }
    assert_eq!((client.stats().lost(LossReason::QueueFull), warned()), (20, 1));
    server.release();
    client.flush(LONG).unwrap();
    assert_eq!(numbers(&server.events()), (0..=10).collect::<Vec<_>>());

    // A second episode, and a second warning.
    let before = client.stats().lost(LossReason::QueueFull);
    for n in 0..200_000 {
        client.capture(numbered(n));
        if client.stats().lost(LossReason::QueueFull) > before {
            break;
        }
    }
    assert_eq!(warned(), 2);
    client.shutdown(LONG).unwrap();
}

#[test]
fn bytes_also_limit_the_queue() {
    let server = held();
    let client = client(config(&server).queue_bytes(50_000).flush_at(1));
    client.capture(numbered(0));
    server.wait_for(1);
    for n in 0..100 {
        client.capture(
            DynamicEvent::new("counted", "id").property("n", n).property("text", "x".repeat(10_000)),
        );
    }
    assert_eq!(client.stats().lost(LossReason::QueueFull), 96);
    server.release();
    client.shutdown(LONG).unwrap();
    assert_eq!(client.stats().sent, 5);
}

#[test]
fn a_queue_smaller_than_a_batch_does_not_wait_for_one() {
    let server = Server::start([]);
    let client = client(config(&server).queue_events(5).flush_interval(LONG * 10));
    for n in 0..5 {
        client.capture(numbered(n));
    }
    server.wait_for(1);
    assert_eq!(numbers(&server.events()), [0, 1, 2, 3, 4]);
}

#[test]
fn a_queue_of_few_bytes_does_not_wait_for_a_batch() {
    let server = Server::start([]);
    let client = client(config(&server).queue_bytes(10_000).flush_interval(LONG * 10));
    client.capture(DynamicEvent::new("counted", "id").property("n", 1).property("text", "x".repeat(6000)));
    server.wait_for(1);
    assert_eq!(numbers(&server.events()), [1]);
}

#[test]
fn a_caller_that_waits_loses_nothing() {
    let server = Server::start([]);
    let client = client(config(&server).queue_events(4).overflow(Overflow::Wait(LONG)));
    thread::scope(|scope| {
        for thread in 0..4 {
            let client = &client;
            scope.spawn(move || (0..250).for_each(|n| client.capture(numbered(thread * 1000 + n))));
        }
    });
    assert!(client.shutdown(LONG).unwrap().is_complete());
    assert_eq!((client.stats().sent, client.stats().lost_total()), (1000, 0));
    assert_eq!(server.events().len(), 1000);
}

#[test]
fn a_wait_is_limited_and_logged() {
    lines::listen();
    let server = held();
    let wait = Overflow::Wait(Duration::from_millis(20));
    let client = client(config(&server).queue_events(1).flush_at(1).overflow(wait));
    client.capture(numbered(0));
    server.wait_for(1);
    client.capture(numbered(1));
    let began = Instant::now();
    client.capture(numbered(2));
    client.capture(numbered(3));
    assert!(began.elapsed() < SOON);
    assert_eq!(client.stats().lost(LossReason::QueueFull), 2);
    assert_eq!(lines::warnings_here().iter().filter(|text| text.contains("queue is full")).count(), 1);
    server.release();
    client.shutdown(LONG).unwrap();
}

#[test]
fn a_hook_on_the_workers_thread_does_not_wait_for_itself() {
    let server = Server::always(Reply::judged(|received| {
        if numbers(&received.events()).contains(&0) { Reply::status(401).held() } else { Reply::ok() }
    }));
    let own = Arc::new(OnceLock::<Client>::new());
    let hook = Arc::clone(&own);
    let client = client(
        config(&server).queue_events(1).flush_at(1).overflow(Overflow::Wait(LONG * 10)).on_error(move |_| {
            // The queue is full, and only this thread could drain it.
            hook.get().unwrap().capture(numbered(9));
        }),
    );
    own.set(client.clone()).ok().unwrap();
    client.capture(numbered(0));
    server.wait_for(1);
    client.capture(numbered(1));
    let began = Instant::now();
    server.release();
    client.flush(LONG).unwrap();
    assert!(began.elapsed() < LONG);
    let stats = client.stats();
    assert_eq!((stats.sent, stats.lost(LossReason::QueueFull)), (1, 1), "{stats}");
    client.shutdown(LONG).unwrap();
}

#[test]
fn shutdown_ends_the_wait_of_callers() {
    let server = held();
    let client = client(config(&server).queue_events(1).flush_at(1).overflow(Overflow::Wait(LONG * 10)));
    client.capture(numbered(0));
    server.wait_for(1);
    client.capture(numbered(1));
    thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let began = Instant::now();
            client.capture(numbered(2));
            began.elapsed()
        });
        client.shutdown(Duration::from_millis(100)).unwrap();
        assert!(waiting.join().unwrap() < LONG);
    });
    testkit::eventually("all to be counted", || client.stats().queued == 0);
}

#[test]
fn many_threads_keep_the_order_of_each() {
    let server = Server::start([]);
    let client = client(config(&server).queue_events(100_000).flush_at(50));
    thread::scope(|scope| {
        for thread in 0..8 {
            let client = &client;
            scope.spawn(move || {
                for n in 0..500 {
                    client.capture(DynamicEvent::new("counted", format!("thread-{thread}")).property("n", n));
                }
            });
        }
    });
    assert!(client.shutdown(LONG).unwrap().is_complete());
    let mut by_thread: HashMap<String, Vec<serde_json::Value>> = HashMap::new();
    for event in server.events() {
        by_thread.entry(event["distinct_id"].to_string()).or_default().push(event);
    }
    assert_eq!(by_thread.len(), 8);
    for events in by_thread.values() {
        assert_eq!(numbers(events), (0..500).collect::<Vec<_>>());
    }
}
