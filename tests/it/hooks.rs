//! The application's hooks see, change and drop events, and cannot do harm.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use candor::{DynamicEvent, LossReason, Sampling};
use serde_json::json;

use testkit::clients::{LONG, client, config, numbered, numbers};
use testkit::lines;
use testkit::{Reply, Server, eventually};

#[test]
fn a_hook_sees_and_changes_everything_that_would_be_sent() {
    let server = Server::start([]);
    let seen = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&seen);
    let client =
        client(config(&server).group("deployment", "dep_1").super_property("plan", "team").before_send(
            move |mut view| {
                *keep.lock().unwrap() = Some(view.clone());
                view.name = "renamed".to_owned();
                view.properties.remove("plan");
                view.properties.remove("$lib_version");
                view.properties.insert("added".to_owned(), json!([1, null]));
                Some(view)
            },
        ));
    client.capture(numbered(1));
    assert!(client.shutdown(LONG).unwrap().is_complete());
    let view = seen.lock().unwrap().take().unwrap();
    assert_eq!((view.name.as_str(), view.distinct_id.as_str()), ("counted", "node-7"));
    assert_eq!(view.groups().collect::<Vec<_>>(), [("deployment", "dep_1")]);
    assert_eq!((&view.properties["plan"], &view.properties["$is_server"]), (&json!("team"), &json!(true)));

    let event = &server.events()[0];
    assert_eq!(event["event"], "renamed");
    let properties = event["properties"].as_object().unwrap();
    assert_eq!(properties["added"], json!([1, null]));
    assert_eq!(properties["$groups"], json!({"deployment": "dep_1"}));
    assert!(properties.contains_key("$lib") && properties.contains_key("n"));
    assert!(!properties.contains_key("plan") && !properties.contains_key("$lib_version"));
}

#[test]
fn hooks_run_in_order_and_the_first_refusal_is_final() {
    let server = Server::start([]);
    let order = Arc::new(Mutex::new(String::new()));
    let (first, second) = (Arc::clone(&order), Arc::clone(&order));
    let client = client(
        config(&server)
            .before_send(move |view| {
                first.lock().unwrap().push('a');
                (view.properties["n"] != 2).then_some(view)
            })
            .before_send(move |view| {
                second.lock().unwrap().push('b');
                Some(view)
            }),
    );
    for n in 1..=3 {
        client.capture(numbered(n));
    }
    client.shutdown(LONG).unwrap();
    assert_eq!(*order.lock().unwrap(), "abaab");
    assert_eq!(numbers(&server.events()), [1, 3]);
    assert_eq!(client.stats().lost(LossReason::DroppedByHook), 1);
}

#[test]
fn a_hook_that_panics_drops_the_event_and_is_logged_once() {
    lines::listen();
    let server = Server::start([]);
    let client = client(config(&server).before_send(|view| {
        assert!(view.properties["n"].as_u64().unwrap() % 2 == 0, "the application's own");
        Some(view)
    }));
    for n in 0..6 {
        client.capture(numbered(n));
    }
    client.shutdown(LONG).unwrap();
    assert_eq!(numbers(&server.events()), [0, 2, 4]);
    assert_eq!(client.stats().lost(LossReason::HookPanicked), 3);
    assert_eq!(lines::warnings_here().iter().filter(|text| text.contains("hook panicked")).count(), 1);
}

#[test]
fn a_hook_may_itself_capture() {
    let server = Server::start([]);
    let own = Arc::new(std::sync::OnceLock::<candor::Client>::new());
    let hook = Arc::clone(&own);
    let client = client(config(&server).before_send(move |view| {
        if view.name == "outer" {
            hook.get().unwrap().capture(DynamicEvent::new("inner", "node-7"));
        }
        Some(view)
    }));
    own.set(client.clone()).ok().unwrap();
    client.capture(DynamicEvent::new("outer", "node-7"));
    client.shutdown(LONG).unwrap();
    let names: Vec<_> = server.events().iter().map(|event| event["event"].to_string()).collect();
    assert_eq!(names, ["\"inner\"", "\"outer\""]);
}

