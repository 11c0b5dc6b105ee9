//! Events as an application's own tests see them.

use std::thread;

use candor::testing::{TestClient, capture, capture_async, capture_with, follow, follow_thread};
use candor::{Compression, Config, LossReason, Protocol};

use testkit::clients::numbered;

fn numbers(events: &[candor::testing::CapturedEvent]) -> Vec<u64> {
    events.iter().filter_map(|event| event.properties["n"].as_u64()).collect()
}

#[test]
fn a_test_client_does_not_depend_on_the_machine() {
    for protocol in [Protocol::V0, Protocol::V1] {
        let config = Config::new("app", "1.0").protocol(protocol).compression(Compression::Gzip);
        let test = TestClient::new(
            config.group("team", "t").before_send(|event| (event.properties["n"] != 2).then_some(event)),
        );
        for n in 1..=3 {
            test.client().capture(numbered(n));
        }
        let captured = test.finish();
        assert_eq!(numbers(&captured), [1, 3]);
        assert_eq!(captured[0].properties["$groups"]["team"], "t");
        assert!(!captured.is_complete());
        assert_eq!(captured.losses().collect::<Vec<_>>(), [(LossReason::DroppedByHook, 1)]);
        assert_eq!((captured.stats.sent, captured.stats.requests), (2, 1));
    }
}

#[test]
fn a_thread_that_follows_is_captured_but_another_is_not() {
    let events = capture(|| {
        let other = thread::spawn(|| candor::event!("counted", distinct_id = "id", n = 1));
        let follower = thread::spawn(follow_thread(|| candor::event!("counted", distinct_id = "id", n = 2)));
        other.join().unwrap();
        follower.join().unwrap();
        candor::event!("counted", distinct_id = "id", n = 3);
    });
    assert_eq!(numbers(&events), [2, 3]);
    assert!(events.is_complete());
}

#[test]
fn a_nested_capture_has_its_own_events_and_a_panic_ends_it() {
    let outer = capture(|| {
        let inner = capture(|| candor::event!("counted", distinct_id = "id", n = 1));
        assert_eq!(numbers(&inner), [1]);
        let panicked = thread::spawn(|| {
            let _ = std::panic::catch_unwind(|| drop(capture(|| panic!("the test's own"))));
            candor::event!("counted", distinct_id = "id", n = 2);
        });
        panicked.join().unwrap();
        candor::event!("counted", distinct_id = "id", n = 3);
    });
    assert_eq!(numbers(&outer), [3]);
}

#[test]
fn tasks_on_the_same_thread_are_followed() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let events = runtime.block_on(capture_async(async {
        candor::event!("counted", distinct_id = "id", n = 1);
        let task = tokio::spawn(async {
            tokio::task::yield_now().await;
            candor::event!("counted", distinct_id = "id", n = 2);
        });
        let blocking = follow_thread(|| candor::event!("counted", distinct_id = "id", n = 3));
        task.await.unwrap();
        tokio::task::spawn_blocking(blocking).await.unwrap();
    }));
    // Events of different threads have no fixed order.
    let mut captured = numbers(&events);
    captured.sort_unstable();
    assert_eq!(captured, [1, 2, 3]);
    // Afterwards the thread has no substitute.
    candor::event!("counted", distinct_id = "id", n = 4);
    assert_eq!(events.len(), 3);
}

#[test]
fn a_task_on_another_thread_is_captured_if_it_follows() {
    // Two runtimes with one thread each: a task that one spawns on the other never runs on the capture's thread.
    let elsewhere = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let (sender, tasks) = std::sync::mpsc::channel::<std::pin::Pin<Box<dyn Future<Output = ()> + Send>>>();
    let worker = thread::spawn(move || tasks.into_iter().for_each(|task| elsewhere.block_on(task)));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let events = runtime.block_on(capture_async(async {
        let task = |n: u32| async move {
            tokio::task::yield_now().await;
            candor::event!("counted", distinct_id = "id", n = n);
        };
        sender.send(Box::pin(task(1))).unwrap();
        sender.send(Box::pin(follow(task(2)))).unwrap();
        drop(sender);
        worker.join().unwrap();
    }));
    assert_eq!(numbers(&events), [2]);
}

#[test]
fn losses_are_in_the_result_with_their_reasons() {
    let events = capture_with(Config::new("app", "1.0").dynamic_properties(["kept"]), || {
        candor::event!("named", distinct_id = "id", kept = 1, left_out = 2);
        candor::event!("unnamed", distinct_id = "");
    });
    assert_eq!((events.len(), events.stats.fields_dropped), (1, 1));
    assert_eq!(events.losses().collect::<Vec<_>>(), [(LossReason::EmptyDistinctId, 1)]);
    assert!(format!("{events:?}").contains("lost: {EmptyDistinctId: 1}"), "{events:?}");
}
