//! Temporary failures are retried with the same batch; permanent ones are not.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use candor::testing::MemoryTransport;
use candor::transport::{SendError, Transport};
use candor::{DeliveryError, DynamicEvent, LossReason};
use serde_json::Value;

use testkit::clients::{LONG, client, config, config_for, numbered, numbers};
use testkit::lines;
use testkit::{Received, Reply, Server};

/// Sends three events to a server whose first reply is this: all of them arrive with the second request.
#[track_caller]
fn is_tried_again(what: &str, reply: Reply) {
    let server = Server::start([reply]);
    let client = client(config(&server).request_timeout(Duration::from_millis(400)));
    for n in 0..3 {
        client.capture(numbered(n));
    }
    let flushed = client.shutdown(LONG).unwrap();
    assert!(flushed.is_complete(), "{what}: {flushed:?}");
    let requests = server.requests();
    let last = requests.last().unwrap();
    assert_eq!(numbers(&last.events()), [0, 1, 2], "{what}");
    assert_eq!(client.stats().requests, 2, "{what}");
    assert_eq!(client.stats().retried, 3, "{what}");
    if let [first, second] = &requests[..] {
        // The ids, times and order are the same; only the time of sending differs.
        let batch = |received: &Received| received.json()["batch"].clone();
        assert_eq!(batch(first), batch(second), "{what}");
    }
}

#[test]
fn temporary_statuses_are_retried() {
    for status in [408, 429, 500, 502, 503, 504, 599] {
        is_tried_again(&status.to_string(), Reply::status(status));
    }
}

#[test]
fn broken_connections_are_retried() {
    is_tried_again("reset before the body", Reply::reset_before_body());
    is_tried_again("reset after the body", Reply::reset_after_body());
    is_tried_again("garbage", Reply::garbage());
}

#[test]
fn an_answer_that_cannot_be_parsed_is_not_retried_for_a_day() {
    lines::listen();
    let padding = "y".repeat(200_000);
    let beyond_the_limit = &padding[..17_000];
    let fields = "x: y\r\n".repeat(300);
    for (what, answer) in [
        ("100 with fields", "HTTP/1.1 100 Continue\r\nServer: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n".to_owned()),
        ("large head", format!("HTTP/1.1 200 OK\r\nx: {beyond_the_limit}\r\n\r\n")),
        ("larger head", format!("HTTP/1.1 200 OK\r\nx: {padding}\r\n\r\n")),
        ("many fields", format!("HTTP/1.1 200 OK\r\n{fields}\r\n")),
        ("no HTTP", "SSH-2.0-OpenSSH_9.6\r\n".to_owned()),
    ] {
        let server = Server::always(Reply::raw(answer));
        let told = Arc::new(Mutex::new(Vec::<DeliveryError>::new()));
        let hook = Arc::clone(&told);
        let client = client(config(&server).on_error(move |error| hook.lock().unwrap().push(error.clone())));
        client.capture(numbered(1));
        client.flush(LONG).unwrap();
        let stats = client.stats();
        assert_eq!((stats.requests, stats.lost(LossReason::RetriesExhausted)), (5, 1), "{what}");
        let told = told.lock().unwrap();
        assert!(told[0].detail.starts_with("unreadable response: "), "{what}: {told:?}");
        // The number of bytes that were read differs between attempts.
        let reason = told[0].detail.split(|character: char| character.is_ascii_digit()).next().unwrap();
        let warned = lines::warnings_with(&format!("events could not be delivered ({reason}"));
        assert!(!warned.is_empty(), "{what}: {told:?}");
    }
}

#[test]
fn a_response_is_read_whatever_precedes_it() {
    let padding = "y".repeat(15_000);
    for answer in [
        &format!("HTTP/1.1 200 OK\r\nx: {padding}\r\nContent-Length: 0\r\n\r\n"),
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
    ] {
        let server = Server::always(Reply::raw(answer));
        let client = client(config(&server));
        client.capture(numbered(1));
        assert!(client.shutdown(LONG).unwrap().is_complete());
        assert_eq!(client.stats().requests, 1);
    }
}

/// A port that the system never assigns as a free port, so no server of another test listens on it.
const REFUSING_URL: &str = "http://127.0.0.1:1";

#[test]
fn a_shutdown_does_not_wait_to_retry_an_unreachable_endpoint() {
    for url in [REFUSING_URL.to_owned(), "http://no-such-host.invalid".to_owned()] {
        let client = client(config_for(&url).retry_delays(LONG / 3, LONG / 3));
        client.capture(numbered(1));
        client.flush(Duration::ZERO).unwrap();
        client.capture(numbered(2));
        client.shutdown(LONG).unwrap();
        let stats = client.stats();
        assert_eq!(stats.lost(LossReason::ShuttingDown), 2, "{url}");
        assert!(stats.requests <= 2, "{url}: {}", stats.requests);
    }
}

