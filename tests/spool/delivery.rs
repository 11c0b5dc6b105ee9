//! Delivery of events from disk: by the next run, in turns, and only once.

use std::fs;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use candor::wire::EnvelopeLimits;
use candor::{LossReason, Sending, Spool};
use testkit::Limited;

use crate::rig::{
    Endpoint, LONG, Scratch, Wire, adds_up, capture, client, config, eventually, lost, run, scratch,
};

/// The events of a file, as they appear in the body.
fn texts(wire: &Wire) -> Vec<String> {
    let mut texts: Vec<String> = wire.events().iter().map(ToString::to_string).collect();
    texts.sort();
    texts
}

#[test]
fn a_tool_leaves_its_events_to_the_next_run_and_waits_for_nothing() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Hangs));
    let stats = run(config(&state, &wire, Spool::cli()), 1..=3);
    assert_eq!((stats.captured, stats.spooled, stats.sent), (3, 3, 0), "{stats}");
    assert_eq!(wire.requests(), 0, "nothing waited there, so nothing connects");
    assert_eq!(state.files().len(), 1);

    wire.set(Endpoint::Answers(200));
    let client = client(config(&state, &wire, Spool::cli()));
    eventually("the earlier run's events to arrive", || wire.numbers() == [1, 2, 3]);
    capture(&client, 4..=4);
    eventually("its file to go", || state.files().is_empty());
    client.shutdown(LONG).unwrap();
    let stats = client.stats();
    adds_up(&stats);
    assert_eq!((stats.captured, stats.recovered, stats.sent, stats.spooled), (1, 3, 3, 1), "{stats}");
    assert_eq!(wire.numbers(), [1, 2, 3], "its own event is for the next run");
}

#[test]
fn a_status_counts_the_waiting_events() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Stalls));
    run(config(&state, &wire, Spool::cli()), 1..=3);
    let expected = candor::status(&config(&state, &wire, Spool::cli()));
    let spool = expected.spool.as_ref().unwrap();
    assert_eq!((spool.files, spool.events, expected.queue.disk), (1, 3, 3));
    assert!(spool.bytes > 100 && spool.oldest.as_ref().unwrap().starts_with("20"), "{spool:?}");
    assert!(expected.to_string().contains("on disk:   1 file,"), "{expected}");
    let client = client(config(&state, &wire, Spool::cli()));
    let status = client.status().spool.unwrap();
    assert_eq!((status.files, status.events, status.bytes), (1, 3, spool.bytes));
    assert_eq!(status.directory, state.buckets()[0].display().to_string());
    client.opt_out().unwrap();
    assert_eq!(client.status().spool, None);
    assert_eq!(candor::status(&config(&state, &wire, Spool::cli())).spool, None);
}

#[test]
fn a_flush_also_sends_the_events_of_this_run() {
    let (state, wire) = (scratch(), Wire::up());
    let client = client(config(&state, &wire, Spool::cli()));
    capture(&client, 1..=3);
    let flushed = client.flush(LONG).unwrap();
    assert_eq!((flushed.delivered, flushed.waiting), (3, 0));
    assert_eq!(wire.numbers(), [1, 2, 3]);
    assert!(state.files().is_empty());
}

#[test]
fn a_shutdown_during_a_request_cuts_it_and_keeps_its_events() {
    for endpoint in [Endpoint::Stalls, Endpoint::Hangs] {
        let (state, wire) = (scratch(), Wire::new(endpoint));
        run(config(&state, &wire, Spool::cli()), 1..=3);
        let before = state.files();
        let client = client(config(&state, &wire, Spool::cli()));
        eventually("the request to be under way", || wire.requests() == 1);
        capture(&client, 4..=4);
        client.shutdown(LONG).unwrap();
        let files = state.files();
        assert_eq!(files.len(), 2, "{files:?}");
        assert_eq!(files[0], before[0], "the attempt that was cut does not count");
        let stats = client.stats();
        adds_up(&stats);
        assert_eq!((stats.spooled, stats.queued), (4, 0), "{endpoint:?}: {stats}");
        wire.set(Endpoint::Answers(200));
    }
}

#[test]
fn undelivered_events_of_a_server_outlive_it() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Refuses));
    let first = client(config(&state, &wire, Spool::server()).flush_at(5));
    capture(&first, 1..=23);
    first.shutdown(LONG).unwrap();
    let stats = first.stats();
    adds_up(&stats);
    assert_eq!((stats.spooled, stats.lost_total()), (23, 0), "{stats}");

    wire.set(Endpoint::Answers(200));
    let second = client(config(&state, &wire, Spool::server()));
    capture(&second, 24..=24);
    second.flush(LONG).unwrap();
    assert_eq!(wire.numbers(), (1..=24).collect::<Vec<_>>());
    let stats = second.stats();
    adds_up(&stats);
    assert_eq!((stats.sent, stats.recovered, stats.spooled), (24, 23, 0), "{stats}");
    assert!(state.files().is_empty());
}

