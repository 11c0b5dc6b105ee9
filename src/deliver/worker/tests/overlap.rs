//! Tests that the next body is built while a request is in flight, on a thread started by the first backlog.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use super::super::*;
use super::bench::Bench;
use crate::clock::Manual;
#[cfg(feature = "spool")]
use crate::observe::Counters;
#[cfg(feature = "spool")]
use crate::queue::spool::{Scratch, list};
use crate::settings::Retry;
#[cfg(feature = "spool")]
use crate::settings::Spool;
use crate::transport::{Request, Response, SendError, Transport};
use crate::wire::{Attempt, BatchInfo, Envelope, PostHogBatch, WireEvent};

/// The number of events in the queue at first, if there is a backlog.
const EVENTS: u64 = 100;

/// Longer than any machine takes for what the tests wait for.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the endpoint does during the first request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum During {
    Nothing,
    /// Waits until the next batch has left the queue.
    WaitForNext,
    /// Waits likewise, and then consent is withdrawn.
    Withdraw,
    /// Waits likewise, and then the transport panics.
    Panic,
    /// Waits until the envelope has panicked on the next batch.
    BreakNext,
    /// Waits until the envelope has panicked on the next batch that is written to disk.
    #[cfg(feature = "spool")]
    BreakWrite,
    /// Like `WaitForNext`, but the client shuts down with the first duration as its timeout, and the second one passes.
    Shutdown {
        timeout: Duration,
        passes: Duration,
        is_cut: bool,
    },
}

impl During {
    /// The number of the body in which the envelope panics, from 1; 0 for none.
    fn breaks_in(self) -> u32 {
        match self {
            Self::BreakNext => 2,
            // After the one that was written first, and the one that is sent.
            #[cfg(feature = "spool")]
            Self::BreakWrite => 3,
            _ => 0,
        }
    }
}

/// An endpoint that can observe the worker's surroundings.
struct Endpoint {
    during: During,
    surroundings: OnceLock<Surroundings>,
    /// Whether the envelope has panicked.
    has_broken: Arc<AtomicBool>,
    requests: Mutex<Vec<Seen>>,
}

struct Surroundings {
    queue: Arc<Queue>,
    monitor: Arc<ConsentMonitor>,
    clock: Arc<Manual>,
    commands: Sender<Command>,
}

/// One request.
struct Seen {
    events: usize,
    thread: ThreadId,
    /// Whether events were taken from the queue during the request.
    is_overlapped: bool,
    may_wait: bool,
    timeout: Duration,
}

impl Endpoint {
    /// Does what is to happen during the first request; returns whether events were taken from the queue meanwhile.
    fn interfere(&self, left: u64) -> bool {
        let Surroundings { queue, clock, commands, .. } = self.surroundings.get().expect("a worker");
        if self.during.breaks_in() > 0 {
            return wait_until(|| self.has_broken.load(Ordering::SeqCst));
        }
        let is_overlapped = wait_until(|| queue.depth().events < left);
        if let During::Shutdown { timeout, passes, .. } = self.during {
            let deadline = Clock::Manual(Arc::clone(clock)).now() + timeout;
            commands.send(Command::Shutdown { deadline }).unwrap();
            clock.advance(passes);
        }
        is_overlapped
    }
}

fn wait_until(is_so: impl Fn() -> bool) -> bool {
    let began = Instant::now();
    while !is_so() && began.elapsed() < PATIENCE {
        thread::yield_now();
    }
    is_so()
}

impl Transport for Endpoint {
    fn send(&self, request: &Request<'_>) -> Result<Response, SendError> {
        let Surroundings { queue, monitor, .. } = self.surroundings.get().expect("a worker");
        let body: serde_json::Value = serde_json::from_slice(request.body).expect("a body is JSON");
        let events = body["batch"].as_array().map_or(0, Vec::len);
        let is_first = self.requests.lock().unwrap().is_empty();
        let interferes = is_first && self.during != During::Nothing;
        // The events left in the queue without those of this body.
        let is_overlapped = interferes && self.interfere(EVENTS - events as u64);
        self.requests.lock().unwrap().push(Seen {
            events,
            thread: thread::current().id(),
            is_overlapped,
            may_wait: queue.may_wait(),
            timeout: request.timeout,
        });
        match self.during {
            During::Withdraw if is_first => drop(monitor.gate().close()),
            // Without the panic hook, whose message would clutter the output of the tests.
            During::Panic if is_first => resume_unwind(Box::new("the endpoint")),
            During::Shutdown { is_cut: true, .. } if is_first => return Err(SendError::Aborted),
            _ => {}
        }
        Ok(Response::status(200))
    }
}

