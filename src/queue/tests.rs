//! Tests of the queue: its limits and warnings, what wakes the worker or a waiting caller, and that no event is
//! lost, duplicated or reordered between many threads and one.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use proptest::prelude::*;

use super::*;

const PLENTY: u64 = u64::MAX >> 24;

fn queue(events: u64, bytes: u64) -> Queue {
    Queue::new(Limits { events, bytes, wake_events: 3, wake_bytes: u64::MAX, spill: None })
}

/// Returns whether the event was queued, and whether a rejection was worth a warning.
fn push(queue: &Queue, id: &str) -> (bool, bool) {
    match queue.push(&EncodedEvent::sample(id), 0) {
        Ok(()) => (true, false),
        Err(_) => (false, queue.mark_full()),
    }
}

/// Takes the next event as the worker does, and returns its distinct id.
fn take(queue: &Queue, backlog: &mut Backlog) -> Option<String> {
    take_of(queue, backlog, 0)
}

fn take_of(queue: &Queue, backlog: &mut Backlog, generation: u32) -> Option<String> {
    if backlog.len() == 0 {
        backlog.collect(queue);
    }
    if backlog.is_between_segments() {
        assert_eq!(backlog.skip_stale(queue, generation), QueueDepth::default());
    }
    let event = backlog.next()?;
    queue.release(QueueDepth { events: 1, bytes: event.size() as u64 });
    Some(String::from_utf8(event.distinct_id().to_vec()).unwrap())
}

#[test]
fn the_newest_event_is_dropped_with_one_warning_per_episode() {
    let (queue, mut backlog) = (queue(2, PLENTY), Backlog::default());
    assert_eq!(push(&queue, "a"), (true, false));
    assert_eq!(push(&queue, "b"), (true, false));
    assert_eq!(push(&queue, "c"), (false, true));
    assert_eq!(push(&queue, "d"), (false, false));
    assert_eq!(take(&queue, &mut backlog).as_deref(), Some("a"));
    assert_eq!(push(&queue, "e"), (true, false));
    assert_eq!(push(&queue, "f"), (false, true));
}

#[test]
fn the_queue_is_also_bounded_by_bytes() {
    let size = EncodedEvent::sample("a").size() as u64;
    let queue = queue(100, size * 2);
    assert!(push(&queue, "a").0 && push(&queue, "b").0 && !push(&queue, "c").0);
    assert_eq!(queue.depth(), QueueDepth { events: 2, bytes: size * 2 });
}

#[test]
fn half_of_a_full_queue_leaves_at_once_by_events_or_by_bytes() {
    let size = EncodedEvent::sample("a").size() as u64;
    let filled = |queue: Queue, events: u64| {
        (0..events).for_each(|_| assert!(push(&queue, "a").0));
        queue.over_half()
    };
    assert_eq!([0, 5, 6, 10].map(|events| filled(queue(10, PLENTY), events)), [0, 0, 1, 5]);
    assert_eq!([0, 5, 6, 10].map(|events| filled(queue(100, size * 10), events)), [0, 0, 1, 5]);
    assert_eq!(filled(queue(12, size * 10), 10), 5, "both limits are kept");
}

#[test]
fn only_the_first_event_and_a_full_batch_wake_the_worker() {
    let queue = queue(100, PLENTY);
    let mut wake_signal = Vec::new();
    for _ in 0..5 {
        push(&queue, "a");
        wake_signal.push(queue.wake_signal().try_recv().is_ok());
    }
    assert_eq!(wake_signal, [true, false, true, false, false]);
}

#[test]
fn a_rejected_push_does_not_hide_a_threshold_from_others() {
    let queue = queue(100, 1);
    assert!(!push(&queue, "too heavy").0);
    assert!(queue.wake_signal().try_recv().is_ok());
    assert_eq!(queue.depth(), QueueDepth::default());
}

#[test]
fn a_purge_empties_everything() {
    let queue = queue(100, PLENTY);
    for _ in 0..5 {
        push(&queue, "a");
    }
    assert_eq!(queue.purge(), 5);
    assert_eq!(queue.depth(), QueueDepth::default());
    assert_eq!(take(&queue, &mut Backlog::default()), None);
}

#[test]
fn an_event_of_an_ended_generation_is_rejected() {
    let queue = queue(100, PLENTY);
    let event = EncodedEvent::sample("a");
    assert_eq!(queue.push(&event, 4), Ok(()));
    assert_eq!(queue.push(&event, 8), Ok(()));
    assert_eq!(queue.close_before(8), 1);
    assert_eq!(queue.push(&event, 4), Err(Refused::Closed));
    assert_eq!(queue.depth().events, 1);
    assert_eq!(queue.push(&event, 8), Ok(()));
    // From every thread, whatever its shard.
    thread::scope(|scope| {
        for _ in 0..2 * SHARDS {
            scope.spawn(|| assert_eq!(queue.push(&event, 4), Err(Refused::Closed)));
        }
    });
    assert_eq!(queue.depth().events, 2);
}

