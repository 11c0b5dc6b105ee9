//! A client that is shut down while something starts, and threads that do everything at once.
//!
//! This is a separate binary because it counts the worker threads of the process; its tests run one after the other.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use candor::transport::{Request, Response, SendError, Transport};
use candor::{Client, Config, Consent, DynamicEvent, Env, LossReason, Notice, Overflow};

/// More time than any test needs, even on a busy machine.
const LONG: Duration = Duration::from_secs(60);

const ROUNDS: usize = 200;

/// Runs one test at a time, because all of them count the threads of the process.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// A directory for one test, which is removed at its end.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("candor-ending-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Accepts everything, or nothing until it is released.
#[derive(Clone, Default)]
struct Wire {
    is_held: Arc<Mutex<bool>>,
    changed: Arc<Condvar>,
    requests: Arc<AtomicUsize>,
    events: Arc<AtomicU64>,
}

impl Wire {
    fn held() -> Self {
        let wire = Self::default();
        *wire.is_held.lock().unwrap() = true;
        wire
    }

    fn release(&self) {
        *self.is_held.lock().unwrap() = false;
        self.changed.notify_all();
    }
}

impl Transport for Wire {
    fn send(&self, request: &Request<'_>) -> Result<Response, SendError> {
        self.requests.fetch_add(1, Ordering::SeqCst);
        let mut is_held = self.is_held.lock().unwrap();
        while *is_held {
            is_held = self.changed.wait(is_held).unwrap();
        }
        self.events.fetch_add(candor::testing::events_of(request.body).len() as u64, Ordering::SeqCst);
        Ok(Response::status(200))
    }
}

fn config(consent: Consent, wire: &Wire) -> Config {
    let wire = wire.clone();
    Config::new("ending", "1.0.0")
        .env(Env::empty())
        .consent(consent.policy_file(""))
        .flush_interval(LONG)
        .transport(move |_| Ok(Box::new(wire.clone()) as Box<dyn Transport>))
}

fn granted() -> Consent {
    Consent::opt_out(Notice::documented("https://example.com/telemetry"))
}

fn event() -> DynamicEvent {
    DynamicEvent::new("counted", "node-7")
}

fn eventually(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < deadline, "timed out waiting for: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Counts the worker threads of this process by name, which is possible only on Linux.
fn workers() -> usize {
    let Ok(tasks) = std::fs::read_dir("/proc/self/task") else { return 0 };
    let name = |task: std::io::Result<std::fs::DirEntry>| {
        std::fs::read_to_string(task.ok()?.path().join("comm")).ok()
    };
    tasks.filter_map(name).filter(|name| name.trim() == "candor").count()
}

/// Runs two functions at the same time, as closely as two threads can be synchronised.
fn race(one: impl FnOnce() + Send, other: impl FnOnce() + Send) {
    let start = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            start.wait();
            one();
        });
        start.wait();
        other();
    });
}

/// Races `work` against a shutdown many times. At the end all clients still exist, but no worker does.
fn leaves_no_worker(make: impl Fn() -> Client, work: impl Fn(&Client) + Sync, timeout: Duration) {
    assert_eq!(workers(), 0);
    let mut clients = Vec::new();
    for _ in 0..ROUNDS {
        let client = make();
        race(
            || work(&client),
            || {
                client.shutdown(timeout).unwrap();
            },
        );
        assert!(!client.is_enabled());
        clients.push(client);
    }
    eventually("all workers have ended", || workers() == 0);
    for client in clients {
        let stats = client.stats();
        assert_eq!(stats.queued, 0, "{stats}");
        assert_eq!(stats.captured, stats.sent + stats.lost_total(), "{stats}");
    }
}

#[test]
fn opt_in_during_shutdown() {
    let _alone = alone();
    let wire = Wire::default();
    let scratches: Vec<_> = (0..ROUNDS).map(|_| Scratch::new()).collect();
    let next = AtomicUsize::new(0);
    leaves_no_worker(
        || {
            let scratch = &scratches[next.fetch_add(1, Ordering::Relaxed)];
            Client::new(config(Consent::opt_in().state_dir(&scratch.0), &wire)).unwrap()
        },
        |client| {
            let _ = client.opt_in().unwrap();
            client.capture(event());
        },
        LONG,
    );
}