#[test]
fn unsent_events_are_sent_once_the_endpoint_is_reachable() {
    let memory = MemoryTransport::new();
    memory.respond(Err(SendError::NotSent("refused".to_owned())));
    let factory = memory.clone();
    let client = client(
        config_for("http://127.0.0.1:9")
            .retry_delays(LONG * 100, LONG * 100)
            .transport(move |_| Ok(Box::new(factory.clone()) as Box<dyn Transport>)),
    );
    client.capture(numbered(1));
    assert_eq!(client.flush(LONG).unwrap().waiting, 1);
    client.capture(numbered(2));
    assert!(client.shutdown(LONG).is_ok());
    assert_eq!((client.stats().sent, memory.sent().len()), (2, 3));
}

#[test]
fn a_short_lived_program_makes_one_attempt_and_is_not_a_server() {
    let server = Server::always(Reply::status(503));
    let client = client(config(&server).short_lived());
    client.capture(numbered(1));
    client.shutdown(LONG).unwrap();
    assert_eq!(server.requests().len(), 1);
    assert_eq!(server.events()[0]["properties"]["$is_server"], false);
    assert_eq!(client.stats().lost(LossReason::RetriesExhausted), 1);
}

#[test]
fn the_reason_for_a_failed_connection_is_readable() {
    lines::listen();
    let told = Arc::new(Mutex::new(Vec::<DeliveryError>::new()));
    let hook = Arc::clone(&told);
    let config = config_for(REFUSING_URL).on_error(move |error| hook.lock().unwrap().push(error.clone()));
    let client = client(config.retry_delays(LONG * 100, LONG * 100));
    for n in 0..3 {
        client.capture(numbered(n));
        client.flush(LONG).unwrap();
    }
    let words = "not sent: io: Connection refused";
    let last = client.status().last_send.unwrap();
    assert!(last.outcome.starts_with(&format!("failed, will be retried: {words}")), "{last:?}");
    client.shutdown(LONG).unwrap();
    let told = told.lock().unwrap();
    let [error] = &told[..] else { panic!("{told:?}") };
    assert_eq!((error.reason, error.count, error.status), (LossReason::ShuttingDown, 3, None));
    assert!(error.detail.starts_with(words), "{error}");
    let again = |line: &&lines::Line| line.text.contains("will be retried in") && line.text.contains(words);
    assert!(lines::all().iter().any(|line| again(&line)));
}

#[test]
fn the_first_failure_of_a_client_is_a_warning_and_the_next_are_not() {
    lines::listen();
    // A status that no other test uses.
    let server = Server::always(Reply::status(477));
    let client = client(config(&server));
    for n in 0..3 {
        client.capture(numbered(n));
        client.flush(LONG).unwrap();
    }
    let warned = lines::warnings_with("status 477");
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(
        warned[0].starts_with("events could not be delivered (status 477): they are dropped"),
        "{warned:?}"
    );
}

#[test]
fn a_refused_key_is_a_warning_with_the_endpoints_words_and_without_the_key() {
    lines::listen();
    let echo = Reply::judged(|request| {
        let key = request.json()["api_key"].as_str().unwrap_or_default().to_owned();
        let token = request.header("authorization").unwrap_or_default().to_owned();
        let other = request.header("x-team").unwrap_or_default().to_owned();
        Reply::status(403).body(format!("no such key {key} {token} {other} in project 4711"))
    });
    let told = Arc::new(Mutex::new(Vec::<DeliveryError>::new()));
    let hook = Arc::clone(&told);
    let server = Server::always(echo);
    let config = config(&server)
        .api_key("phc_confidential")
        .envelope(
            candor::wire::Bearer::new("tok_confidential", candor::wire::PostHogBatch::default()).unwrap(),
        )
        .header("x-team", "team_confidential")
        .on_error(move |error| hook.lock().unwrap().push(error.clone()));
    let client = client(config);
    for n in 0..3 {
        client.capture(numbered(n));
        client.flush(LONG).unwrap();
    }
    let warned = lines::warnings_with("in project 4711");
    assert_eq!(warned.len(), 1, "{warned:?}");
    assert!(warned[0].contains("status 403") && warned[0].contains("no such key"), "{warned:?}");
    let outcome = client.status().last_send.unwrap().outcome;
    assert!(outcome.starts_with("refused: status 403, no such key"), "{outcome}");
    let told = told.lock().unwrap();
    let shown = format!("{warned:?} {outcome} {told:?}");
    assert!(!shown.contains("confidential"), "{shown}");
}

#[test]
fn missing_answers_are_retried() {
    is_tried_again("stall", Reply::stall());
    is_tried_again("trickle", Reply::trickle(Duration::from_millis(50)));
}

