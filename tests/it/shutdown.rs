//! Shutdown keeps its timeout, whatever the endpoint does and wherever it is called from.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use candor::transport::{Request, Response, SendError, Transport};
use candor::{Client, ErrorKind, LossReason};

use testkit::clients::{LONG, SOON, client, config, config_for, numbered, numbers};
use testkit::{Reply, Server, eventually};

const SHORT: Duration = Duration::from_millis(250);

/// Shuts down while the server does this: within the timeout, and with every event accounted for.
#[track_caller]
fn keeps_its_time(what: &str, reply: Reply) {
    let server = Server::always(reply);
    let client = client(config(&server).flush_at(1).batch_bytes(20 * 1024 * 1024).event_bytes(8_000_000));
    // More bytes than the buffers of a connection hold.
    client.capture(candor::DynamicEvent::new("large", "node-7").property("text", "x".repeat(6_000_000)));
    server.wait_for_begun(1);
    client.capture(numbered(2));
    let began = Instant::now();
    client.shutdown(SHORT).unwrap();
    assert!(began.elapsed() < SOON, "{what}: {:?}", began.elapsed());
    eventually("the worker to count what is left", || client.stats().queued == 0);
    let stats = client.stats();
    assert_eq!(stats.lost(LossReason::ShuttingDown), 2, "{what}: {stats}");
}

#[test]
fn against_an_endpoint_that_stalls() {
    keeps_its_time("stall", Reply::stall());
}

#[test]
fn against_an_endpoint_that_does_not_read() {
    keeps_its_time("stall before the body", Reply::stall_before_body());
}

#[test]
fn against_an_endpoint_that_reads_slowly() {
    keeps_its_time("slow read", Reply::ok().reading_slowly(Duration::from_millis(20)));
}

#[test]
fn against_an_endpoint_that_trickles() {
    keeps_its_time("trickle", Reply::trickle(Duration::from_millis(100)));
}

#[test]
fn against_an_endpoint_that_always_fails() {
    let server = Server::always(Reply::status(503));
    let client = client(config(&server));
    client.capture(numbered(1));
    let began = Instant::now();
    client.shutdown(SHORT).unwrap();
    assert!(began.elapsed() < SOON);
    assert_eq!(client.stats().lost(LossReason::ShuttingDown), 1);
}

#[test]
fn does_not_wait_for_a_retry_beyond_its_time() {
    let server = Server::start([Reply::status(503)]);
    let client = client(config(&server).retry_delays(LONG * 10, LONG * 10));
    client.capture(numbered(1));
    let began = Instant::now();
    client.shutdown(LONG).unwrap();
    assert!(began.elapsed() < SOON);
    assert_eq!(client.stats().lost(LossReason::ShuttingDown), 1);
}

#[test]
fn against_a_transport_that_cannot_be_aborted() {
    struct Deaf;
    impl Transport for Deaf {
        fn send(&self, _: &Request<'_>) -> Result<Response, SendError> {
            thread::sleep(SOON * 2);
            Ok(Response::status(200))
        }
    }
    let client = client(config_for("http://127.0.0.1:9").transport(|_| Ok(Box::new(Deaf))));
    client.capture(numbered(1));
    let began = Instant::now();
    client.shutdown(SHORT).unwrap();
    assert!(began.elapsed() < SOON);
}

/// An endpoint that answers the first requests with these statuses, and the next one when it is told to. Not even an
/// abort ends that one.
struct Stuck {
    first: Mutex<Vec<u16>>,
    begun: Sender<()>,
    answer: Mutex<Receiver<u16>>,
}

impl Transport for Stuck {
    fn send(&self, _: &Request<'_>) -> Result<Response, SendError> {
        let first = self.first.lock().unwrap().pop();
        let _ = self.begun.send(());
        Ok(Response::status(first.unwrap_or_else(|| self.answer.lock().unwrap().recv_timeout(LONG).unwrap())))
    }
}

/// A client whose worker holds event 1 for a retry and is stuck with event 2, and the channel with its answer. Event 3
/// is in the queue.
fn stuck() -> (Client, Sender<u16>) {
    let ((begun, began), (answer, answers)) = (channel(), channel());
    let stuck = Mutex::new(Some(Stuck { first: Mutex::new(vec![503]), begun, answer: Mutex::new(answers) }));
    let config = config_for("http://127.0.0.1:9").flush_at(1).retry_delays(LONG * 10, LONG * 10);
    let client = client(config.transport(move |_| Ok(Box::new(stuck.lock().unwrap().take().unwrap()))));
    for n in [1, 2] {
        client.capture(numbered(n));
        began.recv_timeout(LONG).unwrap();
    }
    client.capture(numbered(3));
    (client, answer)
}

#[test]
fn a_worker_that_is_stuck_leaves_only_its_request_uncounted() {
    for (status, sent, reason) in [(200, 1, None), (503, 0, Some(LossReason::ShuttingDown))] {
        let (client, answer) = stuck();
        let flushed = client.shutdown(SHORT).unwrap();
        let stats = client.stats();
        assert_eq!((stats.queued, stats.lost(LossReason::ShuttingDown)), (1, 2), "{stats}");
        assert_eq!((flushed.waiting, flushed.lost()), (1, 2));
        answer.send(status).unwrap();
        eventually("the worker to count the request", || client.stats().queued == 0);
        client.shutdown(LONG).unwrap();
        let stats = client.stats();
        assert_eq!((stats.sent, stats.lost_total()), (sent, 3 - sent), "{stats}");
        assert!(reason.is_none_or(|reason| stats.lost(reason) == 3), "{stats}");
    }
}

