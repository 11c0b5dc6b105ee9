//! The end of a process while the network hangs: nobody waits for it, and nothing is lost.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use candor::wire::{Attempt, BatchInfo, Envelope, EnvelopeLimits, WireEvent};
use candor::{Client, LossReason, Overflow, Sending, Spool};
use testkit::Limited;

use crate::rig::{
    BlackHole, Endpoint, LONG, Scratch, Wire, adds_up, capture, client, config, events_in, eventually, lost,
    over_network, run, scratch,
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
fn a_nearly_full_queue_is_written_to_disk_only_down_to_half() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Stalls));
    let client = client(config(&state, &wire, Spool::server()).flush_at(50).queue_events(200));
    capture(&client, 0..50);
    eventually("a request to be under way", || wire.requests() == 1);
    capture(&client, 50..200);
    eventually("events to be on disk", || client.stats().spooled > 0);
    assert_eq!(client.stats().spooled, 50, "{}", client.stats());
    wire.set(Endpoint::Answers(200));
    client.shutdown(LONG).unwrap();
    adds_up(&client.stats());
    assert_eq!(wire.numbers(), (0..200).collect::<Vec<_>>());
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

/// An envelope that takes its time for the first event, and so keeps the worker between the queue and the disk.
struct Halting {
    envelope: Limited,
    has_begun: Arc<AtomicBool>,
    goes_on: Mutex<Receiver<()>>,
}

impl Envelope for Halting {
    fn path(&self) -> &str {
        self.envelope.path()
    }

    fn begin(&self, batch: &BatchInfo, body: &mut Vec<u8>) {
        self.envelope.begin(batch, body);
    }

    fn event(&self, event: &WireEvent<'_>, body: &mut Vec<u8>) {
        if !self.has_begun.swap(true, Ordering::SeqCst) {
            let _ = self.goes_on.lock().unwrap().recv_timeout(LONG);
        }
        self.envelope.event(event, body);
    }

    fn end(&self, batch: &BatchInfo, attempt: Attempt, body: &mut Vec<u8>) {
        self.envelope.end(batch, attempt, body);
    }
}

/// An envelope that panics at the second event that it is given.
struct Breaking {
    envelope: Limited,
    events: AtomicUsize,
}

impl Envelope for Breaking {
    fn path(&self) -> &str {
        self.envelope.path()
    }

    fn begin(&self, batch: &BatchInfo, body: &mut Vec<u8>) {
        self.envelope.begin(batch, body);
    }

    fn event(&self, event: &WireEvent<'_>, body: &mut Vec<u8>) {
        if self.events.fetch_add(1, Ordering::SeqCst) == 1 {
            // Without the panic hook, whose message would clutter the output.
            std::panic::resume_unwind(Box::new("the envelope"));
        }
        self.envelope.event(event, body);
    }

    fn end(&self, batch: &BatchInfo, attempt: Attempt, body: &mut Vec<u8>) {
        self.envelope.end(batch, attempt, body);
    }
}

#[test]
fn an_envelope_that_panics_does_not_end_the_tool_with_it() {
    let (state, wire) = (scratch(), Wire::up());
    let breaking = Breaking { envelope: Limited(EnvelopeLimits::new()), events: AtomicUsize::new(0) };
    let stats = run(config(&state, &wire, Spool::cli()).envelope(breaking), 1..=5);
    assert_eq!((stats.spooled, lost(&stats, LossReason::WorkerPanicked)), (3, 2), "{stats}");
    assert_eq!((stats.queued, state.files().len()), (0, 1), "{stats}");
}

/// A tool's spool with room for every event, each in a file of its own.
fn one_by_one() -> Spool {
    Spool::cli().file_events(1).max_files(100_000).max_events(100_000).max_bytes(1 << 30)
}

/// A tool that has captured this many events, and whose worker writes them once it is told to go on.
fn halted(state: &Scratch, wire: &Wire, spool: Spool, events: u64) -> (Client, Sender<()>) {
    let (go_on, goes_on) = channel();
    let has_begun = Arc::new(AtomicBool::new(false));
    let (envelope, goes_on) = (Limited(EnvelopeLimits::new()), Mutex::new(goes_on));
    let halting = Halting { envelope, has_begun: Arc::clone(&has_begun), goes_on };
    let client = client(config(state, wire, spool).flush_at(5).envelope(halting));
    capture(&client, 1..=events);
    eventually("the worker to have begun", || has_begun.load(Ordering::SeqCst));
    (client, go_on)
}

#[test]
fn a_tool_that_ends_while_its_worker_writes_waits_for_it() {
    let (state, wire) = (scratch(), Wire::up());
    let (client, go_on) = halted(&state, &wire, one_by_one(), 200);
    let later = thread::spawn(move || {
        // Longer than an end waits for a worker that cannot be writing.
        thread::sleep(Duration::from_millis(500));
        go_on.send(()).unwrap();
    });
    client.shutdown(LONG * 4).unwrap();
    let stats = client.stats();
    adds_up(&stats);
    assert_eq!((stats.spooled, stats.queued, stats.lost_total()), (200, 0, 0), "{stats}");
    assert_eq!((state.files().len(), wire.requests()), (200, 0));
    later.join().unwrap();
}

#[test]
fn a_worker_that_has_no_time_to_write_counts_what_is_left() {
    let (state, wire) = (scratch(), Wire::up());
    let (client, go_on) = halted(&state, &wire, one_by_one(), 200);
    client.shutdown(Duration::ZERO).unwrap();
    go_on.send(()).unwrap();
    eventually("all to be counted", || client.stats().queued == 0);
    let stats = client.stats();
    adds_up(&stats);
    let over = lost(&stats, LossReason::ShuttingDown);
    assert!(over > 0 && stats.spooled == state.files().len() as u64, "{stats}");
    assert_eq!(stats.spooled + over, 200);
    assert_eq!(wire.requests(), 0, "the time for the network is over, too");
}

#[test]
fn a_tool_with_thousands_of_small_files_leaves_nothing_behind() {
    let (state, wire) = (scratch(), Wire::up());
    let stats = run(config(&state, &wire, one_by_one()), 0..5_000);
    assert_eq!((stats.spooled, stats.queued, stats.lost_total()), (5_000, 0, 0), "{stats}");
    assert_eq!(state.files().len(), 5_000);
}

#[test]
fn events_captured_during_a_write_are_collected_for_the_next_file() {
    let (state, wire) = (scratch(), Wire::up());
    let (client, go_on) = halted(&state, &wire, Spool::cli(), 5);
    capture(&client, [6, 7]);
    go_on.send(()).unwrap();
    eventually("the first file to be written", || client.stats().spooled >= 5);
    capture(&client, [8, 9, 10]);
    eventually("the second to be written", || client.stats().spooled == 10);
    capture(&client, [11]);
    client.shutdown(LONG).unwrap();
    let files: Vec<u64> = state.files().iter().map(|file| events_in(file)).collect();
    assert_eq!(files, [5, 5, 1]);
}