/// PostHog's envelope, which panics once if it is told to.
struct Brittle {
    inner: PostHogBatch,
    /// The number of the body in which it panics, from 1; 0 for none.
    breaks_in: u32,
    bodies: AtomicU32,
    /// The number of events in the current body.
    events: AtomicU32,
    has_broken: Arc<AtomicBool>,
}

impl Envelope for Brittle {
    fn path(&self) -> &str {
        self.inner.path()
    }

    fn begin(&self, batch: &BatchInfo, body: &mut Vec<u8>) {
        self.bodies.fetch_add(1, Ordering::SeqCst);
        self.events.store(0, Ordering::SeqCst);
        self.inner.begin(batch, body);
    }

    fn event(&self, event: &WireEvent<'_>, body: &mut Vec<u8>) {
        let number = self.events.fetch_add(1, Ordering::SeqCst) + 1;
        if self.bodies.load(Ordering::SeqCst) == self.breaks_in && number == 3 {
            self.has_broken.store(true, Ordering::SeqCst);
            resume_unwind(Box::new("the envelope"));
        }
        self.inner.event(event, body);
    }

    fn end(&self, batch: &BatchInfo, attempt: Attempt, body: &mut Vec<u8>) {
        self.inner.end(batch, attempt, body);
    }
}

/// Returns a worker whose bodies hold about ten events, with this many events captured.
fn bench(during: During, events: u64) -> (Bench, Arc<Endpoint>) {
    let has_broken = Arc::new(AtomicBool::new(false));
    let envelope = Arc::new(Brittle {
        inner: PostHogBatch::default(),
        breaks_in: during.breaks_in(),
        bodies: AtomicU32::new(0),
        events: AtomicU32::new(0),
        has_broken: Arc::clone(&has_broken),
    });
    let (surroundings, requests) = (OnceLock::new(), Mutex::default());
    let endpoint = Arc::new(Endpoint { during, surroundings, has_broken, requests });
    let batching = Batching { flush_at: 1, batch_bytes: 2500, ..Batching::default() };
    let transport = Arc::clone(&endpoint) as Arc<dyn Transport>;
    let bench = Bench::new(batching, Retry::default(), envelope, transport);
    let surroundings = Surroundings {
        queue: Arc::clone(&bench.queue),
        monitor: Arc::clone(&bench.monitor),
        clock: Arc::clone(&bench.clock),
        commands: bench.commands.clone(),
    };
    endpoint.surroundings.set(surroundings).ok().unwrap();
    (0..events).for_each(|n| bench.capture("counted", n, 50));
    (bench, endpoint)
}

#[test]
fn the_next_body_is_built_during_a_request() {
    let (mut bench, endpoint) = bench(During::WaitForNext, EVENTS);
    bench.run();
    let requests = endpoint.requests.lock().unwrap();
    assert!(requests[0].is_overlapped);
    assert_eq!(requests.iter().map(|request| request.events as u64).sum::<u64>(), EVENTS);
    assert_eq!((bench.stats().sent, bench.stats().queued), (EVENTS, 0));
    // Code on that thread must not wait for room that only the worker can make.
    assert!(requests.iter().all(|request| !request.may_wait || request.thread == thread::current().id()));
    assert!(!requests[0].may_wait);
}