#[test]
fn a_withdrawal_counts_what_a_stuck_worker_holds() {
    let (client, answer) = stuck();
    // It cannot be stored here, but it counts.
    let _ = client.opt_out();
    let stats = client.stats();
    assert_eq!((stats.queued, stats.lost(LossReason::ConsentWithdrawn)), (1, 2), "{stats}");
    answer.send(503).unwrap();
    eventually("the worker to count the request", || client.stats().queued == 0);
    assert_eq!(client.stats().lost(LossReason::ConsentWithdrawn), 3, "{}", client.stats());
}

#[test]
fn a_hook_that_does_not_return_keeps_no_event_uncounted() {
    let ((begun, began), (go_on, goes_on)) = (channel(), channel::<()>());
    let goes_on = Mutex::new(goes_on);
    let server = Server::start([Reply::status(503), Reply::status(401)]);
    let config = config(&server).flush_at(1).retry_delays(LONG * 10, LONG * 10).on_error(move |_| {
        let _ = begun.send(());
        let _ = goes_on.lock().unwrap().recv_timeout(LONG);
    });
    let client = client(config);
    client.capture(numbered(1));
    server.wait_for(1);
    eventually("the retry to be scheduled", || client.status().last_send.is_some());
    client.capture(numbered(2));
    began.recv_timeout(LONG).unwrap();
    client.capture(numbered(3));
    client.shutdown(SHORT).unwrap();
    let stats = client.stats();
    assert_eq!((stats.queued, stats.lost(LossReason::Rejected), stats.lost_total()), (0, 1, 3), "{stats}");
    drop(go_on);
    client.shutdown(LONG).unwrap();
    assert_eq!(client.stats(), stats, "nothing is counted twice");
}

#[test]
fn a_second_call_does_nothing_and_later_events_are_counted() {
    let server = Server::start([]);
    let client = client(config(&server));
    client.capture(numbered(1));
    assert_eq!(client.shutdown(LONG).unwrap().delivered, 1);
    client.capture(numbered(2));
    let second = client.shutdown(LONG).unwrap();
    assert_eq!((second.delivered, second.waiting), (0, 0));
    assert_eq!(client.stats().lost(LossReason::ShuttingDown), 1);
    assert_eq!(client.flush(LONG).unwrap_err().kind(), ErrorKind::NotRunning);
    assert_eq!(numbers(&server.events()), [1]);
}

#[test]
fn two_calls_at_once_are_both_in_time() {
    let server = Server::always(Reply::stall());
    let client = client(config(&server).flush_at(1));
    client.capture(numbered(1));
    server.wait_for(1);
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| client.shutdown(SHORT).unwrap());
        }
    });
    assert!(began.elapsed() < SOON);
}

#[test]
fn inside_an_async_task_it_neither_panics_nor_hangs() {
    let server = Server::start([]);
    let client = client(config(&server));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let clone = client.clone();
    let task = runtime.spawn(async move {
        clone.capture(numbered(1));
        clone.shutdown(LONG).unwrap()
    });
    assert_eq!(runtime.block_on(task).unwrap().delivered, 1);
    assert_eq!(numbers(&server.events()), [1]);
}

/// Holds a client for its own hook.
type Own = Arc<OnceLock<Client>>;

#[test]
fn from_a_before_send_hook() {
    let server = Server::start([]);
    let own = Own::default();
    let hook = Arc::clone(&own);
    let client = client(config(&server).before_send(move |view| {
        if view.properties["n"] == 2 {
            hook.get().unwrap().shutdown(LONG).unwrap();
        }
        Some(view)
    }));
    own.set(client.clone()).ok().unwrap();
    let began = Instant::now();
    client.capture(numbered(1));
    client.capture(numbered(2));
    client.capture(numbered(3));
    assert!(began.elapsed() < LONG);
    assert_eq!(numbers(&server.events()), [1]);
    let stats = client.stats();
    assert_eq!((stats.sent, stats.lost(LossReason::ShuttingDown), stats.queued), (1, 2, 0), "{stats}");
}

#[test]
fn from_an_on_error_hook() {
    let server = Server::start([Reply::status(401)]);
    let own = Own::default();
    let hook = Arc::clone(&own);
    let client = client(config(&server).on_error(move |_| {
        let client = hook.get().unwrap();
        client.flush(LONG).unwrap();
        client.shutdown(LONG).unwrap();
    }));
    own.set(client.clone()).ok().unwrap();
    client.capture(numbered(1));
    client.flush(LONG).unwrap();
    eventually("the client to be shut down", || client.flush(LONG).is_err());
    client.capture(numbered(2));
    let stats = client.stats();
    assert_eq!((stats.lost(LossReason::Rejected), stats.lost(LossReason::ShuttingDown)), (1, 1), "{stats}");
}

#[test]
fn while_a_panic_unwinds() {
    struct Finally(Client);
    impl Drop for Finally {
        fn drop(&mut self) {
            self.0.shutdown(LONG).unwrap();
        }
    }
    let server = Server::start([]);
    let client = client(config(&server));
    let result = catch_unwind(AssertUnwindSafe(|| {
        let _finally = Finally(client.clone());
        client.capture(numbered(1));
        panic!("the application's own");
    }));
    assert!(result.is_err());
    assert_eq!(numbers(&server.events()), [1]);
}

#[test]
fn while_other_threads_capture_every_event_is_accounted_for() {
    let server = Server::start([]);
    let client = client(config(&server).flush_at(10));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for n in 0..2000 {
                    client.capture(numbered(n));
                }
            });
        }
        server.wait_for(1);
        client.shutdown(LONG).unwrap();
    });
    let stats = client.stats();
    assert_eq!((stats.captured, stats.queued), (8000, 0), "{stats}");
    assert_eq!(server.events().len() as u64, stats.sent);
    assert_eq!(stats.sent + stats.lost(LossReason::ShuttingDown), 8000, "{stats}");
}
