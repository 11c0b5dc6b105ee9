//! What each durability survives.

use std::time::Duration;

use candor::{Client, Spool};

use crate::rig::{Endpoint, LONG, Wire, adds_up, capture, client, config, eventually, numbered, scratch};

#[test]
fn each_event_is_on_disk_when_its_capture_returns() {
    survives_a_kill(|client| capture(client, 1..=250));
}

#[test]
fn each_event_of_a_batch_is_on_disk_when_its_capture_returns() {
    survives_a_kill(|client| assert_eq!(client.capture_batch((1..=250).map(numbered), LONG), 250));
}

/// Captures 250 events, and lets another process find them.
fn survives_a_kill(capture: impl FnOnce(&Client)) {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Stalls));
    let first = client(config(&state, &wire, Spool::server().each_event()));
    capture(&first);
    assert_eq!(first.stats().spooled + first.stats().queued, 250);
    // As `kill -9` leaves it: nothing is shut down. A process's lock ends with it, which a test cannot simulate in its
    // own process, so the open file is copied to a place where it is not locked.
    let copy = scratch();
    for (path, bytes) in state.everything() {
        let to = copy.path().join(path.strip_prefix(state.path()).unwrap());
        match bytes {
            Some(bytes) => std::fs::write(to, bytes).unwrap(),
            None => std::fs::create_dir(to).unwrap(),
        }
    }
    let up = Wire::up();
    let next = client(config(&copy, &up, Spool::server().each_event()));
    next.flush(LONG).unwrap();
    assert_eq!(up.numbers(), (1..=250).collect::<Vec<_>>());
    next.shutdown(LONG).unwrap();
    adds_up(&next.stats());
    first.shutdown(Duration::from_millis(10)).unwrap();
}

#[test]
fn events_written_first_are_delivered_by_the_same_process() {
    for spool in [Spool::server().each_event(), Spool::server().write_ahead(Duration::from_millis(5))] {
        let (state, wire) = (scratch(), Wire::up());
        let client =
            client(config(&state, &wire, spool).flush_at(10).flush_interval(Duration::from_millis(20)));
        capture(&client, 0..1_000);
        eventually("all to arrive", || wire.numbers().len() == 1_000);
        client.shutdown(LONG).unwrap();
        let stats = client.stats();
        adds_up(&stats);
        assert_eq!((stats.sent, stats.spooled), (1_000, 0), "{stats}");
        assert_eq!(wire.numbers(), (0..1_000).collect::<Vec<_>>());
        assert!(state.files().is_empty());
    }
}

#[test]
fn events_written_ahead_are_on_disk_within_their_time() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Stalls));
    let client = client(config(&state, &wire, Spool::server().write_ahead(Duration::from_millis(5))));
    capture(&client, 1..=7);
    eventually("it to be on disk", || client.stats().spooled == 7);
    assert!(!state.files().is_empty());
    client.shutdown(Duration::from_millis(10)).unwrap();
    adds_up(&client.stats());
}

#[test]
fn a_shutdown_delivers_events_that_were_written_first() {
    for spool in [Spool::server().each_event(), Spool::server().write_ahead(Duration::from_secs(60))] {
        let (state, wire) = (scratch(), Wire::up());
        let client = client(config(&state, &wire, spool));
        capture(&client, 1..=7);
        let flushed = client.shutdown(LONG).unwrap();
        assert_eq!((flushed.delivered, flushed.waiting), (7, 0));
        assert!(state.files().is_empty());
    }
}