#[test]
fn a_status_counts_even_if_the_body_is_cut_off() {
    for reply in [Reply::half(200), Reply::endless(200)] {
        let server = Server::start([reply]);
        let client = client(config(&server));
        client.capture(numbered(1));
        assert!(client.shutdown(LONG).unwrap().is_complete());
        assert_eq!((client.stats().sent, client.stats().requests), (1, 1));
    }
}

#[test]
fn every_success_is_a_success() {
    for status in [200, 201, 202, 204, 299] {
        let server = Server::always(Reply::status(status));
        let client = client(config(&server));
        client.capture(numbered(1));
        assert!(client.shutdown(LONG).unwrap().is_complete(), "{status}");
    }
}

#[test]
fn permanent_statuses_make_one_request() {
    for status in [301, 304, 400, 401, 402, 403, 404, 413, 422] {
        let server = Server::always(Reply::status(status));
        let client = client(config(&server));
        client.capture(numbered(1));
        client.shutdown(LONG).unwrap();
        assert_eq!(server.requests().len(), 1, "{status}");
        let reason = if status == 413 { LossReason::TooLarge } else { LossReason::Rejected };
        assert_eq!(client.stats().lost(reason), 1, "{status}");
    }
}

#[test]
fn n_retries_are_n_plus_one_requests() {
    let server = Server::always(Reply::status(503).body("no room"));
    let told = Arc::new(Mutex::new(Vec::<DeliveryError>::new()));
    let hook = Arc::clone(&told);
    let client = client(
        config(&server).max_retries(3).on_error(move |error| hook.lock().unwrap().push(error.clone())),
    );
    client.capture(numbered(1));
    client.flush(LONG).unwrap();
    assert_eq!(server.requests().len(), 4);
    assert_eq!(client.stats().lost(LossReason::RetriesExhausted), 1);
    let told = told.lock().unwrap();
    let [error] = &told[..] else { panic!("{told:?}") };
    assert_eq!((error.reason, error.status), (LossReason::RetriesExhausted, Some(503)));
    assert_eq!(error.events[0].to_string(), server.requests()[0].uuids()[0]);
    assert_eq!(error.detail, "no room");
}

#[test]
fn each_attempt_states_its_own_time() {
    let server = Server::start([Reply::status(503), Reply::status(503)]);
    let client = client(config(&server).retry_delays(Duration::from_millis(20), Duration::from_millis(20)));
    client.capture(numbered(1));
    assert!(client.shutdown(LONG).unwrap().is_complete());
    let sent_at = |received: &Received| received.json()["sent_at"].as_str().unwrap().to_owned();
    let times: Vec<String> = server.requests().iter().map(sent_at).collect();
    assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "{times:?}");
    assert!(server.events()[0]["timestamp"].as_str().unwrap() <= times[0].as_str());
}

