//! The bounds of the queue, its warnings, and what wakes the worker or a caller that waits.
//!
//! Never starts a worker.

use super::*;

fn queue(events: u64, bytes: u64) -> Queue {
    Queue::new(Limits { events, bytes, wake_events: 3, wake_bytes: u64::MAX })
}

/// Returns whether the record went in, and whether a refusal was worth a warning.
fn push(queue: &Queue, id: &str) -> (bool, bool) {
    match queue.push(EncodedEvent::sample(id)) {
        Ok(()) => (true, false),
        Err(_) => (false, queue.mark_full()),
    }
}

#[test]
fn the_newest_is_dropped_with_one_warning_an_episode() {
    let queue = queue(2, u64::MAX >> 24);
    assert_eq!(push(&queue, "a"), (true, false));
    assert_eq!(push(&queue, "b"), (true, false));
    assert_eq!(push(&queue, "c"), (false, true));
    assert_eq!(push(&queue, "d"), (false, false));
    let first = queue.pop().unwrap();
    assert_eq!(first.distinct_id(), b"\"a\"");
    queue.release(QueueDepth { events: 1, bytes: first.weight() as u64 });
    assert_eq!(push(&queue, "e"), (true, false));
    assert_eq!(push(&queue, "f"), (false, true));
}

#[test]
fn bytes_bound_the_queue_too() {
    let weight = EncodedEvent::sample("a").weight() as u64;
    let queue = queue(100, weight * 2);
    assert!(push(&queue, "a").0 && push(&queue, "b").0 && !push(&queue, "c").0);
    assert_eq!(queue.depth(), QueueDepth { events: 2, bytes: weight * 2 });
}

#[test]
fn the_worker_is_woken_by_the_first_event_and_by_a_full_batch_only() {
    let queue = queue(100, u64::MAX >> 24);
    let mut wake_signal = Vec::new();
    for _ in 0..5 {
        push(&queue, "a");
        wake_signal.push(queue.wake_signal().try_recv().is_ok());
    }
    assert_eq!(wake_signal, [true, false, true, false, false]);
}

#[test]
fn a_push_that_is_refused_hides_no_line_from_others() {
    let queue = queue(100, 1);
    assert!(!push(&queue, "too heavy").0);
    assert!(queue.wake_signal().try_recv().is_ok());
    assert_eq!(queue.depth(), QueueDepth::default());
}

#[test]
fn a_purge_empties_everything() {
    let queue = queue(100, u64::MAX >> 24);
    for _ in 0..5 {
        push(&queue, "a");
    }
    assert_eq!(queue.purge(), 5);
    assert_eq!(queue.depth(), QueueDepth::default());
    assert_eq!(queue.len(), 0);
}

#[test]
fn a_caller_that_may_wait_gets_room_or_goes_on() {
    let queue = std::sync::Arc::new(queue(2, u64::MAX >> 24));
    push(&queue, "a");
    push(&queue, "b");
    queue.wait_for_room(Duration::from_millis(1), || true);
    assert!(!push(&queue, "c").0);
    let waiter = {
        let queue = std::sync::Arc::clone(&queue);
        std::thread::spawn(move || {
            queue.wait_for_room(Duration::from_secs(60), || true);
            push(&queue, "d").0
        })
    };
    while queue.waiting.load(Ordering::Acquire) == 0 {
        std::thread::yield_now();
    }
    queue.purge();
    assert!(waiter.join().unwrap());
}
