//! A request's ids and properties reach each event, and stay with their thread or task.

use candor::testing::capture;
use candor::{Context, DynamicEvent, LossReason, Protocol, event};
use serde_json::json;

use crate::common::{LONG, client, config, numbered, taking_server};

#[test]
fn an_event_takes_from_its_context_what_it_does_not_say_itself() {
    let server = taking_server();
    let client = client(config(&server).group("deployment", "dep_1").super_property("region", "eu"));
    let context = Context::new()
        .distinct_id("user_1")
        .session_id("s-1")
        .property("region", "us")
        .property("route", "/orders")
        .group("deployment", "dep_2")
        .group("company", "acme");
    client.capture_in(&context, DynamicEvent::in_context("viewed"));
    let own = DynamicEvent::new("viewed", "user_2").property("route", "/").session_id("s-2");
    client.capture_in(&context, own.group("company", "globex"));
    client.capture(numbered(1));
    client.shutdown(LONG).unwrap();
    let events = server.events();
    assert_eq!(events[0]["distinct_id"], "user_1");
    let properties = &events[0]["properties"];
    assert_eq!((&properties["region"], &properties["route"]), (&json!("us"), &json!("/orders")));
    assert_eq!(properties["$session_id"], "s-1");
    assert_eq!(properties["$groups"], json!({ "deployment": "dep_2", "company": "acme" }));
    assert_eq!(events[1]["distinct_id"], "user_2");
    let properties = &events[1]["properties"];
    assert_eq!((&properties["route"], &properties["$session_id"]), (&json!("/"), &json!("s-2")));
    assert_eq!(properties["$groups"], json!({ "deployment": "dep_2", "company": "globex" }));
    assert_eq!(events[2]["properties"]["region"], "eu", "the context was over");
    assert_eq!(events[2]["properties"]["$groups"], json!({ "deployment": "dep_1" }));
}

#[test]
fn an_inner_context_lies_on_top_of_the_outer_and_goes_with_its_guard() {
    let events = capture(|| {
        let outer = Context::new().distinct_id("user_1").property("a", 1).property("b", 1);
        let guard = outer.enter();
        Context::new().property("b", 2).run(|| event!("inner"));
        event!("outer", c = 3);
        drop(guard);
        event!("after");
    });
    let shown: Vec<_> = events.iter().map(|event| (&*event.name, &event.properties)).collect();
    assert_eq!(shown.len(), 2, "the last has nobody to be about: {shown:?}");
    assert_eq!((&shown[0].1["a"], &shown[0].1["b"]), (&json!(1), &json!(2)));
    assert_eq!((&shown[1].1["b"], &shown[1].1["c"]), (&json!(1), &json!(3)));
}

#[test]
fn guards_may_go_in_any_order() {
    let events = capture(|| {
        let first = Context::new().distinct_id("first").enter();
        let second = Context::new().distinct_id("second").enter();
        drop(first);
        event!("a");
        drop(second);
        event!("b", distinct_id = "own");
    });
    let ids: Vec<_> = events.iter().map(|event| &*event.distinct_id).collect();
    assert_eq!(ids, ["second", "own"]);
}

#[test]
fn a_context_is_in_force_on_its_thread_only() {
    let server = taking_server();
    let client = client(config(&server));
    let _guard = Context::new().distinct_id("user_1").enter();
    std::thread::scope(|scope| {
        scope.spawn(|| client.capture(DynamicEvent::in_context("elsewhere")));
    });
    client.capture(DynamicEvent::in_context("here"));
    client.shutdown(LONG).unwrap();
    assert_eq!(server.events().len(), 1);
    assert_eq!(server.events()[0]["event"], "here");
    assert_eq!(client.stats().lost(LossReason::EmptyDistinctId), 1);
}

#[test]
fn a_context_about_nobody_gives_its_events_one_random_id_without_a_person() {
    let events = capture(|| {
        for _ in 0..2 {
            Context::new().run(|| {
                event!("a");
                event!("b");
            });
        }
    });
    let ids: Vec<_> = events.iter().map(|event| &*event.distinct_id).collect();
    assert!(ids[0] == ids[1] && ids[2] == ids[3] && ids[0] != ids[2], "{ids:?}");
    assert!(events.iter().all(|event| event.properties["$process_person_profile"] == false));
}

#[test]
fn a_personless_context_does_not_silence_what_is_about_a_person() {
    for protocol in [Protocol::V0, Protocol::V1] {
        let server = taking_server();
        let client = client(config(&server).protocol(protocol));
        Context::new().distinct_id("user_1").personless().run(|| {
            client.identify("user_1", ());
            client.capture(DynamicEvent::in_context("viewed"));
        });
        client.shutdown(LONG).unwrap();
        let text = server.events().iter().map(ToString::to_string).collect::<Vec<_>>();
        let is_personless: Vec<_> = text.iter().map(|text| text.contains("process_person_profile")).collect();
        assert_eq!(is_personless, [false, true], "{text:?}");
    }
}

