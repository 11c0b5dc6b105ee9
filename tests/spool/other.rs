//! What other processes do: this binary, started again in a role.

use std::io::{BufRead, BufReader, Lines};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use candor::{Client, Overflow, Spool};

use crate::rig::{
    Endpoint, LONG, Scratch, Wire, adds_up, capture, client, config, documented, eventually, over_network,
};

const ROLE: &str = "CANDOR_TEST_SPOOL_ROLE";
const STATE: &str = "CANDOR_TEST_SPOOL_DIR";

/// The program and the arguments that make it play a role.
pub(crate) fn program() -> [String; 4] {
    let program = std::env::current_exe().unwrap().to_str().unwrap().to_owned();
    [program, "--exact".to_owned(), "other::process".to_owned(), "--nocapture".to_owned()]
}

/// Prepares a process; `role` is its name and arguments, with blanks between.
pub(crate) fn prepare(mut command: Command, role: &str, state: &Path) -> Command {
    command.env(ROLE, role).env(STATE, state).stdout(Stdio::piped()).stderr(Stdio::null());
    command
}

/// A process that plays a role.
pub(crate) struct Other {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Other {
    pub(crate) fn start(role: &str, state: &Scratch) -> Self {
        let [program, arguments @ ..] = program();
        let mut command = Command::new(program);
        command.args(arguments);
        Self::spawn(prepare(command, role, state.path()))
    }

    pub(crate) fn spawn(mut command: Command) -> Self {
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        Self { child, lines }
    }

    /// Waits until it says this, or ends without it.
    pub(crate) fn hears(&mut self, word: &str) -> bool {
        self.lines.by_ref().map_while(Result::ok).any(|line| line.contains(word))
    }

    /// Waits until it says this.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, word: &str) {
        assert!(self.hears(word), "it ended without {word}");
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
    }

    /// Waits for its end; returns its exit code, if it was not killed.
    pub(crate) fn end(mut self) -> Option<i32> {
        // It must not wait for us to read.
        self.lines.by_ref().for_each(drop);
        self.child.wait().unwrap().code()
    }
}

/// A spool by the name of its durability.
pub(crate) fn spool(durability: &str) -> Spool {
    match durability {
        "each-event" => Spool::server().each_event(),
        "write-ahead" => Spool::server().write_ahead(Duration::from_millis(5)),
        "sealed" => Spool::server(),
        _ => panic!("{durability}"),
    }
}

/// Not a test by itself: the process that the others start.
#[test]
fn process() {
    let (Ok(role), Ok(state)) = (std::env::var(ROLE), std::env::var(STATE)) else { return };
    let state = Scratch::at(state);
    let words: Vec<&str> = role.split(' ').collect();
    match words[..] {
        ["ends", how, durability] => ends(&state, how, spool(durability)),
        ["writes", url] => writes(&state, url),
        ["sends", url] => sends(&state, url),
        ["withdraws"] => withdraws(&state),
        ["no-room", durability] => no_room(&state, spool(durability)),
        ["read-only"] => read_only(&state),
        ["forks", url] => crate::forked::program(&state, url),
        _ => panic!("{role}"),
    }
}

/// How many events each way to end has on disk before its end, and captures after that.
pub(crate) const BEFORE: u64 = 100;
pub(crate) const AFTER: u64 = 50;

/// Captures, and ends in one of the ways in which processes end.
fn ends(state: &Scratch, how: &str, spool: Spool) {
    let wire = Wire::new(Endpoint::Refuses);
    let fails = config(state, &wire, spool)
        .flush_at(5)
        .flush_interval(Duration::from_millis(5))
        .shutdown_timeout(Duration::from_millis(100));
    let guard = candor::init(fails).unwrap();
    capture(guard.client(), 0..BEFORE);
    // What the worker has just in its hand comes back to disk.
    eventually("all to be on disk", || guard.client().stats().spooled == BEFORE);
    wire.set(Endpoint::Hangs);
    capture(guard.client(), BEFORE..BEFORE + AFTER);
    println!("captured");
    match how {
        "main" => drop(guard),
        "exit" => std::process::exit(0),
        "panic" => panic!("as it was told"),
        "abort" => std::process::abort(),
        "kill" => std::thread::sleep(LONG * 10),
        _ => panic!("{how}"),
    }
}

/// Writes each event to disk until consent is gone.
fn writes(state: &Scratch, url: &str) {
    let client = client(
        config(state, &Wire::new(Endpoint::Refuses), Spool::server().each_event().file_events(20))
            .endpoint(url),
    );
    let mut n = 0;
    while client.is_enabled() {
        capture(&client, [n]);
        if n == 200 {
            println!("writing");
        }
        n += 1;
    }
    over(&client);
}

/// Sends what is on disk until consent is gone.
fn sends(state: &Scratch, url: &str) {
    let client =
        client(over_network(state, Spool::server()).endpoint(url).flush_interval(Duration::from_millis(1)));
    println!("sending");
    while client.is_enabled() {
        capture(&client, [1_000_000]);
        std::thread::sleep(Duration::from_millis(1));
    }
    over(&client);
}

fn over(client: &Client) {
    client.shutdown(LONG).unwrap();
    adds_up(&client.stats());
    assert_eq!((client.stats().queued, client.stats().spooled), (0, 0), "{}", client.stats());
}

fn withdraws(state: &Scratch) {
    let config =
        candor::Config::new("spool-app", "1.0.0").env(candor::Env::empty()).consent(documented(state));
    Client::new(config).unwrap().opt_out().unwrap();
    println!("withdrawn");
}

/// Captures if the disk takes no more than a little: nothing is lost, and each event arrives once.
fn no_room(state: &Scratch, spool: Spool) {
    let probe = state.path().join("probe");
    assert!(std::fs::write(&probe, vec![b'x'; 1 << 20]).is_err(), "there is room");
    std::fs::remove_file(&probe).unwrap();
    let wire = Wire::new(Endpoint::Refuses);
    let config = config(state, &wire, spool)
        .flush_at(20)
        // Room for all, since the batches that wait for a retry may be few and small.
        .queue_events(1_500)
        .overflow(Overflow::Wait(LONG))
        .retry_bytes(8 << 20);
    let client = client(config);
    capture(&client, 0..500);
    eventually("the endpoint to be tried", || wire.requests() > 0);
    capture(&client, 500..1_500);
    wire.set(Endpoint::Answers(200));
    client.shutdown(LONG).unwrap();
    let stats = client.stats();
    adds_up(&stats);
    assert_eq!((stats.sent, stats.spooled, stats.lost_total()), (1_500, 0, 0), "{stats}");
    assert_eq!(wire.numbers(), (0..1_500).collect::<Vec<_>>());
    println!("nothing lost");
}

/// Captures if nothing can be written: what is there stays, and what comes takes the way without a spool.
fn read_only(state: &Scratch) {
    assert!(std::fs::write(state.path().join("probe"), "x").is_err(), "it can be written");
    let before = state.everything();
    for spool in [Spool::cli(), Spool::server(), Spool::server().each_event()] {
        let wire = Wire::up();
        let stats = crate::rig::run(config(state, &wire, spool), 0..10);
        assert_eq!((stats.sent, stats.spooled, stats.lost_total()), (10, 0, 0), "{stats}");
        assert_eq!(wire.numbers(), (0..10).collect::<Vec<_>>());
    }
    assert_eq!(state.everything(), before);
    println!("nothing lost");
}
