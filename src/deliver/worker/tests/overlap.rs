//! The next body is built while a request is under way, on a thread that comes with the first backlog.

use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use super::super::*;
use super::bench::Bench;
use crate::settings::Retry;
use crate::transport::{Request, Response, SendError, Transport};
use crate::wire::PostHogBatch;

/// In the queue at first, where there is a backlog.
const EVENTS: u64 = 100;

/// So long no machine takes for what is waited for here.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the endpoint does while the first request is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum During {
    Nothing,
    /// Waits until the next batch has left the queue.
    WaitForNext,
    /// The same, and then consent is withdrawn.
    Withdraw,
    /// The same, and then the transport panics.
    Panic,
}

/// An endpoint that sees the worker's queue.
struct Endpoint {
    during: During,
    seen: OnceLock<(Arc<Queue>, Arc<ConsentMonitor>)>,
    requests: Mutex<Vec<Seen>>,
}

/// One request.
struct Seen {
    events: usize,
    thread: ThreadId,
    /// Whether the queue lost events while the request was under way.
    is_overlapped: bool,
    may_wait: bool,
}

impl Transport for Endpoint {
    fn send(&self, request: &Request<'_>) -> Result<Response, SendError> {
        let (queue, monitor) = self.seen.get().expect("a worker");
        let body: serde_json::Value = serde_json::from_slice(request.body).expect("a body is JSON");
        let events = body["batch"].as_array().map_or(0, Vec::len);
        // The queue without this body.
        let left = EVENTS - events as u64;
        let is_first = self.requests.lock().unwrap().is_empty();
        let mut is_overlapped = false;
        if is_first && self.during != During::Nothing {
            let began = Instant::now();
            while !is_overlapped && began.elapsed() < PATIENCE {
                thread::yield_now();
                is_overlapped = queue.depth().events < left;
            }
        }
        self.requests.lock().unwrap().push(Seen {
            events,
            thread: thread::current().id(),
            is_overlapped,
            may_wait: queue.may_wait(),
        });
        match self.during {
            During::Withdraw if is_first => monitor.gate().close(),
            // Without the hook, whose words would stand among those of the tests.
            During::Panic if is_first => resume_unwind(Box::new("the endpoint")),
            _ => false,
        };
        Ok(Response::status(200))
    }
}

/// A worker whose bodies hold about ten events, with so many events captured.
fn bench(during: During, events: u64) -> (Bench, Arc<Endpoint>) {
    let endpoint = Arc::new(Endpoint { during, seen: OnceLock::new(), requests: Mutex::default() });
    let batching = Batching { flush_at: 1, batch_bytes: 2500, ..Batching::default() };
    let envelope = Arc::new(PostHogBatch::default());
    let transport = Arc::clone(&endpoint) as Arc<dyn Transport>;
    let bench = Bench::new(batching, Retry::default(), envelope, transport);
    endpoint.seen.set((Arc::clone(&bench.queue), Arc::clone(&bench.monitor))).ok().unwrap();
    (0..events).for_each(|n| bench.capture("counted", n, 50));
    (bench, endpoint)
}

#[test]
fn the_next_body_is_built_while_a_request_is_under_way() {
    let (mut bench, endpoint) = bench(During::WaitForNext, EVENTS);
    bench.run();
    let requests = endpoint.requests.lock().unwrap();
    assert!(requests[0].is_overlapped);
    assert_eq!(requests.iter().map(|request| request.events as u64).sum::<u64>(), EVENTS);
    assert_eq!((bench.stats().sent, bench.stats().queued), (EVENTS, 0));
    // What runs on that thread must not wait for room that only the worker can make.
    assert!(requests.iter().all(|request| !request.may_wait || request.thread == thread::current().id()));
    assert!(!requests[0].may_wait);
}

#[test]
fn the_second_thread_comes_with_a_backlog_only() {
    for (events, is_alone) in [(1, true), (5, true), (EVENTS, false)] {
        let (mut bench, endpoint) = bench(During::Nothing, events);
        bench.run();
        let here = thread::current().id();
        let threads: Vec<_> =
            endpoint.requests.lock().unwrap().iter().map(|request| request.thread).collect();
        assert_eq!(threads.iter().all(|thread| *thread == here), is_alone, "{events}");
        assert_eq!(bench.worker.request_thread.is_none(), is_alone, "{events}");
    }
}

#[test]
fn a_withdrawal_while_a_request_is_under_way_stops_the_body_that_was_built_meanwhile() {
    let (mut bench, endpoint) = bench(During::Withdraw, EVENTS);
    assert_eq!(bench.run(), Turn::Over);
    bench.worker.end();
    let requests = endpoint.requests.lock().unwrap();
    assert_eq!(requests.len(), 1);
    let (sent, stats) = (requests[0].events as u64, bench.stats());
    assert_eq!((stats.sent, stats.lost(LossReason::ConsentWithdrawn)), (sent, EVENTS - sent), "{stats}");
    assert_eq!(bench.queue.depth(), QueueDepth::default());
}

#[test]
fn a_transport_that_panics_on_the_second_thread_costs_its_batch_alone() {
    let (mut bench, endpoint) = bench(During::Panic, EVENTS);
    assert!(catch_panic(|| bench.run()).is_none());
    let lost = bench.worker.count_panicked();
    bench.run();
    let requests = endpoint.requests.lock().unwrap();
    assert_eq!(lost, requests[0].events as u64);
    let stats = bench.stats();
    assert_eq!(
        (stats.sent, stats.lost(LossReason::WorkerPanicked), stats.queued),
        (EVENTS - lost, lost, 0),
        "{stats}"
    );
}