#[test]
fn a_retry_has_the_same_bytes() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Refuses));
    let first = client(config(&state, &wire, Spool::server()));
    capture(&first, 1..=5);
    first.shutdown(LONG).unwrap();
    let copy: Vec<_> = state.files().iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect();
    wire.set(Endpoint::Answers(200));
    run(config(&state, &wire, Spool::server()), []);
    let sent = texts(&wire);
    assert_eq!(sent.len(), 5);
    // As if the process had been killed between the answer and the removal.
    for (path, bytes) in copy {
        fs::write(path, bytes).unwrap();
    }
    run(config(&state, &wire, Spool::server()), []);
    let mut twice = [sent.clone(), sent].concat();
    twice.sort();
    assert_eq!(texts(&wire), twice);
}

/// How many events an outage lasts for: some in the gate, as many as this variable says elsewhere.
fn outage() -> u64 {
    std::env::var("CANDOR_TEST_OUTAGE").ok().and_then(|text| text.parse().ok()).unwrap_or(20_000)
}

#[test]
fn an_outage_longer_than_the_queue_loses_nothing() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Refuses));
    let client = client(
        config(&state, &wire, Spool::server())
            .queue_events(200)
            .flush_at(50)
            .overflow(candor::Overflow::Wait(LONG))
            .retry_bytes(8 * 1024 * 1024),
    );
    capture(&client, 0..outage());
    assert!(client.stats().spooled > outage() / 2, "{}", client.stats());
    wire.set(Endpoint::Answers(200));
    eventually("all to be delivered", || {
        client.flush(LONG).unwrap();
        client.stats().sent == outage()
    });
    let stats = client.stats();
    adds_up(&stats);
    assert_eq!((stats.spooled, stats.lost_total()), (0, 0), "{stats}");
    assert_eq!(wire.numbers(), (0..outage()).collect::<Vec<_>>());
}

#[test]
fn one_wrong_event_is_found_among_those_on_disk() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Refuses));
    let first = client(config(&state, &wire, Spool::server()));
    capture(&first, 1..=40);
    first.shutdown(LONG).unwrap();
    wire.set(Endpoint::RefusesNumber(17));
    let stats = run(config(&state, &wire, Spool::server()), []);
    assert_eq!(lost(&stats, LossReason::Rejected), 1);
    assert_eq!(stats.sent, 39, "{stats}");
    assert_eq!(wire.numbers(), (1..=40).filter(|n| *n != 17).collect::<Vec<_>>());
    assert!(state.files().is_empty());
}

#[test]
fn an_endpoint_that_rejects_the_client_costs_only_time() {
    for status in [401, 403, 404] {
        let (state, wire) = (scratch(), Wire::new(Endpoint::Answers(status)));
        let first = client(config(&state, &wire, Spool::server()));
        capture(&first, 1..=3);
        first.flush(LONG).unwrap();
        capture(&first, 4..=5);
        first.shutdown(LONG).unwrap();
        let stats = first.stats();
        adds_up(&stats);
        assert_eq!((stats.spooled, stats.lost_total(), stats.requests), (5, 0, 1), "{status}: {stats}");
        wire.set(Endpoint::Answers(200));
        run(config(&state, &wire, Spool::server()), []);
        assert_eq!(wire.numbers(), [1, 2, 3, 4, 5], "{status}");
    }
}

#[test]
fn an_endpoint_that_is_gone_ends_the_events_on_disk() {
    for status in [410, 451] {
        let (state, wire) = (scratch(), Wire::new(Endpoint::Refuses));
        let first = client(config(&state, &wire, Spool::server()));
        capture(&first, 1..=3);
        first.shutdown(LONG).unwrap();
        assert_eq!(state.files().len(), 1);
        wire.set(Endpoint::Answers(status));
        let second = candor::Client::new(config(&state, &wire, Spool::server())).unwrap();
        eventually("the bucket to go", || state.buckets().is_empty());
        second.shutdown(LONG).unwrap();
        adds_up(&second.stats());
        assert_eq!(second.stats().recovered, 3, "{status}: {}", second.stats());
    }
}

#[test]
fn a_shutdown_does_not_wait_for_a_failing_endpoint() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Refuses));
    let slow = config(&state, &wire, Spool::server()).retry_delays(LONG / 10, LONG);
    let first = client(slow);
    capture(&first, 1..=3);
    let began = Instant::now();
    first.shutdown(LONG * 10).unwrap();
    assert!(began.elapsed() < LONG / 10, "{:?}", began.elapsed());
    assert_eq!(first.stats().spooled, 3);
}