#[test]
fn the_first_ai_event_during_shutdown() {
    let _alone = alone();
    let wire = Wire::default();
    leaves_no_worker(
        || Client::new(config(granted(), &wire)).unwrap(),
        |client| client.capture_ai(DynamicEvent::new("$ai_span", "node-7")),
        LONG,
    );
}

#[test]
fn flush_during_a_shutdown_without_a_timeout() {
    let _alone = alone();
    let wire = Wire::default();
    leaves_no_worker(
        || {
            let client = Client::new(config(granted(), &wire)).unwrap();
            client.capture(event());
            client
        },
        |client| {
            let _ = client.flush(LONG);
        },
        Duration::ZERO,
    );
}

#[test]
fn a_second_shutdown_waits_for_the_first_and_returns_what_is_waiting() {
    let _alone = alone();
    let wire = Wire::held();
    let client = Client::new(config(granted(), &wire)).unwrap();
    client.capture(event());
    thread::scope(|scope| {
        let first = scope.spawn(|| client.shutdown(LONG).unwrap());
        eventually("the first is at work", || wire.requests.load(Ordering::SeqCst) == 1);
        let second = client.shutdown(Duration::from_millis(20)).unwrap();
        assert_eq!((second.delivered, second.waiting, second.is_complete()), (0, 1, false));
        assert!(!first.is_finished(), "the second takes nothing of the first's time");
        let third = scope.spawn(|| client.shutdown(LONG).unwrap());
        wire.release();
        assert_eq!(third.join().unwrap().waiting, 0);
        let first = first.join().unwrap();
        assert_eq!((first.delivered, first.waiting), (1, 0));
    });
    assert_eq!(workers(), 0);
    assert_eq!(client.stats().sent, 1);
}

/// Draws numbers from a seed: splitmix64.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % sides
    }
}

/// Calls a random method of a client.
fn act(client: &Client, dice: &mut Dice, may_shut_down: bool) {
    match dice.roll(40) {
        0..=19 => client.capture(event().property("text", "x".repeat(100))),
        20..=27 => client.capture_ai(DynamicEvent::new("$ai_span", "node-7")),
        28..=30 => {
            let _ = client.flush(Duration::from_millis(dice.roll(3)));
        }
        31 => {
            client.capture_batch((0..3).map(|_| event()), Duration::from_millis(1));
        }
        32..=34 => client.opt_out().unwrap(),
        35..=37 => {
            let _ = client.opt_in().unwrap();
        }
        38 if may_shut_down => {
            client.shutdown(Duration::from_millis(dice.roll(3))).unwrap();
        }
        _ => {
            let stats = client.stats();
            assert!(stats.captured >= stats.sent + stats.lost_total(), "{stats}");
        }
    }
}

#[test]
fn everything_at_once_from_many_threads_never_hangs_and_adds_up() {
    let _alone = alone();
    for seed in 0..20_u64 {
        let wire = Wire::default();
        let scratch = Scratch::new();
        let settings = config(granted().state_dir(&scratch.0), &wire).flush_at(5).queue_events(20);
        let overflow =
            if seed % 2 == 0 { Overflow::DropNewest } else { Overflow::Wait(Duration::from_millis(2)) };
        let client = Client::new(settings.overflow(overflow)).unwrap();
        thread::scope(|scope| {
            for thread in 0..6 {
                let client = &client;
                scope.spawn(move || {
                    let mut dice = Dice(seed << 32 | thread);
                    // Half of the rounds end with a shutdown at a random point.
                    (0..150).for_each(|turn| act(client, &mut dice, seed % 4 < 2 && turn > 50));
                });
            }
        });
        client.shutdown(LONG).unwrap();
        eventually("all workers have ended", || workers() == 0);
        let stats = client.stats();
        assert_eq!(stats.queued, 0, "seed {seed}: {stats}");
        assert_eq!(stats.captured, stats.sent + stats.lost_total(), "seed {seed}: {stats}");
        assert_eq!(stats.sent, wire.events.load(Ordering::SeqCst), "seed {seed}: {stats}");
        assert_eq!(stats.lost(LossReason::WorkerPanicked), 0, "seed {seed}: {stats}");
        client.capture(event());
        assert_eq!(client.stats().queued, 0, "seed {seed}");
    }
}