#[test]
fn retry_after_is_a_minimum() {
    let server = Server::start([Reply::status(429).header("Retry-After", "1")]);
    let client = client(config(&server).retry_delays(Duration::from_millis(1), LONG));
    client.capture(numbered(1));
    let began = Instant::now();
    assert!(client.shutdown(LONG).unwrap().is_complete());
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn retry_after_cannot_ask_for_more_than_the_longest_wait() {
    let server = Server::start([Reply::status(503).header("Retry-After", "Fri, 31 Dec 2100 23:59:59 GMT")]);
    let client = client(config(&server));
    client.capture(numbered(1));
    assert!(client.shutdown(LONG).unwrap().is_complete());
}

#[test]
fn a_waiting_batch_does_not_delay_the_next() {
    let server = Server::start([Reply::status(503).header("Retry-After", "3600")]);
    let client = client(config(&server).retry_delays(LONG * 100, LONG * 100));
    client.capture(numbered(1));
    client.flush(LONG).unwrap();
    client.capture(numbered(2));
    let flushed = client.flush(LONG).unwrap();
    assert_eq!((flushed.delivered, flushed.waiting), (1, 1));
    assert_eq!(numbers(&server.events()), [1, 2]);
}

/// Answers with the status if the request contains more than one event.
fn only_single(status: u16) -> Reply {
    Reply::judged(move |received| match received.events().len() {
        1 => Reply::ok(),
        _ => Reply::status(status),
    })
}

#[test]
fn a_body_that_is_too_large_is_sent_in_halves_in_order() {
    let server = Server::always(only_single(413));
    let client = client(config(&server));
    for n in 0..9 {
        client.capture(numbered(n));
    }
    assert!(client.shutdown(LONG).unwrap().is_complete());
    let taken: Vec<Value> =
        server.requests().iter().filter(|r| r.events().len() == 1).flat_map(Received::events).collect();
    assert_eq!(numbers(&taken), (0..9).collect::<Vec<_>>());
}

#[test]
fn one_poison_event_does_not_lose_the_others() {
    let is_poison = |event: &Value| event["event"] == "poison";
    let server = Server::always(Reply::judged(move |received| {
        if received.events().iter().any(is_poison) { Reply::status(400) } else { Reply::ok() }
    }));
    let told = Arc::new(Mutex::new(Vec::<DeliveryError>::new()));
    let hook = Arc::clone(&told);
    let client = client(config(&server).on_error(move |error| hook.lock().unwrap().push(error.clone())));
    for n in 0..50 {
        if n % 20 == 7 {
            client.capture(DynamicEvent::new("poison", "node-7"));
        } else {
            client.capture(numbered(n));
        }
    }
    client.shutdown(LONG).unwrap();
    let stats = client.stats();
    assert_eq!((stats.sent, stats.lost(LossReason::Rejected), stats.queued), (48 - 1, 3, 0));
    let taken: Vec<Value> = server
        .requests()
        .iter()
        .map(Received::events)
        .filter(|events| !events.iter().any(is_poison))
        .flatten()
        .collect();
    assert_eq!(numbers(&taken), (0..50).filter(|n| n % 20 != 7).collect::<Vec<_>>());
    let told = told.lock().unwrap();
    assert!(told.len() == 3 && told.iter().all(|error| error.events.len() == 1), "{told:?}");
}

#[test]
fn an_endpoint_that_refuses_everything_gets_few_requests() {
    for status in [400, 413] {
        let server = Server::always(Reply::status(status));
        let client = client(config(&server).flush_at(10_000));
        for n in 0..5000 {
            client.capture(numbered(n));
        }
        client.shutdown(LONG).unwrap();
        let stats = client.stats();
        let refused = stats.lost(LossReason::Rejected) + stats.lost(LossReason::TooLarge);
        assert_eq!((refused, stats.lost_total(), stats.queued), (5000, 5000, 0), "{status}");
        assert!(stats.requests < 100, "{status}: {}", stats.requests);
    }
}

#[test]
fn small_batches_that_are_all_refused_get_few_requests_each() {
    let server = Server::always(Reply::status(400));
    let client = client(config(&server));
    for n in 0..50 {
        for m in 0..10 {
            client.capture(numbered(n * 10 + m));
        }
        client.flush(LONG).unwrap();
    }
    let stats = client.stats();
    assert_eq!(stats.lost(LossReason::Rejected), 500);
    assert!(stats.requests < 250, "{}", stats.requests);
}

#[test]
fn one_wrong_event_among_a_thousand_is_found() {
    let is_poison = |event: &Value| event["properties"]["n"] == 613;
    let server = Server::always(Reply::judged(move |received| {
        if received.events().iter().any(is_poison) { Reply::status(400) } else { Reply::ok() }
    }));
    let client = client(config(&server).flush_at(10_000));
    for n in 0..1000 {
        client.capture(numbered(n));
    }
    client.shutdown(LONG).unwrap();
    let stats = client.stats();
    assert_eq!((stats.sent, stats.lost(LossReason::Rejected)), (999, 1));
}

#[test]
fn a_size_limit_loses_no_event() {
    let server = Server::always(Reply::judged(|received| {
        if received.body.len() > 3000 { Reply::status(413) } else { Reply::ok() }
    }));
    let client = client(config(&server).flush_at(10_000));
    for n in 0..500 {
        client.capture(numbered(n));
    }
    assert!(client.shutdown(LONG).unwrap().is_complete());
    let small = |request: &Received| request.body.len() <= 3000;
    let taken: Vec<Value> =
        server.requests().iter().filter(|request| small(request)).flat_map(Received::events).collect();
    assert_eq!(numbers(&taken), (0..500).collect::<Vec<_>>());
}

#[test]
fn halving_does_not_use_up_the_retries() {
    // Too large; then each half fails once, and succeeds with its only retry.
    let script = [413, 503, 503, 200, 200];
    let server = Server::start(script.map(Reply::status));
    let client = client(config(&server).max_retries(1));
    client.capture(numbered(1));
    client.capture(numbered(2));
    let flushed = client.shutdown(LONG).unwrap();
    assert!(flushed.is_complete(), "{flushed:?}");
}

#[test]
fn an_unreachable_endpoint_is_retried_until_it_answers() {
    let client = client(config_for(REFUSING_URL).flush_at(1));
    client.capture(numbered(1));
    let flushed = client.flush(Duration::from_millis(200)).unwrap();
    assert_eq!((flushed.waiting, flushed.lost()), (1, 0));
    client.shutdown(Duration::ZERO).unwrap();
    assert_eq!(client.stats().lost(LossReason::ShuttingDown), 1);
}