#[test]
fn exhausted_retries_delete_no_recent_events() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Answers(503)));
    let first = client(config(&state, &wire, Spool::server()).max_retries(2).flush_at(3));
    capture(&first, 1..=3);
    eventually("the batch to be kept", || first.stats().spooled == 3);
    eventually("it to be tried from disk", || first.stats().requests > 6);
    first.shutdown(Duration::from_millis(10)).unwrap();
    adds_up(&first.stats());
    assert_eq!(first.stats().lost_total(), 0, "{}", first.stats());
    let name = state.files()[0].file_name().unwrap().to_str().unwrap().to_owned();
    assert!(name.ends_with("-a0"), "time without an endpoint costs no try: {name}");
}

#[test]
fn two_processes_send_each_event_once() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Refuses));
    let first = client(config(&state, &wire, Spool::server().file_events(1)));
    capture(&first, 0..200);
    first.shutdown(LONG).unwrap();
    assert_eq!(state.files().len(), 200);
    wire.set(Endpoint::Answers(200));
    let runs: Vec<_> = (0..3).map(|_| client(config(&state, &wire, Spool::server()))).collect();
    eventually("all to arrive", || wire.numbers().len() >= 200 && state.files().is_empty());
    for client in runs {
        client.shutdown(LONG).unwrap();
        adds_up(&client.stats());
    }
    assert_eq!(wire.numbers(), (0..200).collect::<Vec<_>>());
}

#[test]
fn small_files_are_sent_together() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Refuses));
    for n in 0..50 {
        run(config(&state, &wire, Spool::cli()), [n]);
        wire.set(Endpoint::Stalls);
    }
    let stored = state.files().len();
    wire.set(Endpoint::Answers(200));
    let before = wire.requests();
    let client = client(config(&state, &wire, Spool::cli()));
    eventually("all to arrive", || wire.numbers().len() == 50);
    assert!(
        stored >= 50 && wire.requests() - before < 5,
        "{stored} files, {} requests",
        wire.requests() - before
    );
    client.shutdown(LONG).unwrap();
}

#[test]
fn the_oldest_events_beyond_the_limits_are_removed_and_counted() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Stalls));
    let told = Arc::new(Mutex::new(Vec::new()));
    let spool = || Spool::cli().max_events(20).file_events(1);
    let hook = Arc::clone(&told);
    let config = config(&state, &wire, spool())
        .on_error(move |error| hook.lock().unwrap().push((error.reason, error.count)));
    let first = client(config);
    capture(&first, 0..30);
    first.shutdown(LONG).unwrap();
    // Its worker may remove files, too, and is not waited for.
    eventually("what is too much to be counted", || first.stats().lost(LossReason::SpoolFull) >= 10);
    assert_eq!(told.lock().unwrap()[0].0, LossReason::SpoolFull);
    wire.set(Endpoint::Answers(200));
    let next = client(crate::rig::config(&state, &wire, spool()));
    eventually("what is left to be sent", || state.files().is_empty());
    adds_up(&first.stats());
    assert_eq!(wire.numbers().len() as u64, first.stats().spooled);
    assert_eq!(wire.numbers().last(), Some(&29), "the newest are kept");
    next.shutdown(LONG).unwrap();
}

#[test]
fn an_event_that_is_too_large_for_the_endpoint_is_lost_and_takes_no_others_with_it() {
    let large = || candor::DynamicEvent::new("large", "node-7").property("text", "x".repeat(3_000));
    for spool in [Spool::server(), Spool::server().each_event()] {
        let (state, wire) = (scratch(), Wire::new(Endpoint::Answers(200)));
        let limits = EnvelopeLimits::new().max_body_bytes(2_000);
        let client = client(config(&state, &wire, spool).envelope(Limited(limits)));
        capture(&client, [1]);
        client.capture(large());
        capture(&client, [2]);
        client.shutdown(LONG).unwrap();
        adds_up(&client.stats());
        assert_eq!(lost(&client.stats(), LossReason::TooLarge), 1);
        assert_eq!(wire.numbers(), [1, 2]);
        assert!(wire.bodies().iter().all(|body| body.len() <= 2_000));
        assert!(state.files().is_empty());
    }
}