#[test]
fn the_second_thread_is_started_only_by_a_backlog() {
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
fn a_withdrawal_during_a_request_drops_the_body_built_meanwhile() {
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
fn a_panic_in_the_transport_on_the_second_thread_costs_only_its_batch() {
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

#[test]
fn a_panic_in_the_envelope_during_a_request_costs_only_the_batch_being_built() {
    let (mut bench, endpoint) = bench(During::BreakNext, EVENTS);
    assert!(catch_panic(|| bench.run()).is_none());
    let lost = bench.worker.count_panicked();
    assert!(endpoint.requests.lock().unwrap()[0].is_overlapped);
    // The events in the body by then, and the one on which it panicked.
    assert_eq!(lost, 3);
    assert_eq!(bench.stats().sent, endpoint.requests.lock().unwrap()[0].events as u64);
    bench.run();
    let stats = bench.stats();
    assert_eq!((stats.sent, stats.lost(LossReason::WorkerPanicked)), (EVENTS - lost, lost), "{stats}");
    assert_eq!((stats.queued, bench.queue.depth()), (0, QueueDepth::default()), "{stats}");
}

const SECOND: Duration = Duration::from_secs(1);

/// The deadline passes during the first request, while the second body is ready.
const TOO_LATE: During = During::Shutdown { timeout: SECOND, passes: SECOND, is_cut: true };

#[test]
fn a_shutdown_that_times_out_during_a_request_counts_everything_and_sends_nothing_more() {
    for during in [TOO_LATE, During::Shutdown { timeout: SECOND, passes: SECOND * 2, is_cut: false }] {
        let (mut bench, endpoint) = bench(during, EVENTS);
        assert_eq!(bench.run(), Turn::Over);
        bench.worker.end();
        let requests = endpoint.requests.lock().unwrap();
        assert!(requests.len() == 1 && requests[0].is_overlapped);
        let sent = if during == TOO_LATE { 0 } else { requests[0].events as u64 };
        let stats = bench.stats();
        assert_eq!((stats.sent, stats.lost(LossReason::ShuttingDown)), (sent, EVENTS - sent), "{stats}");
        assert_eq!((stats.queued, bench.queue.depth()), (0, QueueDepth::default()), "{stats}");
    }
}

#[test]
fn a_shutdown_during_a_request_sends_the_rest_in_the_remaining_time() {
    let during = During::Shutdown { timeout: SECOND * 3, passes: SECOND, is_cut: false };
    let (mut bench, endpoint) = bench(during, EVENTS);
    assert_eq!(bench.run(), Turn::Over);
    bench.worker.end();
    let requests = endpoint.requests.lock().unwrap();
    assert!(requests[0].is_overlapped && requests[0].timeout > SECOND * 3);
    assert!(requests[1..].iter().all(|request| request.timeout == SECOND * 2));
    let stats = bench.stats();
    assert_eq!((stats.sent, stats.lost_total(), stats.queued), (EVENTS, 0, 0), "{stats}");
}

#[test]
fn callers_that_may_wait_get_time_for_the_response_but_not_until_their_own_is_up() {
    let wait = |millis| may_take(Overflow::Wait(Duration::from_millis(millis)));
    assert_eq!(may_take(Overflow::DropNewest), Duration::ZERO);
    assert_eq!([wait(60_000), wait(2_000)], [SECOND; 2]);
    assert_eq!([wait(100), wait(0)], [Duration::from_millis(50), Duration::ZERO]);
}

#[cfg(feature = "spool")]
#[test]
fn events_that_come_while_the_queue_is_written_wait_for_the_next_time() {
    let scratch = Scratch::new();
    let mut bench = bench(During::Nothing, EVENTS).0.with_spool(scratch.path(), Spool::server());
    let writer = bench.worker.writer().unwrap();
    assert_eq!(bench.worker.write_queued(&writer, EVENTS - 1), EVENTS - 1);
    let stats = bench.stats();
    assert_eq!((stats.spooled, stats.queued, bench.queue.depth().events), (EVENTS - 1, 1, 1), "{stats}");
    assert_eq!(bench.worker.write_queued(&writer, EVENTS), 1);
    bench.worker.end();
    assert_eq!((bench.stats().spooled, bench.stats().lost_total()), (EVENTS, 0));
}

#[cfg(feature = "spool")]
#[test]
fn a_panic_in_the_envelope_while_events_are_written_does_not_send_the_current_batch_again() {
    const FIRST: u64 = 5;
    let (scratch, ahead) = (Scratch::new(), Spool::server().write_ahead(Duration::from_millis(1)));
    let (bench, endpoint) = bench(During::BreakWrite, EVENTS);
    let mut bench = bench.with_spool(scratch.path(), ahead);
    let writer = bench.worker.writer().unwrap();
    bench.worker.write_queued(&writer, FIRST);
    bench.run();
    let stats = bench.stats();
    // The events in the body by then, and the one on which it panicked.
    assert_eq!((stats.lost(LossReason::WorkerPanicked), stats.lost_total()), (3, 3), "{stats}");
    assert_eq!((stats.sent, stats.spooled, stats.queued), (EVENTS - 3, 0, 0), "{stats}");
    let requests = endpoint.requests.lock().unwrap();
    assert_eq!(requests[0].events as u64, FIRST);
    assert_eq!(requests.iter().map(|request| request.events as u64).sum::<u64>(), EVENTS - 3);
}

#[cfg(feature = "spool")]
#[test]
fn files_given_back_just_before_the_response_are_not_left_on_disk() {
    let scratch = Scratch::new();
    let mut bench = bench(During::Nothing, EVENTS).0.with_spool(scratch.path(), Spool::server());
    let writer = bench.worker.writer().unwrap();
    bench.worker.write_queued(&writer, EVENTS);
    let limits = BatchLimits { events: 1_000, bytes: 1 << 20, max_body_bytes: 1 << 20 };
    let generation = bench.worker.context.generation;
    let spool = bench.worker.spool.as_mut().unwrap();
    assert_ne!(spool.next(Instant::now(), true), SpoolStep::Nothing);
    let batch = spool.load(generation, limits, true).unwrap();
    writer.leave();
    bench.worker.context.sender.counters.sent(batch.len() as u64);
    bench.worker.spool.as_mut().unwrap().finished();
    let stats = bench.stats();
    assert_eq!((stats.sent, stats.spooled, stats.queued), (EVENTS, 0, 0), "{stats}");
    assert!(list(&scratch.path().join("spool").join("bench")).is_empty());
}

#[cfg(feature = "spool")]
#[test]
fn batches_for_a_worker_that_ends_are_counted_once() {
    let scratches = [(); 4].map(|()| Scratch::new());
    let left = |bench: &mut Bench| {
        let now = bench.worker.context.clock.now();
        let batches = vec![bench.worker.build_batch(now).unwrap()];
        let events = batches.iter().map(|batch| batch.len() as u64).sum();
        let writer = Arc::clone(bench.worker.context.spool.as_ref().unwrap());
        (Command::Deliver(Unwritten::new(batches, writer, Arc::clone(&bench.monitor))), events)
    };
    let [mut ended, mut ending, mut withdrawn, mut working] = scratches
        .each_ref()
        .map(|scratch| bench(During::Nothing, EVENTS).0.with_spool(scratch.path(), Spool::server()));
    let lost = |counters: &Counters| counters.snapshot().lost(LossReason::ShuttingDown);

    let (command, events) = left(&mut ended);
    let (commands, counters) = ended.end();
    assert!(commands.send(command).is_err());
    assert_eq!((lost(&counters), counters.snapshot().queued), (events, 0), "it had ended");

    let (command, events) = left(&mut ending);
    ending.commands.send(command).unwrap();
    let (_, counters) = ending.end();
    assert_eq!((lost(&counters), counters.snapshot().queued), (events, 0), "it has not taken them");

    let (command, events) = left(&mut withdrawn);
    withdrawn.monitor.gate().close();
    drop(command);
    assert_eq!(withdrawn.stats().lost(LossReason::ConsentWithdrawn), events);

    let (command, _) = left(&mut working);
    working.commands.send(command).unwrap();
    working.run();
    let stats = working.stats();
    assert_eq!((stats.sent, stats.lost_total(), stats.queued), (EVENTS, 0, 0), "{stats}");
}

#[cfg(feature = "spool")]
#[test]
fn a_shutdown_that_times_out_during_a_request_leaves_everything_on_disk() {
    let scratch = Scratch::new();
    let (bench, endpoint) = bench(TOO_LATE, EVENTS);
    let mut bench = bench.with_spool(scratch.path(), Spool::server());
    assert_eq!(bench.run(), Turn::Over);
    bench.worker.end();
    let requests = endpoint.requests.lock().unwrap();
    assert!(requests.len() == 1 && requests[0].is_overlapped);
    let stats = bench.stats();
    assert_eq!((stats.sent, stats.lost_total(), stats.spooled), (0, 0, EVENTS), "{stats}");
    let files = list(&scratch.path().join("spool").join("bench"));
    assert_eq!(files.iter().map(|file| u64::from(file.events)).sum::<u64>(), EVENTS);
}