#[test]
fn on_error_reports_a_refusal_once() {
    let server = Server::start([Reply::status(403).body("no\nentry")]);
    let told = Arc::new(Mutex::new(Vec::new()));
    let hook = Arc::clone(&told);
    let client = client(config(&server).on_error(move |error| hook.lock().unwrap().push(error.clone())));
    client.capture(numbered(1));
    client.capture(numbered(2));
    client.flush(LONG).unwrap();
    let told = told.lock().unwrap();
    let [error] = &told[..] else { panic!("{told:?}") };
    assert_eq!((error.reason, error.status, error.events.len()), (LossReason::Rejected, Some(403), 2));
    assert_eq!(error.to_string(), "2 events lost: rejected, status 403, no entry");
    let mut one = error.clone();
    one.count = 1;
    assert!(one.to_string().starts_with("1 event lost: "), "{one}");
}

#[test]
fn on_error_reports_events_lost_to_a_shutdown_or_a_withdrawal() {
    for is_withdrawn in [false, true] {
        let server = Server::always(Reply::status(503));
        let told = Arc::new(Mutex::new(Vec::new()));
        let hook = Arc::clone(&told);
        let config = config(&server).flush_at(2).retry_delays(LONG, LONG);
        let client = client(config.on_error(move |error| hook.lock().unwrap().push(error.clone())));
        client.capture(numbered(1));
        client.capture(numbered(2));
        eventually("the batch waits for its retry", || client.status().last_send.is_some());
        client.capture(numbered(3));
        let reason = if is_withdrawn {
            // There is no directory to store the refusal in, but it still applies to this process.
            client.opt_out().unwrap_err();
            LossReason::ConsentWithdrawn
        } else {
            client.shutdown(Duration::ZERO).unwrap();
            LossReason::ShuttingDown
        };
        let named = || told.lock().unwrap().iter().map(|error| error.events.len()).sum::<usize>();
        eventually("the hook is told of the batch", || named() == 2);
        if !is_withdrawn {
            // The third event has no id yet. The withdrawal may find it before the worker does.
            let counted = || told.lock().unwrap().iter().map(|error| error.count).sum::<u64>();
            eventually("the hook is told of the queue", || counted() == 3);
        }
        assert!(told.lock().unwrap().iter().all(|error| error.reason == reason));
        eventually("all are counted", || client.stats().lost(reason) == 3);
    }
}

#[test]
fn an_on_error_hook_that_panics_does_not_stop_the_worker() {
    let server = Server::start([Reply::status(403)]);
    let client = client(config(&server).on_error(|_| panic!("the application's own")));
    client.capture(numbered(1));
    client.flush(LONG).unwrap();
    client.capture(numbered(2));
    client.shutdown(LONG).unwrap();
    let stats = client.stats();
    assert_eq!((stats.sent, stats.lost(LossReason::Rejected), stats.lost_total()), (1, 1, 1), "{stats}");
}

#[test]
fn sampling_runs_before_the_hooks_and_is_counted() {
    let server = Server::start([]);
    let calls = Arc::new(AtomicUsize::new(0));
    let hook = Arc::clone(&calls);
    let client = client(config(&server).sample(Sampling::evenly(0.5)).before_send(move |view| {
        hook.fetch_add(1, Ordering::Relaxed);
        Some(view)
    }));
    for n in 0..100 {
        client.capture(numbered(n));
    }
    client.shutdown(LONG).unwrap();
    let stats = client.stats();
    assert_eq!(stats.sent + stats.lost(LossReason::SampledOut), 100);
    assert!((45..=55).contains(&stats.sent), "{stats}");
    assert_eq!(calls.load(Ordering::Relaxed) as u64, stats.sent);
}