#[test]
fn a_shared_or_blank_id_of_a_context_is_treated_as_an_events_own() {
    let server = taking_server();
    let client = client(config(&server));
    client.capture_in(&Context::new().distinct_id(" "), DynamicEvent::in_context("a"));
    client.capture_in(&Context::new().distinct_id("null"), DynamicEvent::in_context("$identify"));
    client.capture_in(&Context::new().distinct_id("null"), DynamicEvent::in_context("b"));
    client.shutdown(LONG).unwrap();
    let stats = client.stats();
    assert_eq!(stats.lost(LossReason::EmptyDistinctId), 1);
    assert_eq!(stats.lost(LossReason::SharedDistinctId), 1);
    assert_eq!(server.events()[0]["properties"]["$process_person_profile"], false);
}

#[test]
fn a_distinct_id_is_found_anywhere_in_the_macro() {
    let events = capture(|| event!("a", n = 1, distinct_id = "user_1", timestamp = std::time::UNIX_EPOCH));
    assert_eq!(events[0].distinct_id, "user_1");
    assert_eq!(events[0].properties.get("distinct_id"), None);
}

#[cfg(feature = "tokio")]
mod tasks {
    use std::future::poll_fn;
    use std::pin::{Pin, pin};
    use std::task::{Context as Waking, Poll, Waker};

    use super::*;

    /// Yields to the executor once.
    async fn pause() {
        let mut is_first = true;
        poll_fn(|_| if std::mem::take(&mut is_first) { Poll::Pending } else { Poll::Ready(()) }).await;
    }

    pub(super) fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Waking::from_waker(Waker::noop()))
    }

    #[test]
    fn a_context_follows_its_task_and_no_other() {
        let work = |id: &'static str| {
            Context::new().distinct_id(id).in_task(async {
                event!("before");
                pause().await;
                event!("after");
            })
        };
        let events = capture(|| {
            let (mut one, mut two) = (pin!(work("one")), pin!(work("two")));
            assert!(poll(one.as_mut()).is_pending());
            event!("between", distinct_id = "none");
            assert!(poll(two.as_mut()).is_pending());
            assert!(poll(one.as_mut()).is_ready());
            assert!(poll(two.as_mut()).is_ready());
        });
        let ids: Vec<_> = events.iter().map(|event| &*event.distinct_id).collect();
        assert_eq!(ids, ["one", "none", "two", "one", "two"]);
    }

    #[test]
    fn of_thread_and_task_the_inner_one_wins() {
        let events = capture(|| {
            Context::new().distinct_id("thread").property("a", 1).run(|| {
                let mut task = pin!(Context::new().distinct_id("task").in_task(async {
                    event!("in the task");
                    Context::new().distinct_id("inner").run(|| event!("inside"));
                }));
                assert!(poll(task.as_mut()).is_ready());
            });
        });
        let ids: Vec<_> = events.iter().map(|event| &*event.distinct_id).collect();
        assert_eq!(ids, ["task", "inner"]);
        assert!(events.iter().all(|event| event.properties["a"] == 1));
    }
}

#[cfg(feature = "tower")]
mod layers {
    use std::convert::Infallible;
    use std::future::{Ready, ready};
    use std::pin::pin;
    use std::task::{Context as Waking, Poll};

    use candor::ContextLayer;
    use http::Request;
    use tower_layer::Layer;
    use tower_service::Service;

    use super::*;

    struct Handler;

    impl Service<Request<()>> for Handler {
        type Response = ();
        type Error = Infallible;
        type Future = Ready<Result<(), Infallible>>;

        fn poll_ready(&mut self, _: &mut Waking<'_>) -> Poll<Result<(), Infallible>> {
            Poll::Ready(Ok(()))
        }

        fn call(&mut self, _: Request<()>) -> Self::Future {
            event!("handled");
            ready(Ok(()))
        }
    }

    fn handle(headers: &[(&str, &str)]) -> candor::testing::CapturedEvent {
        let mut events = capture(|| {
            let mut request = Request::builder();
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let call = ContextLayer::new().layer(Handler).call(request.body(()).unwrap());
            assert!(tasks::poll(pin!(call)).is_ready());
        });
        assert_eq!(events.len(), 1);
        events.remove(0)
    }

    #[test]
    fn the_ids_of_a_request_reach_the_events_of_its_handler() {
        let event = handle(&[("X-PostHog-Distinct-Id", " user_1\t"), ("X-PostHog-Session-Id", "s-1")]);
        assert_eq!((&*event.distinct_id, &event.properties["$session_id"]), ("user_1", &json!("s-1")));
    }

    #[test]
    fn headers_that_are_blank_long_or_missing_make_a_visitor_without_a_person() {
        let long = "x".repeat(201);
        for headers in [&[][..], &[("X-PostHog-Distinct-Id", " ")], &[("X-PostHog-Distinct-Id", &*long)]] {
            let event = handle(headers);
            assert_eq!(event.distinct_id.len(), 36);
            assert_eq!(event.properties["$process_person_profile"], false);
            assert_eq!(event.properties.get("$session_id"), None);
        }
    }
}
