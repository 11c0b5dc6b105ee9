//! The ids and properties of a request reach each of its events, and stay on its thread or task.

use candor::testing::capture;
use candor::{Context, DynamicEvent, LossReason, Protocol, event};
use serde_json::json;

use testkit::clients::{LONG, client, config, numbered, taking_server};

#[test]
fn an_event_takes_missing_values_from_its_context() {
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
fn what_a_context_cannot_hold_is_left_out_and_counted() {
    let server = taking_server();
    let client = client(config(&server));
    let full =
        (0..52).fold(Context::new().distinct_id("user_1"), |context, n| context.property(format!("p{n}"), n));
    let full = (0..51).fold(full, |context, n| context.group(format!("g{n}"), "key"));
    client.capture_in(&full, DynamicEvent::in_context("viewed"));
    client.capture_in(&Context::new().distinct_id("user_1"), DynamicEvent::in_context("viewed"));
    client.shutdown(LONG).unwrap();
    let properties = &server.events()[0]["properties"];
    assert_eq!((&properties["p49"], &properties["p50"]), (&json!(49), &json!(null)));
    assert_eq!(properties["$groups"].as_object().unwrap().len(), 50);
    let stats = client.stats();
    assert_eq!((stats.sent, stats.fields_dropped), (2, 3), "{stats}");
}

#[test]
fn an_inner_context_overrides_the_outer_until_its_guard_is_dropped() {
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
fn guards_can_be_dropped_in_any_order() {
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
fn a_context_is_active_only_on_its_thread() {
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
fn a_context_without_an_id_gives_its_events_one_random_id_and_no_person() {
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
fn a_personless_context_still_sends_events_about_a_person() {
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

#[cfg(feature = "derive")]
mod typed {
    use candor::{Catalogue, Event};

    use super::*;

    /// A page was viewed.
    #[derive(Event)]
    #[event(name = "page viewed", distinct_id = context)]
    struct PageViewed {
        /// How many items it showed.
        items: u32,
    }

    /// An order was placed.
    #[derive(Event)]
    #[event(name = "order placed")]
    struct OrderPlaced<'a> {
        /// Who ordered.
        #[event(distinct_id, property, hashed = "usr")]
        ordered_by: Option<&'a str>,
    }

    const CATALOGUE: Catalogue = candor::events![PageViewed, OrderPlaced].product("Shop");
    const HASHED: &str = "usr_-CHh8_rdIqAotcBsP64GKQkfzW2hb1JDJ_6u7q4zom4";

    #[test]
    fn a_typed_event_takes_the_id_of_its_context() {
        let events = capture(|| {
            let _request = Context::new().distinct_id("user_1").enter();
            candor::capture(PageViewed { items: 3 });
            candor::capture(OrderPlaced { ordered_by: None });
            candor::capture(OrderPlaced { ordered_by: Some("usr_123") });
        });
        let ids: Vec<_> = events.iter().map(|event| &*event.distinct_id).collect();
        assert_eq!(ids, ["user_1", "user_1", HASHED]);
        let ordered_by: Vec<_> = events.iter().map(|event| event.properties.get("ordered_by")).collect();
        assert_eq!(ordered_by, [None, None, Some(&json!(HASHED))], "an absent id is no property either");
    }

    #[test]
    fn without_a_context_a_typed_event_without_an_id_is_dropped_and_counted() {
        let server = taking_server();
        let client = client(config(&server));
        client.capture(PageViewed { items: 3 });
        client.capture(OrderPlaced { ordered_by: None });
        client.shutdown(LONG).unwrap();
        assert_eq!(client.stats().lost(LossReason::EmptyDistinctId), 2);
        assert!(server.events().is_empty());
    }

    #[test]
    fn strict_mode_admits_the_id_of_a_context_if_the_catalogue_shows_it() {
        let server = taking_server();
        let client = client(config(&server).catalogue(CATALOGUE).strict());
        let context = Context::new().distinct_id("user_1");
        client.capture_in(&context, PageViewed { items: 3 });
        client.capture_in(&context, OrderPlaced { ordered_by: None });
        client.shutdown(LONG).unwrap();
        let ids: Vec<_> = server.events().iter().map(|event| event["distinct_id"].clone()).collect();
        assert_eq!(ids, ["user_1", "user_1"]);
    }

    #[test]
    fn page_notice_and_schema_say_that_the_id_of_the_context_is_sent_as_it_is() {
        let page = CATALOGUE.markdown();
        let of_context = "the id that the program sets for the request, at most 200 characters |";
        assert!(page.contains(&format!("| `distinct_id` | {of_context}")), "{page}");
        assert!(page.contains(&format!("| or `distinct_id` | {of_context}")), "{page}");
        assert_eq!(page.matches("**sent as it is**: the program chooses the id").count(), 2, "{page}");
        assert!(CATALOGUE.notice().contains("Some values are sent as they are"));
        let schema = |name| serde_json::from_str::<serde_json::Value>(&CATALOGUE.event_schema(name).unwrap());
        let always = schema("page viewed").unwrap();
        assert_eq!(always["properties"]["distinct_id"]["maxLength"], 200);
        let either = schema("order placed").unwrap();
        assert_eq!(either["properties"]["distinct_id"]["anyOf"][1]["maxLength"], 200);
        assert_eq!(either["properties"]["properties"]["required"], json!([]));
    }
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
    fn the_inner_context_of_thread_and_task_wins() {
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

    use candor::tower::ContextLayer;
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
        handle_in(&ContextLayer::new(), headers)
    }

    fn handle_in(layer: &ContextLayer, headers: &[(&str, &str)]) -> candor::testing::CapturedEvent {
        let events = capture(|| {
            let mut request = Request::builder();
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            let call = layer.layer(Handler).call(request.body(()).unwrap());
            assert!(tasks::poll(pin!(call)).is_ready());
        });
        assert_eq!(events.len(), 1);
        events[0].clone()
    }

    #[test]
    fn the_ids_of_a_request_reach_the_events_of_its_handler() {
        let event = handle(&[("X-PostHog-Distinct-Id", " user_1\t"), ("X-PostHog-Session-Id", "s-1")]);
        assert_eq!((&*event.distinct_id, &event.properties["$session_id"]), ("user_1", &json!("s-1")));
    }

    #[test]
    fn the_headers_can_have_other_names_in_any_case() {
        let layer = ContextLayer::headers("X-Account", "");
        let sent = [("x-account", "user_1"), ("X-PostHog-Session-Id", "s-1")];
        let event = handle_in(&layer, &sent);
        assert_eq!((&*event.distinct_id, event.properties.get("$session_id")), ("user_1", None));
    }

    #[test]
    fn a_function_creates_the_context_from_the_request_head() {
        let layer = ContextLayer::from_request(|request| {
            let agent = request.headers.get("user-agent").and_then(|agent| agent.to_str().ok());
            Context::new().distinct_id("user_1").property("agent", agent).property("path", request.uri.path())
        });
        let event = handle_in(&layer, &[("User-Agent", "curl"), ("X-PostHog-Distinct-Id", "forged")]);
        assert_eq!(event.distinct_id, "user_1");
        assert_eq!((&event.properties["agent"], &event.properties["path"]), (&json!("curl"), &json!("/")));
    }

    #[test]
    fn a_panic_in_the_context_function_does_not_fail_the_request() {
        let layer = ContextLayer::from_request(|_| panic!("in the application's own function"));
        let event = handle_in(&layer, &[("X-PostHog-Distinct-Id", "user_1")]);
        assert_eq!(event.properties["$process_person_profile"], false);
    }

    #[test]
    fn blank_long_or_missing_id_headers_give_a_random_id_without_a_person() {
        let long = "x".repeat(201);
        for headers in [&[][..], &[("X-PostHog-Distinct-Id", " ")], &[("X-PostHog-Distinct-Id", &*long)]] {
            let event = handle(headers);
            assert_eq!(event.distinct_id.len(), 36);
            assert_eq!(event.properties["$process_person_profile"], false);
            assert_eq!(event.properties.get("$session_id"), None);
        }
    }
}

#[cfg(all(feature = "tower", feature = "derive"))]
mod axum_server {
    use axum::body::Body;
    use axum::routing::get;
    use candor::Event;
    use candor::tower::ContextLayer;
    use http::Request;
    use tower_service::Service;

    use super::*;

    /// An order was placed.
    #[derive(Event)]
    #[event(name = "order placed", distinct_id = context)]
    struct OrderPlaced {
        items: u32,
    }

    async fn order() -> &'static str {
        // The context follows the handler over each await.
        tokio::task::yield_now().await;
        candor::capture(OrderPlaced { items: 3 });
        "thank you"
    }

    #[test]
    fn a_typed_event_in_a_handler_takes_the_id_of_the_request() {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let mut server = axum::Router::<()>::new().route("/order", get(order)).layer(ContextLayer::new());
        let events = capture(|| {
            runtime.block_on(async {
                let ask = |id: &str| {
                    let request = Request::get("/order").header("X-PostHog-Distinct-Id", id);
                    request.body(Body::empty()).expect("a request")
                };
                let (one, two) = (server.call(ask("user_1")), server.call(ask("user_2")));
                let (one, two) = tokio::join!(one, two);
                assert!(one.unwrap().status().is_success() && two.unwrap().status().is_success());
            });
        });
        let mut ids: Vec<_> = events.iter().map(|event| &*event.distinct_id).collect();
        ids.sort_unstable();
        assert_eq!(ids, ["user_1", "user_2"]);
        assert!(events.iter().all(|event| event.properties["items"] == 3));
    }
}
