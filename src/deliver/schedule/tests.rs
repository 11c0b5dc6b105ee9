//! Tests of the schedule, with the time passed in.

use std::time::{Duration, Instant};

use super::*;
use crate::deliver::batch::{BatchBuilder, BatchLimits};
use crate::event::{CommonProperties, EncodedEvent};
use crate::queue::{Backlog, Limits, Queue};
use crate::timestamp::Timestamp;
use crate::wire::{BatchInfo, Ids, PostHogBatch};
use uuid::Uuid;

const SECOND: Duration = Duration::from_secs(1);

fn schedule() -> Schedule {
    let batching = Batching { flush_at: 10, flush_bytes: 1000, interval: SECOND * 5, ..Batching::default() };
    Schedule::new(&batching, &Retry { waiting_batches: 2, ..Retry::default() })
}

fn depth(events: u64, bytes: u64) -> QueueDepth {
    QueueDepth { events, bytes }
}

/// Returns a batch of one event, whose position in the order of capture is `first`.
fn batch(first: u64) -> Batch {
    let at = Timestamp::from_unix_millis(0);
    let mut ids = Ids::seeded(Uuid::from_u128(u128::from(first)));
    let info = BatchInfo { created_at: at, id: ids.next(at) };
    let envelope = PostHogBatch::default();
    let mut batch = Batch::new(&envelope, info, 0, Instant::now(), first, Vec::new());
    let limits = Limits { events: 1, bytes: 1 << 20, wake_events: 1, wake_bytes: 1, spill: None };
    let (queue, mut backlog) = (Queue::new(limits), Backlog::default());
    queue.push(&EncodedEvent::sample("\"id\""), 0).expect("the queue has room for one");
    let (common, source) = (CommonProperties::default(), (&mut backlog, &queue));
    let limits = BatchLimits { events: 1, bytes: usize::MAX, max_body_bytes: usize::MAX };
    BatchBuilder::default().fill(&mut batch, &envelope, &common, &mut ids, limits, source);
    batch
}

fn sent(step: Step) -> u64 {
    match step {
        Step::Send(batch) => batch.first,
        other => panic!("{other:?}"),
    }
}

fn waits(step: &Step) -> Option<Instant> {
    match step {
        Step::Wait(until) => *until,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_empty_queue_waits_for_something_to_happen() {
    assert_eq!(waits(&schedule().next(Instant::now(), depth(0, 0), FlushMode::Normal)), None);
}

#[test]
fn a_batch_is_built_by_events_by_bytes_and_by_interval() {
    let now = Instant::now();
    for full in [depth(10, 0), depth(1, 1000)] {
        assert!(matches!(schedule().next(now, full, FlushMode::Normal), Step::Build));
    }
    let mut schedule = schedule();
    assert_eq!(waits(&schedule.next(now, depth(9, 999), FlushMode::Normal)), Some(now + SECOND * 5));
    // More events do not delay it.
    assert_eq!(waits(&schedule.next(now + SECOND, depth(9, 999), FlushMode::Normal)), Some(now + SECOND * 5));
    assert!(matches!(schedule.next(now + SECOND * 5, depth(9, 999), FlushMode::Normal), Step::Build));
}

#[test]
fn events_left_after_a_batch_start_a_new_interval() {
    let now = Instant::now();
    let mut schedule = schedule();
    schedule.next(now, depth(1, 1), FlushMode::Normal);
    schedule.built();
    let later = now + SECOND * 4;
    assert_eq!(waits(&schedule.next(later, depth(1, 1), FlushMode::Normal)), Some(later + SECOND * 5));
}

#[test]
fn a_flush_does_not_wait_for_the_interval() {
    let now = Instant::now();
    assert!(matches!(schedule().next(now, depth(1, 1), FlushMode::Flush), Step::Build));
    assert_eq!(waits(&schedule().next(now, depth(0, 0), FlushMode::Flush)), None);
}

#[test]
fn a_waiting_batch_is_sent_first_once_it_is_due() {
    let now = Instant::now();
    let mut schedule = schedule();
    schedule.wait(batch(7), now + SECOND);
    assert!(matches!(schedule.next(now, depth(10, 0), FlushMode::Normal), Step::Build));
    assert_eq!(waits(&schedule.next(now, depth(0, 0), FlushMode::Normal)), Some(now + SECOND));
    assert_eq!(sent(schedule.next(now + SECOND, depth(10, 0), FlushMode::Normal)), 7);
}

#[test]
fn the_batch_that_was_due_first_is_sent_first() {
    let now = Instant::now();
    let mut schedule = schedule();
    for (first, seconds) in [(1, 3), (2, 1), (3, 2)] {
        schedule.wait(batch(first), now + SECOND * seconds);
    }
    assert_eq!(schedule.first_waiting(), Some(1));
    let order: Vec<_> =
        (0..3).map(|_| sent(schedule.next(now + SECOND * 9, depth(0, 0), FlushMode::Normal))).collect();
    assert_eq!(order, [2, 3, 1]);
}

#[test]
fn halves_are_sent_before_everything_else_and_in_order() {
    let now = Instant::now();
    let mut schedule = schedule();
    schedule.wait(batch(1), now);
    schedule.send_first([batch(4), batch(5)]);
    schedule.send_first([batch(2), batch(3)]);
    assert!(schedule.has_due());
    let order: Vec<_> = (0..5).map(|_| sent(schedule.next(now, depth(10, 0), FlushMode::Normal))).collect();
    assert_eq!(order, [2, 3, 4, 5, 1]);
}

#[test]
fn nothing_is_built_without_room_for_another_failed_batch() {
    let now = Instant::now();
    let mut schedule = schedule();
    for first in 0..2 {
        assert!(schedule.has_room());
        schedule.wait(batch(first), now + SECOND);
    }
    assert!(!schedule.has_room());
    for flush_mode in [FlushMode::Normal, FlushMode::Flush] {
        assert_eq!(waits(&schedule.next(now, depth(100, 0), flush_mode)), Some(now + SECOND));
    }
    // On shutdown nothing waits for later.
    assert!(matches!(schedule.next(now, depth(100, 0), FlushMode::Shutdown), Step::Build));
}

#[test]
fn waiting_batches_are_limited_by_bytes() {
    let now = Instant::now();
    let retry = Retry { waiting_bytes: 1, ..Retry::default() };
    let mut schedule = Schedule::new(&Batching::default(), &retry);
    assert!(schedule.has_room(), "one batch always has room");
    schedule.wait(batch(1), now);
    assert!(!schedule.has_room());
    sent(schedule.next(now, depth(0, 0), FlushMode::Normal));
    assert!(schedule.has_room());
}

#[test]
fn clearing_counts_every_event() {
    let now = Instant::now();
    let mut schedule = schedule();
    schedule.wait(batch(1), now);
    schedule.send_first([batch(2), batch(3)]);
    assert_eq!(schedule.clear().len(), 3);
    assert_eq!((schedule.clear().len(), schedule.first_waiting()), (0, None));
}