#[test]
fn a_segment_of_an_older_generation_is_skipped_entirely() {
    let (queue, mut backlog) = (queue(100, PLENTY), Backlog::default());
    for generation in [4, 4, 8, 4] {
        queue.push(&EncodedEvent::sample("a"), generation).unwrap();
    }
    backlog.collect(&queue);
    assert_eq!(backlog.skip_stale(&queue, 8).events, 2);
    assert!(backlog.next().is_some());
    assert_eq!(backlog.skip_stale(&queue, 8).events, 1);
    assert!(backlog.next().is_none());
    assert_eq!(backlog.len(), 0);
}

#[test]
fn a_step_that_is_undone_returns_the_same_event_again() {
    let (queue, mut backlog) = (queue(100, PLENTY), Backlog::default());
    for id in ["a", "b"] {
        push(&queue, id);
    }
    backlog.collect(&queue);
    for wanted in [b"a", b"b"] {
        assert!(backlog.next().is_some());
        backlog.step_back();
        assert_eq!(backlog.next().unwrap().distinct_id(), wanted);
    }
    assert_eq!(backlog.len(), 0);
    backlog.step_back();
    assert_eq!(backlog.clear(&queue).events, 1);
}

#[test]
fn a_waiting_caller_gets_room_or_continues() {
    let queue = Arc::new(queue(2, PLENTY));
    push(&queue, "a");
    push(&queue, "b");
    queue.wait_for_room(Duration::from_millis(1), || true);
    assert!(!push(&queue, "c").0);
    let waiter = {
        let queue = Arc::clone(&queue);
        std::thread::spawn(move || {
            queue.wait_for_room(Duration::from_secs(60), || true);
            push(&queue, "d").0
        })
    };
    while !queue.is_waited_for() {
        std::thread::yield_now();
    }
    queue.purge();
    assert!(waiter.join().unwrap());
}

#[test]
fn the_memory_of_segments_is_bounded_by_the_byte_limit() {
    // Sizes that fill segments as badly as possible.
    let (limit, large) = (1 << 20, "x".repeat(40_000));
    let (queue, mut backlog) = (queue(u64::MAX >> 25, limit), Backlog::default());
    for round in 0..20 {
        while push(&queue, "s").0 && push(&queue, &large).0 {}
        let allocated = queue.allocated.load(Ordering::Relaxed) as u64;
        assert!(allocated <= 2 * limit, "round {round}: {allocated}");
        while take(&queue, &mut backlog).is_some() {}
    }
    backlog.clear(&queue);
    assert!(queue.allocated.load(Ordering::Relaxed) as u64 <= limit);
    queue.rest();
    assert!(queue.allocated.load(Ordering::Relaxed) <= KEPT_WHEN_IDLE);
}

#[test]
fn one_event_uses_one_small_segment() {
    let queue = queue(100, PLENTY);
    push(&queue, "a");
    assert_eq!(queue.allocated.load(Ordering::Relaxed), shard::FIRST_SEGMENT);
}

#[test]
fn segments_are_reused() {
    let (queue, mut backlog) = (queue(1 << 20, PLENTY), Backlog::default());
    let fill_and_empty = |backlog: &mut Backlog| {
        (0..2000).for_each(|_| assert!(push(&queue, "a").0));
        while take(&queue, backlog).is_some() {}
        backlog.clear(&queue);
        queue.allocated.load(Ordering::Relaxed)
    };
    // The first round grows the segments; later rounds find what they need.
    fill_and_empty(&mut backlog);
    let warm = fill_and_empty(&mut backlog);
    assert_eq!((0..10).map(|_| fill_and_empty(&mut backlog)).collect::<Vec<_>>(), [warm; 10]);
}

