//! `init` after `shutdown`, a thousand times: each client is freed when it is replaced, and every thread uses the new
//! one.
//!
//! This is a separate binary because `init` affects the whole process.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use candor::transport::{Request, Response, SendError, Transport};
use candor::{Config, Consent, DynamicEvent, Env, ErrorKind, LossReason, Notice};

const LONG: Duration = Duration::from_secs(30);

const ROUNDS: usize = 1000;

/// Runs one test at a time, because there is one global client.
fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// Counts events; its reference count also counts the clients that hold it.
#[derive(Clone, Default)]
struct Counting(Arc<AtomicU64>);

impl Transport for Counting {
    fn send(&self, request: &Request<'_>) -> Result<Response, SendError> {
        self.0.fetch_add(candor::testing::events_of(request.body).len() as u64, Ordering::SeqCst);
        Ok(Response::status(200))
    }
}

fn config(transport: &Counting) -> Config {
    let transport = transport.clone();
    let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry")).policy_file("");
    Config::new("again", "1.0.0")
        .env(Env::empty())
        .consent(consent)
        .shutdown_timeout(LONG)
        .transport(move |_| Ok(Box::new(transport.clone()) as Box<dyn Transport>))
}

fn event() -> DynamicEvent {
    DynamicEvent::new("counted", "node-7")
}

#[test]
fn a_thousand_clients_leave_one() {
    let _alone = alone();
    let counting = Counting::default();
    for round in 1..=ROUNDS as u64 {
        let guard = candor::init(config(&counting)).unwrap();
        candor::capture(event());
        candor::event!("counted", distinct_id = "node-7");
        drop(guard);
        assert_eq!(candor::stats().sent, 2, "the new client is the one that is reached");
        assert_eq!(counting.0.load(Ordering::SeqCst), 2 * round);
    }
    // This reference, and the one in the last client's settings.
    assert_eq!(Arc::strong_count(&counting.0), 2);
}

#[test]
fn threads_that_used_the_old_client_use_the_new_one() {
    let _alone = alone();
    let counting = Counting::default();
    let (start, end) = (Barrier::new(5), Barrier::new(5));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..20 {
                    start.wait();
                    candor::capture(event());
                    assert_eq!(candor::stats().lost(LossReason::ShuttingDown), 0);
                    end.wait();
                }
            });
        }
        for round in 1..=20 {
            let guard = candor::init(config(&counting)).unwrap();
            start.wait();
            end.wait();
            drop(guard);
            assert_eq!(counting.0.load(Ordering::SeqCst), 4 * round);
        }
        // This reference, the one of the last client, and at most one that each thread still caches.
        assert!(Arc::strong_count(&counting.0) <= 6);
    });
    // A thread that ends drops its client shortly after its work is done.
    let deadline = Instant::now() + LONG;
    while Arc::strong_count(&counting.0) > 2 {
        assert!(Instant::now() < deadline, "{} references", Arc::strong_count(&counting.0));
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn of_many_concurrent_inits_one_succeeds() {
    let _alone = alone();
    let counting = Counting::default();
    for _ in 0..50 {
        let (barrier, made) = (Barrier::new(4), AtomicUsize::new(0));
        let guards: Vec<_> = thread::scope(|scope| {
            let init = || {
                barrier.wait();
                let result = candor::init(config(&counting));
                made.fetch_add(usize::from(result.is_ok()), Ordering::SeqCst);
                result
            };
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(init)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(made.load(Ordering::SeqCst), 1);
        for error in guards.iter().filter_map(|guard| guard.as_ref().err()) {
            assert_eq!(error.kind(), ErrorKind::AlreadyInitialised);
        }
    }
}

#[test]
fn code_that_runs_during_init_may_call_init_and_panic() {
    let _alone = alone();
    let counting = Counting::default();
    // A transport that calls `init` while the client is being created gets an error, and does not wait for itself.
    let transport = counting.clone();
    let nested = config(&counting).transport(move |_| {
        let error = candor::init(config(&transport)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AlreadyInitialised);
        candor::capture(event());
        Ok(Box::new(transport.clone()) as Box<dyn Transport>)
    });
    drop(candor::init(nested).unwrap());
    // After a panic the global client can still be initialised.
    let error = candor::init(config(&counting).transport(|_| panic!("the application's own"))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Transport);
    drop(candor::init(config(&counting)).unwrap());
}

#[test]
fn after_a_shutdown_the_macro_and_the_function_count_equally() {
    let _alone = alone();
    let counting = Counting::default();
    drop(candor::init(config(&counting)).unwrap());
    let evaluated = AtomicUsize::new(0);
    candor::capture(event());
    candor::event!("counted", distinct_id = "node-7", n = evaluated.fetch_add(1, Ordering::SeqCst));
    let client = candor::client().unwrap();
    candor::event!(client = client, "counted", n = evaluated.fetch_add(1, Ordering::SeqCst));
    let stats = candor::stats();
    assert_eq!((stats.captured, stats.lost(LossReason::ShuttingDown)), (3, 3), "{stats}");
    assert_eq!(evaluated.load(Ordering::SeqCst), 0);
}