#[test]
fn events_that_are_too_old_are_removed_and_counted() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Stalls));
    run(config(&state, &wire, Spool::cli()), 1..=3);
    let file = &state.files()[0];
    let old = file.with_file_name(file.file_name().unwrap().to_str().unwrap().replacen(
        |c: char| c.is_ascii_digit(),
        "0",
        1,
    ));
    fs::rename(file, &old).unwrap();
    // Captured in another directory: a run in this one might already remove old files.
    let other = scratch();
    run(config(&other, &wire, Spool::cli()), 4..=4);
    let young = other.files().remove(0);
    fs::copy(&young, old.with_file_name(young.file_name().unwrap())).unwrap();
    wire.set(Endpoint::Answers(200));
    let client = client(config(&state, &wire, Spool::cli()));
    eventually("the young to arrive", || wire.numbers() == [4]);
    client.shutdown(LONG).unwrap();
    let stats = client.stats();
    adds_up(&stats);
    assert_eq!(lost(&stats, LossReason::SpoolExpired), 3);
}

#[test]
fn at_most_once_never_sends_twice() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Answers(503)));
    let spool = || Spool::cli().at_most_once();
    run(config(&state, &wire, spool()).max_retries(0), 1..=2);
    let client = client(config(&state, &wire, spool()).max_retries(0));
    eventually("the attempt", || client.stats().lost_total() == 2);
    client.shutdown(LONG).unwrap();
    adds_up(&client.stats());
    assert_eq!(wire.requests(), 1);
    assert!(state.files().is_empty());
}

#[test]
fn a_spool_is_refused_if_a_batch_is_sent_only_once() {
    let (state, wire) = (scratch(), Wire::up());
    for spool in [Spool::cli(), Spool::server()] {
        let error = candor::Client::new(config(&state, &wire, spool).max_retries(0)).unwrap_err();
        assert!(error.to_string().contains("at_most_once"), "{error}");
    }
    assert!(!state.spool().exists());
}

/// What cannot be read tells which files were.
#[test]
fn a_start_opens_none_of_five_thousand_files() {
    const FILES: u64 = 5_000;
    let (state, wire) = (scratch(), Wire::new(Endpoint::Stalls));
    run(config(&state, &wire, Spool::cli()), [1]);
    let (file, bucket) = (state.files().remove(0), state.buckets().remove(0));
    let name = file.file_name().unwrap().to_str().unwrap().to_owned();
    let stamp: u64 = name[1..14].parse().unwrap();
    for n in 1..FILES {
        fs::write(bucket.join(format!("e{:013}-{n:012x}-n100-b20000-a0", stamp + n)), "no events").unwrap();
    }
    let spool = || Spool::server().max_files(10_000).max_bytes(1 << 30);
    // Where another process sends, this one does no more than to list them.
    let sends = client(config(&state, &wire, spool()));
    eventually("the first file to be under way", || wire.requests() == 1);
    let second = client(config(&state, &wire, spool().sending(Sending::NextRun)));
    capture(&second, [2]);
    second.shutdown(LONG).unwrap();
    assert_eq!((second.stats().spooled, second.stats().lost_total()), (1, 0), "{}", second.stats());
    // The one that sends has read as many as one request takes.
    let damaged = sends.stats().lost(LossReason::SpoolDamaged) / 100;
    assert!(damaged < FILES / 10, "{damaged} files were read");
    sends.shutdown(Duration::from_millis(1)).unwrap();
    adds_up(&sends.stats());
}

#[test]
fn ai_events_of_an_earlier_run_are_sent_by_one_that_has_none() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Stalls));
    let event = |n: u64| candor::DynamicEvent::new("$ai_span", "node-7").property("n", n);
    let first = client(config(&state, &wire, Spool::cli()));
    first.capture_ai(event(7));
    first.shutdown(LONG).unwrap();
    assert_eq!((first.stats().spooled, state.buckets().len(), state.files().len()), (1, 2, 1));
    wire.set(Endpoint::Answers(200));
    let second = client(config(&state, &wire, Spool::cli()));
    eventually("it to arrive", || wire.numbers() == [7]);
    eventually("its file to go", || state.files().is_empty());
    second.shutdown(LONG).unwrap();
    adds_up(&second.stats());

    // Where there never was one, there is no bucket and no worker for it either.
    let other = scratch();
    run(config(&other, &wire, Spool::cli()), [1]);
    assert_eq!(other.buckets().len(), 1);
}

fn only_file(state: &Scratch) -> String {
    state.files()[0].file_name().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn a_file_that_ends_each_process_is_set_aside() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Stalls));
    run(config(&state, &wire, Spool::cli()), [1]);
    let file = state.files().remove(0);
    fs::rename(&file, file.with_file_name(only_file(&state).replace("-a0", "-a8"))).unwrap();
    run(config(&state, &wire, Spool::cli()), [2]);
    wire.set(Endpoint::Answers(200));
    let client = client(config(&state, &wire, Spool::cli()));
    eventually("the other to arrive", || wire.numbers() == [2]);
    eventually("its file to go", || state.files().is_empty());
    client.shutdown(LONG).unwrap();
}
