//! The end of a process while the network hangs: nobody waits for it, and nothing is lost.

use std::time::Duration;

use candor::{Overflow, Sending, Spool};

use crate::rig::{
    BlackHole, Endpoint, LONG, Wire, adds_up, capture, client, config, events_in, eventually, over_network,
    run, scratch,
};

const SOON: Duration = Duration::from_millis(20);

#[test]
fn a_server_whose_connection_hangs_at_its_end_loses_nothing() {
    let (state, hole) = (scratch(), BlackHole::new());
    let server = || over_network(&state, Spool::server()).endpoint(hole.url()).request_timeout(LONG * 100);
    let first = client(server().flush_at(5));
    capture(&first, 1..=5);
    eventually("the first request to be under way", || first.stats().requests == 1);
    capture(&first, 6..=23);
    first.shutdown(SOON).unwrap();
    let stats = first.stats();
    adds_up(&stats);
    assert_eq!((stats.spooled, stats.queued, stats.lost_total()), (23, 0, 0), "{stats}");

    let wire = Wire::up();
    run(config(&state, &wire, Spool::server()).endpoint(hole.url()), [24]);
    assert_eq!(wire.numbers(), (1..=24).collect::<Vec<_>>());
    assert!(state.files().is_empty());
}

/// Not even the transport's own code gives the request back.
#[test]
fn a_server_whose_request_cannot_be_cut_loses_nothing() {
    for spool in [Spool::server(), Spool::server().each_event(), Spool::server().write_ahead(SOON)] {
        let (state, wire) = (scratch(), Wire::new(Endpoint::Hangs));
        // So much that the next body is built while the first is under way.
        let hangs = config(&state, &wire, spool.clone()).flush_at(5).batch_bytes(2_000);
        let first = client(hangs);
        capture(&first, 1..=40);
        eventually("a request to be under way", || wire.requests() == 1);
        capture(&first, 41..=60);
        first.shutdown(SOON).unwrap();
        let stats = first.stats();
        adds_up(&stats);
        assert_eq!((stats.spooled, stats.queued, stats.lost_total()), (60, 0, 0), "{stats}");
        let up = Wire::up();
        run(config(&state, &up, spool), []);
        assert_eq!(up.numbers(), (1..=60).collect::<Vec<_>>());
        wire.set(Endpoint::Answers(200));
    }
}

#[test]
fn a_tool_whose_connection_hangs_ends_and_keeps_the_file() {
    let (state, hole) = (scratch(), BlackHole::new());
    let tool = || over_network(&state, Spool::cli()).endpoint(hole.url()).request_timeout(LONG * 100);
    run(tool(), [1]);
    let before = state.files();
    // Were the connection waited for, this would take as long as the system tries.
    let second = client(tool());
    eventually("the connection to be begun", || second.stats().requests == 1);
    capture(&second, [2]);
    second.shutdown(LONG).unwrap();
    let files = state.files();
    assert_eq!((files.len(), &files[0]), (2, &before[0]), "the attempt that was cut does not count");
    assert_eq!((second.stats().spooled, second.stats().lost_total()), (2, 0));
}

#[test]
fn a_no_while_a_connection_hangs_ends_the_wait_for_it() {
    let (state, hole) = (scratch(), BlackHole::new());
    let server = over_network(&state, Spool::server()).endpoint(hole.url()).request_timeout(LONG * 100);
    let client = client(server.flush_at(1));
    capture(&client, [1]);
    eventually("the connection to be begun", || client.stats().requests == 1);
    capture(&client, [2]);
    client.opt_out().unwrap();
    assert!(!state.spool().exists());
    eventually("the worker to have counted all", || client.stats().lost_total() == 2);
    adds_up(&client.stats());
}

#[test]
fn what_fills_the_queue_while_a_request_hangs_goes_to_disk() {
    for overflow in [Overflow::DropNewest, Overflow::Wait(LONG)] {
        let (state, wire) = (scratch(), Wire::new(Endpoint::Stalls));
        let stalls = config(&state, &wire, Spool::server()).flush_at(50).queue_events(200).overflow(overflow);
        let client = client(stalls);
        capture(&client, 0..50);
        eventually("a request to be under way", || wire.requests() == 1);
        for first in (50..2_000).step_by(10) {
            capture(&client, first..first + 10);
            // The batch under way, and less in the queue than what makes it go to disk.
            eventually("there to be room", || client.stats().queued < 50 + 150);
        }
        let stats = client.stats();
        assert_eq!((stats.lost_total(), stats.requests), (0, 1), "{stats}");
        assert!(stats.spooled > 1_500, "{stats}");
        wire.set(Endpoint::Answers(200));
        client.shutdown(LONG).unwrap();
        assert_eq!(wire.numbers(), (0..2_000).collect::<Vec<_>>());
        assert!(state.files().is_empty());
    }
}

#[test]
fn what_is_written_ahead_does_not_wait_for_the_request_under_way() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Stalls));
    let client = client(config(&state, &wire, Spool::server().write_ahead(SOON)).flush_at(1));
    let on_disk = || state.files().iter().map(|file| events_in(file)).sum::<u64>();
    capture(&client, 1..=3);
    eventually("a request to be under way", || wire.requests() == 1);
    capture(&client, 4..=9);
    eventually("all to be on disk", || on_disk() == 9);
    client.shutdown(SOON).unwrap();
    adds_up(&client.stats());
}

/// An endpoint that takes longer to answer than a command to run would never get what waits.
#[test]
fn what_has_waited_for_a_day_is_waited_for_once_a_day() {
    let overdue = |wire: &Wire| {
        let state = scratch();
        wire.set(Endpoint::Stalls);
        run(config(&state, wire, Spool::cli()), [1]);
        let file = state.files().remove(0);
        let name = file.file_name().unwrap().to_str().unwrap();
        let stamp: u64 = name[1..14].parse().unwrap();
        let older = format!("e{:013}{}", stamp - 2 * 24 * 60 * 60 * 1000, &name[14..]);
        std::fs::rename(&file, file.with_file_name(older)).unwrap();
        state
    };
    // The wait is bounded, so a busy machine may need more than one day.
    let delivered = (0..50).any(|_| {
        let wire = Wire::new(Endpoint::Stalls);
        let state = overdue(&wire);
        wire.set(Endpoint::AnswersSlowly);
        run(config(&state, &wire, Spool::cli()), []);
        wire.numbers() == [1]
    });
    assert!(delivered, "no run has waited");

    let wire = Wire::new(Endpoint::Stalls);
    let state = overdue(&wire);
    let waited = || state.buckets()[0].join(".waited").metadata().and_then(|file| file.modified()).ok();
    assert_eq!(waited(), None, "what is young is not waited for");
    run(config(&state, &wire, Spool::cli()), []);
    let first = waited();
    assert!(first.is_some() && state.files().len() == 1);
    run(config(&state, &wire, Spool::cli()), []);
    assert_eq!(waited(), first, "once a day");
    // Unless the program said otherwise.
    let live = overdue(&wire);
    client(config(&live, &wire, Spool::cli().sending(Sending::Live))).shutdown(SOON).unwrap();
    assert!(!live.buckets()[0].join(".waited").exists());
}
