//! AI events on their own route, batches of events, and imports.

use std::time::Duration;

use candor::{Compression, DynamicEvent, LossReason, Protocol};
use serde_json::json;

use testkit::clients::{LONG, client, config, numbered, numbers, taking_server};
use testkit::lines;
use testkit::{Reply, Server, eventually};

fn generation(n: usize) -> DynamicEvent {
    DynamicEvent::new("$ai_generation", "user_1").property("n", n)
}

#[test]
fn capture_ai_uses_its_own_route_in_the_v0_form_with_either_protocol() {
    for protocol in [Protocol::V0, Protocol::V1] {
        let server = taking_server();
        let client = client(config(&server).api_key("phc_test").protocol(protocol));
        client.capture_ai(generation(1));
        client.capture(generation(2));
        let flushed = client.flush(LONG).unwrap();
        assert_eq!((flushed.delivered, flushed.waiting), (2, 0));
        let requests = server.requests();
        let of_path = |path: &str| requests.iter().find(|request| request.target == path).unwrap().json();
        let ai = of_path("/i/v0/ai/batch/");
        assert_eq!(ai["api_key"], "phc_test");
        assert_eq!(numbers(ai["batch"].as_array().unwrap()), [1]);
        assert_eq!(ai["batch"][0]["properties"]["$lib"], "candor");
        let path = if protocol == Protocol::V0 { "/batch/" } else { "/i/v1/analytics/events" };
        assert_eq!(numbers(of_path(path)["batch"].as_array().unwrap()), [2], "never rerouted by name");
    }
}

#[test]
fn an_ai_event_may_have_8_mib_but_another_may_not() {
    lines::listen();
    let server = taking_server();
    let client = client(config(&server));
    let large = |n| generation(n).property("$ai_input", "x".repeat(7 << 20));
    client.capture(large(1));
    client.capture_ai(large(2));
    client.capture_ai(DynamicEvent::new("$ai_huge", "user_1").property("$ai_input", "x".repeat(8 << 20)));
    client.shutdown(LONG).unwrap();
    assert_eq!(numbers(&server.events()), [2]);
    assert_eq!(client.stats().lost(LossReason::TooLarge), 2);
    let told =
        |line: &lines::Line| line.text.contains("\"$ai_huge\" is too large: 8388") && line.text.len() < 100;
    assert!(lines::all().iter().any(told), "name and size, and no content");
}

#[test]
fn ai_events_do_not_delay_others() {
    let server = Server::always(Reply::judged(|request| {
        if request.target.contains("/ai/") { Reply::ok().held() } else { Reply::ok() }
    }));
    let client = client(config(&server).flush_at(1));
    client.capture_ai(generation(1));
    server.wait_for(1);
    client.capture(numbered(2));
    eventually("the other event to be delivered", || client.stats().sent == 1);
    server.release();
    client.shutdown(LONG).unwrap();
    assert_eq!(client.stats().sent, 2);
}

#[test]
fn a_codec_that_the_ai_route_does_not_support_becomes_gzip() {
    let server = taking_server();
    let client = client(config(&server).protocol(Protocol::V1).compression(Compression::Deflate));
    client.capture_ai(generation(1));
    client.capture(numbered(2));
    client.shutdown(LONG).unwrap();
    let mut codecs: Vec<_> = server
        .requests()
        .iter()
        .map(|request| (request.target.clone(), request.header("content-encoding").map(str::to_owned)))
        .collect();
    codecs.sort();
    let wanted = [("/i/v0/ai/batch/", "gzip"), ("/i/v1/analytics/events", "deflate")];
    assert_eq!(codecs, wanted.map(|(path, codec)| (path.to_owned(), Some(codec.to_owned()))));
}

#[test]
fn withdrawing_consent_ends_the_ai_route_too() {
    let server = Server::always(Reply::ok().held());
    let client = client(config(&server));
    client.capture_ai(generation(1));
    // The refusal cannot be stored, but it still applies.
    let _ = client.opt_out();
    client.capture_ai(generation(2));
    let stats = client.stats();
    assert_eq!((stats.captured, stats.sent, stats.queued), (1, 0, 0), "{stats}");
    assert_eq!(stats.lost(LossReason::ConsentWithdrawn), 1);
}

#[test]
fn a_disabled_client_creates_no_ai_route() {
    let client = candor::Client::disabled();
    client.capture_ai(generation(1));
    assert_eq!(client.capture_batch([numbered(1)], LONG), 0);
    assert_eq!(client.stats().captured, 0);
}

#[test]
fn capture_batch_waits_for_room_and_loses_nothing() {
    let server = taking_server();
    let client = client(config(&server).queue_events(10).flush_at(5));
    assert_eq!(client.capture_batch((0..1000).map(numbered), LONG), 1000);
    client.shutdown(LONG).unwrap();
    assert_eq!(numbers(&server.events()), (0..1000).collect::<Vec<_>>());
}

#[test]
fn capture_batch_keeps_its_timeout_and_returns_how_many_were_queued() {
    let server = Server::always(Reply::ok().held());
    let client = client(config(&server).queue_events(10).flush_at(1));
    client.capture(numbered(0));
    server.wait_for(1);
    let invalid = DynamicEvent::new("", "user_1").property("x", json!(1));
    assert_eq!(client.capture_batch([invalid], Duration::ZERO), 0);
    assert_eq!(client.capture_batch((1..=30).map(numbered), Duration::from_millis(1)), 10);
    assert_eq!(client.stats().lost(LossReason::QueueFull), 20);
    server.release();
}

#[test]
fn an_import_is_marked_on_every_request_of_its_client() {
    for protocol in [Protocol::V0, Protocol::V1] {
        let server = taking_server();
        let client = client(config(&server).protocol(protocol).historical_migration(true));
        client.capture_batch([numbered(1)], LONG);
        client.capture_ai(generation(2));
        client.shutdown(LONG).unwrap();
        assert_eq!(server.requests().len(), 2);
        assert!(server.requests().iter().all(|request| request.json()["historical_migration"] == true));
    }
}
