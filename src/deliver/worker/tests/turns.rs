//! Tests of single turns: intervals, flushes, retries, shutdown and withdrawal.

use std::sync::Arc;
use std::time::Duration;

use super::super::*;
use super::bench::Bench;
use crate::settings::Retry;
use crate::transport::memory::MemoryTransport;
use crate::transport::{Response, SendError};
use crate::wire::PostHogBatch;

const SECOND: Duration = Duration::from_secs(1);

/// Returns a worker with an interval of 5 s and retries after 10 s, and its transport.
fn bench(statuses: &[u16]) -> (Bench, MemoryTransport) {
    let memory = MemoryTransport::new();
    for status in statuses {
        memory.respond(Ok(Response::status(*status)));
    }
    let batching = Batching { flush_at: 10, interval: SECOND * 5, ..Batching::default() };
    let retry = Retry { base: SECOND * 10, max_delay: SECOND * 10, ..Retry::default() };
    let envelope = Arc::new(PostHogBatch::default());
    (Bench::new(batching, retry, envelope, Arc::new(memory.clone())), memory)
}

/// Returns how long the worker will sleep.
fn idle(bench: &mut Bench) -> Option<Duration> {
    match bench.run() {
        Turn::Idle(until) => until.map(|until| until - bench.worker.context.clock.now()),
        turn => panic!("{turn:?}"),
    }
}

#[test]
fn an_event_is_sent_when_its_interval_is_over() {
    let (mut bench, memory) = bench(&[]);
    assert_eq!(idle(&mut bench), None);
    bench.capture("counted", 1, 0);
    assert_eq!(idle(&mut bench), Some(SECOND * 5));
    bench.clock.advance(SECOND * 2);
    assert_eq!(idle(&mut bench), Some(SECOND * 3));
    assert_eq!(memory.sent().len(), 0);
    bench.clock.advance(SECOND * 3);
    assert_eq!(idle(&mut bench), None);
    assert_eq!((memory.sent().len(), bench.stats().sent), (1, 1));
}

#[test]
fn a_flush_is_answered_when_its_events_are_settled() {
    let (mut bench, _) = bench(&[503]);
    bench.capture("counted", 1, 0);
    let done = bench.flush(SECOND * 60);
    bench.run();
    assert!(done.try_recv().is_err(), "its batch waits for a retry before the deadline");
    // A later event does not delay the flush.
    bench.clock.advance(SECOND * 15);
    bench.capture("counted", 2, 0);
    bench.run();
    assert!(done.try_recv().is_ok());
    assert_eq!(bench.stats().sent, 1);
}

#[test]
fn a_flush_is_answered_at_once_if_the_retry_is_too_late() {
    let (mut bench, _) = bench(&[503]);
    bench.capture("counted", 1, 0);
    let done = bench.flush(SECOND * 5);
    bench.run();
    assert!(done.try_recv().is_ok());
    assert_eq!((bench.stats().sent, bench.stats().queued), (0, 1));
}

#[test]
fn a_flush_of_an_empty_queue_is_answered_at_once() {
    let (mut bench, memory) = bench(&[]);
    let done = bench.flush(SECOND);
    bench.run();
    assert!(done.try_recv().is_ok());
    assert_eq!(memory.sent().len(), 0);
}

#[test]
fn a_shutdown_waits_only_for_a_retry_before_its_deadline() {
    for (timeout, sent) in [(30, 1), (5, 0)] {
        let (mut bench, _) = bench(&[503]);
        bench.capture("counted", 1, 0);
        bench.shutdown(SECOND * timeout);
        bench.run_out();
        let stats = bench.stats();
        assert_eq!(
            (stats.sent, stats.lost(LossReason::ShuttingDown)),
            (sent, 1 - sent),
            "{timeout}: {stats}"
        );
    }
}

#[test]
fn without_clients_the_worker_drains_for_a_limited_time() {
    let (mut bench, _) = bench(&[]);
    bench.capture("counted", 1, 0);
    bench.commands = crossbeam_channel::unbounded().0;
    bench.run_out();
    assert_eq!(bench.stats().sent, 1);
}

#[test]
fn a_withdrawal_drops_all_waiting_events() {
    let (mut bench, memory) = bench(&[503]);
    bench.capture("counted", 1, 0);
    let done = bench.flush(SECOND);
    bench.run();
    bench.capture("counted", 2, 0);
    bench.monitor.gate().close();
    assert_eq!(bench.run(), Turn::Over);
    bench.worker.end();
    drop(done);
    let stats = bench.stats();
    assert_eq!((stats.lost(LossReason::ConsentWithdrawn), stats.queued), (2, 0), "{stats}");
    assert_eq!(memory.sent().len(), 1);
}

#[test]
fn an_endpoint_that_is_gone_for_good_ends_the_worker() {
    let (mut bench, memory) = bench(&[410]);
    bench.capture("counted", 1, 0);
    bench.flush(SECOND);
    bench.run_out();
    assert_eq!((bench.stats().lost(LossReason::Rejected), memory.sent().len()), (1, 1));
}

#[test]
fn a_batch_that_is_too_old_is_given_up() {
    let (mut bench, memory) = bench(&[503; 50]);
    bench.worker.context.sender.retry.max_age = SECOND * 60;
    bench.capture("counted", 1, 0);
    bench.flush(SECOND * 3600);
    for _ in 0..20 {
        bench.run();
        bench.clock.advance(SECOND * 15);
    }
    assert_eq!(bench.stats().lost(LossReason::RetriesExhausted), 1);
    assert!(memory.sent().len() < 8);
}

#[test]
fn a_transport_that_aborts_unasked_is_not_retried_forever() {
    let memory = MemoryTransport::new();
    for _ in 0..10 {
        memory.respond(Err(SendError::Aborted));
    }
    let retry = Retry { max_retries: Some(2), base: SECOND, max_delay: SECOND, ..Retry::default() };
    let batching = Batching { flush_at: 1, ..Batching::default() };
    let envelope = Arc::new(PostHogBatch::default());
    let mut bench = Bench::new(batching, retry, envelope, Arc::new(memory.clone()));
    bench.capture("counted", 1, 0);
    while idle(&mut bench).is_some() {
        bench.clock.advance(SECOND * 2);
    }
    assert_eq!((memory.sent().len(), bench.stats().lost(LossReason::RetriesExhausted)), (3, 1));
}