/// The next action of a thread or of the worker.
#[derive(Clone, Debug)]
enum Act {
    Push { size: usize },
    Take { events: usize },
    Withdraw,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        12 => prop_oneof![8 => 0_usize..400, 2 => 0_usize..5_000, 1 => 0_usize..100_000]
            .prop_map(|size| Act::Push { size }),
        4 => (0_usize..30).prop_map(|events| Act::Take { events }),
        1 => Just(Act::Withdraw),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_is_lost_duplicated_or_reordered_and_the_limits_hold(
        acts in prop::collection::vec(act(), 0..300),
        events in 1_u64..60,
        bytes in 200_u64..300_000,
    ) {
        let (queue, mut backlog) = (queue(events, bytes), Backlog::default());
        let (mut generation, mut number) = (4, 0_u64);
        let mut wanted = std::collections::VecDeque::new();
        let mut size = 0_u64;
        for act in acts {
            match act {
                Act::Push { size: padding } => {
                    let (id, properties) = (number.to_string(), vec![b'x'; padding]);
                    number += 1;
                    let event = EncodedEvent::sample_of(&id, &properties, None);
                    let taken = event.size() as u64;
                    let fits = (wanted.len() as u64) < events && size + taken <= bytes;
                    // Exactly what fits is accepted.
                    prop_assert_eq!(queue.push(&event, generation), if fits { Ok(()) } else { Err(Refused::Full) });
                    if fits {
                        size += taken;
                        wanted.push_back((id, taken));
                    }
                }
                Act::Take { events } => {
                    for _ in 0..events {
                        let Some(id) = take_of(&queue, &mut backlog, generation) else { break };
                        let (next, bytes) = wanted.pop_front().expect("no event that nobody pushed");
                        prop_assert_eq!(id, next);
                        size -= bytes;
                    }
                }
                Act::Withdraw => {
                    let (ahead, before) = (backlog.clear(&queue), generation);
                    queue.release(ahead);
                    generation += 8;
                    let dropped = ahead.events + queue.close_before(generation);
                    prop_assert_eq!(dropped, wanted.len() as u64);
                    prop_assert_eq!(queue.push(&EncodedEvent::sample("late"), before), Err(Refused::Closed));
                    wanted.clear();
                    size = 0;
                }
            }
            prop_assert_eq!(queue.depth(), QueueDepth { events: wanted.len() as u64, bytes: size });
            prop_assert!(queue.allocated.load(Ordering::Relaxed) as u64 <= 2 * bytes + size);
        }
        for (id, _) in wanted {
            prop_assert_eq!(take_of(&queue, &mut backlog, generation), Some(id));
        }
        prop_assert_eq!(take_of(&queue, &mut backlog, generation), None);
        prop_assert_eq!(queue.depth(), QueueDepth::default());
    }
}

/// Waves of threads that live for a few events each, while one thread takes the events and the queue is closed now
/// and then.
#[test]
fn thousands_of_short_lived_threads_deliver_every_event_once_and_in_order() {
    const WAVES: u64 = 60;
    const THREADS: u64 = 40;
    const EVENTS: u64 = 25;
    // Small enough to be full at times.
    let queue = Queue::new(Limits {
        events: 400,
        bytes: 200_000,
        wake_events: 50,
        wake_bytes: u64::MAX,
        spill: None,
    });
    let (queued, refused) = (AtomicU64::new(0), AtomicU64::new(0));
    let is_over = AtomicBool::new(false);
    let taken = thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let (mut backlog, mut taken) = (Backlog::default(), Vec::new());
            loop {
                // Read before the check: an event pushed before the end is seen after it.
                let was_over = is_over.load(Ordering::Acquire);
                match take(&queue, &mut backlog) {
                    Some(id) => taken.push(id),
                    None if was_over => return taken,
                    None => thread::yield_now(),
                }
            }
        });
        for wave in 0..WAVES {
            thread::scope(|wave_of| {
                for thread in 0..THREADS {
                    let (queue, queued, refused) = (&queue, &queued, &refused);
                    wave_of.spawn(move || {
                        for n in 0..EVENTS {
                            let id = format!("{} {n}", wave * THREADS + thread);
                            let properties =
                                vec![b'x'; usize::try_from(wave * 7 + thread * 31 + n * 13).unwrap() % 700];
                            match queue.push(&EncodedEvent::sample_of(&id, &properties, None), 0) {
                                Ok(()) => queued.fetch_add(1, Ordering::Relaxed),
                                Err(_) => refused.fetch_add(1, Ordering::Relaxed),
                            };
                        }
                    });
                }
            });
        }
        is_over.store(true, Ordering::Release);
        worker.join().unwrap()
    });
    assert_eq!(queued.load(Ordering::Relaxed) + refused.load(Ordering::Relaxed), WAVES * THREADS * EVENTS);
    assert_eq!(taken.len() as u64, queued.load(Ordering::Relaxed));
    let mut last: HashMap<&str, u64> = HashMap::new();
    for id in &taken {
        let (thread, n) = id.split_once(' ').unwrap();
        let n = n.parse().unwrap();
        // Positions only increase: no event came twice or too early.
        assert!(last.insert(thread, n).is_none_or(|before| before < n), "{id}");
    }
    assert_eq!(queue.depth(), QueueDepth::default());
}

#[test]
fn a_withdrawal_during_captures_leaves_nothing_behind() {
    let queue = queue(1 << 20, PLENTY);
    let (queued, dropped) = (AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let event = EncodedEvent::sample("a");
                while queue.push(&event, 4) == Ok(()) {
                    queued.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        while queue.depth().events < 1000 {
            thread::yield_now();
        }
        dropped.store(queue.close_before(8), Ordering::Relaxed);
    });
    assert_eq!(queued.into_inner(), dropped.into_inner());
    assert_eq!(queue.depth(), QueueDepth::default());
    assert_eq!(take(&queue, &mut Backlog::default()), None);
}
