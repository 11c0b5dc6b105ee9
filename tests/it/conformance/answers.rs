//! The meaning of an answer's status, and what stays the same between attempts.

use std::time::{Duration, Instant};

use candor::{LossReason, Protocol};
use serde_json::json;

use super::*;

/// The consequence of an answer to a batch of one event.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Then {
    Done,
    Again,
    Lost,
}

use Then::{Again, Done, Lost};

#[test]
fn every_status_has_its_consequence() {
    let table = [
        (200, Done, Done),
        (201, Done, Done),
        (301, Lost, Lost),
        (302, Lost, Lost),
        (307, Lost, Lost),
        (308, Lost, Lost),
        (400, Lost, Lost),
        (401, Lost, Lost),
        (402, Lost, Lost),
        (403, Lost, Lost),
        (404, Lost, Lost),
        (405, Lost, Lost),
        (408, Again, Again),
        (413, Lost, Lost),
        (415, Lost, Lost),
        (422, Lost, Lost),
        // Without `Retry-After` the status is final with the v1 server.
        (429, Again, Lost),
        (500, Again, Again),
        (502, Again, Again),
        (503, Again, Again),
        (504, Again, Again),
    ];
    for (status, v0, v1) in table {
        for (protocol, wanted) in [(Protocol::V0, v0), (Protocol::V1, v1)] {
            let script = move |number| match number {
                0 => Reply::judged(move |request| with_status(&taken(request), status)),
                _ => Reply::judged(taken),
            };
            let outcome = run(protocol, 1, script);
            let (requests, sent) = match wanted {
                Done => (1, 1),
                Again => (2, 1),
                Lost => (1, 0),
            };
            let found = (outcome.requests.len(), outcome.stats.sent);
            assert_eq!(found, (requests, sent), "{protocol:?} {status}: {}", outcome.stats);
            assert_eq!(outcome.errors.len(), usize::from(wanted == Lost));
        }
    }
}

fn with_status(reply: &Reply, status: u16) -> Reply {
    let redirected = Reply::status(status).header("Location", "http://127.0.0.1:1/elsewhere");
    redirected.body(reply.body_text())
}

#[test]
fn n_retries_are_n_plus_one_requests_and_then_a_report() {
    for protocol in BOTH {
        for retries in [0, 1, 3] {
            let configure = |server: &Server| plain(server, protocol).max_retries(retries);
            let outcome = run_with(|_| Reply::status(503), configure, [numbered(1)]);
            assert_eq!(outcome.requests.len(), retries as usize + 1);
            assert_eq!(outcome.errors.len(), 1);
            let error = &outcome.errors[0];
            assert_eq!((error.reason, error.status), (LossReason::RetriesExhausted, Some(503)));
            assert_eq!(error.events[0].to_string(), outcome.requests[0].uuids()[0]);
        }
    }
}

#[test]
fn a_retry_has_the_same_events_in_the_same_order_with_the_same_ids_and_times() {
    for protocol in BOTH {
        let outcome = run(protocol, 5, then_taken(vec![Reply::status(503), Reply::status(500)]));
        assert_eq!(outcome.requests.len(), 3);
        let first = outcome.requests[0].json();
        for request in &outcome.requests[1..] {
            assert_eq!(request.json()["batch"], first["batch"]);
        }
        assert_eq!((outcome.stats.sent, outcome.stats.retries, outcome.stats.retried), (5, 2, 10));
    }
}

#[test]
fn a_broken_connection_is_retried() {
    for protocol in BOTH {
        for broken in [Reply::reset_before_body(), Reply::reset_after_body(), Reply::garbage()] {
            let outcome = run(protocol, 1, then_taken(vec![broken]));
            assert_eq!(outcome.stats.sent, 1, "{}", outcome.stats);
        }
    }
}

#[test]
fn retry_after_is_a_minimum() {
    for (protocol, status) in
        [(Protocol::V0, 429), (Protocol::V0, 503), (Protocol::V1, 429), (Protocol::V1, 503)]
    {
        let began = Instant::now();
        let script = then_taken(vec![Reply::status(status).header("Retry-After", "1")]);
        let configure = |server: &Server| {
            plain(server, protocol).retry_delays(Duration::from_millis(5), Duration::from_secs(30))
        };
        let outcome = run_with(script, configure, [numbered(1)]);
        assert!(began.elapsed() >= Duration::from_secs(1));
        assert_eq!((outcome.requests.len(), outcome.stats.sent), (2, 1));
    }
}

#[test]
fn retry_after_has_a_limit_and_nonsense_in_it_is_ignored() {
    const PAST: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    for (protocol, status) in
        [(Protocol::V0, 429), (Protocol::V0, 503), (Protocol::V1, 429), (Protocol::V1, 503)]
    {
        for header in ["86400", "Fri, 31 Dec 9999 23:59:59 GMT", PAST, "0", "-1", "soon", ""] {
            // The longest wait of this configuration is 50 ms.
            let refusal = Reply::status(status).header("Retry-After", header);
            let outcome = run(protocol, 1, then_taken(vec![refusal]));
            assert_eq!(
                (outcome.requests.len(), outcome.stats.sent),
                (2, 1),
                "{protocol:?} {status} {header}"
            );
        }
    }
}

#[test]
fn a_redirect_is_not_followed() {
    for protocol in BOTH {
        let elsewhere = Server::start([]);
        let reply = Reply::status(307).header("Location", &format!("{}/batch/", elsewhere.url()));
        let outcome = run(protocol, 1, then_taken(vec![reply]));
        assert_eq!((outcome.requests.len(), elsewhere.begun()), (1, 0));
        assert_eq!(outcome.stats.lost(LossReason::Rejected), 1);
    }
}

/// Refuses requests with more than this many events.
fn at_most(events: usize, refusal: Reply) -> impl Fn(usize) -> Reply + Send + Sync + 'static {
    move |_| {
        let refusal = refusal.clone();
        Reply::judged(
            move |request| {
                if request.events().len() > events { refusal.clone() } else { taken(request) }
            },
        )
    }
}

#[test]
fn a_batch_that_is_too_large_is_halved_and_nothing_is_lost() {
    for protocol in BOTH {
        // More halvings than retries: a halving does not count as a retry.
        let configure = |server: &Server| plain(server, protocol).max_retries(0);
        let outcome = run_with(at_most(1, Reply::status(413)), configure, (0..16).map(numbered));
        assert_eq!(outcome.stats.sent, 16, "{}", outcome.stats);
        assert_eq!(outcome.stats.retries, 0);
        let taken: Vec<_> = outcome.requests.iter().filter(|request| request.events().len() == 1).collect();
        let events: Vec<_> = taken.iter().flat_map(|request| request.events()).collect();
        assert_eq!(testkit::clients::numbers(&events), (0..16).collect::<Vec<_>>());
    }
}

#[test]
fn v1_halves_are_separate_batches() {
    let outcome = run(Protocol::V1, 2, at_most(1, Reply::status(413)));
    let header =
        |name: &str| -> Vec<_> { outcome.requests.iter().map(|it| it.header(name).unwrap()).collect() };
    assert_eq!(header("posthog-attempt"), ["1", "1", "1"]);
    let mut ids = header("posthog-request-id");
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3);
}

#[test]
fn one_event_that_is_too_large_is_dropped_after_one_request() {
    for protocol in BOTH {
        let outcome = run(protocol, 1, |_| Reply::status(413));
        assert_eq!((outcome.requests.len(), outcome.stats.lost(LossReason::TooLarge)), (1, 1));
    }
}

/// Refuses requests that contain event 3.
fn refuses_3(refusal: Reply) -> impl Fn(usize) -> Reply + Send + Sync + 'static {
    move |_| {
        let refusal = refusal.clone();
        Reply::judged(move |request| {
            let is_bad = request.events().iter().any(|event| event["properties"]["n"] == 3);
            if is_bad { refusal.clone() } else { taken(request) }
        })
    }
}

#[test]
fn a_wrong_event_among_good_ones_is_found_by_halving() {
    let v1 = json!({ "error": "request_parsing_error", "error_description": "..." }).to_string();
    for (protocol, refusal) in
        [(Protocol::V0, Reply::status(400).body("bad event")), (Protocol::V1, Reply::status(400).body(v1))]
    {
        let outcome = run_with(
            refuses_3(refusal),
            |server| plain(server, protocol).max_retries(0),
            (0..8).map(numbered),
        );
        assert_eq!((outcome.stats.sent, outcome.stats.lost(LossReason::Rejected)), (7, 1));
        assert_eq!(outcome.errors.len(), 1);
        assert_eq!(outcome.errors[0].status, Some(400));
    }
}

#[test]
fn v1_a_400_that_names_no_event_is_final_for_the_batch() {
    for tag in ["missing_required_headers", "invalid_header_value", "invalid_batch", "empty_body"] {
        let body = json!({ "error": tag }).to_string();
        let outcome = run(Protocol::V1, 4, move |_| Reply::status(400).body(body.clone()));
        assert_eq!((outcome.requests.len(), outcome.stats.lost(LossReason::Rejected)), (1, 4), "{tag}");
        assert!(outcome.errors[0].detail.contains(tag));
    }
}

#[test]
fn v1_two_events_with_one_id_are_sent_separately() {
    let id = uuid::Uuid::from_u128(7);
    let script = |_| {
        Reply::judged(|request: &Received| {
            let mut ids = request.uuids();
            ids.sort();
            ids.dedup();
            if ids.len() == request.events().len() {
                return taken(request);
            }
            Reply::status(400).body(r#"{"error":"duplicate_event_uuid"}"#)
        })
    };
    let events = [numbered(0), numbered(1).uuid(id), numbered(2).uuid(id), numbered(3)];
    let outcome = run_with(script, |server| plain(server, Protocol::V1), events);
    assert_eq!((outcome.stats.sent, outcome.stats.lost_total()), (4, 0));
}

#[test]
fn v0_the_body_of_a_success_is_ignored() {
    for reply in [
        Reply::ok().body(r#"{"status":"Ok","quota_limited":["events"]}"#),
        Reply::ok().body("not JSON"),
        Reply::ok().body(""),
        Reply::status(204).body(""),
        Reply::half(200),
        Reply::endless(200),
    ] {
        let outcome = run(Protocol::V0, 1, then_taken(vec![reply]));
        assert_eq!((outcome.requests.len(), outcome.stats.sent), (1, 1), "{}", outcome.stats);
    }
}

#[test]
fn an_error_is_reported_with_the_servers_truncated_answer() {
    for protocol in BOTH {
        for body in ["no".repeat(100_000).into_bytes(), b"\x00\xff\x1b[31m no".to_vec()] {
            let outcome = run(protocol, 1, move |_| Reply::status(403).body(body.clone()));
            let detail = &outcome.errors[0].detail;
            assert!(detail.contains("no") && detail.chars().count() <= 200, "{detail}");
            assert!(!detail.chars().any(char::is_control), "{detail:?}");
        }
    }
}

#[test]
fn flush_returns_delivered_waiting_and_lost_events_by_reason() {
    for protocol in BOTH {
        let server = Server::scripted(then_taken(vec![Reply::status(403), Reply::status(503)]));
        let delay = Duration::from_secs(600);
        let client = client(plain(&server, protocol).batch_bytes(1).retry_delays(delay, delay));
        for n in 0..3 {
            client.capture(numbered(n));
        }
        client.capture(DynamicEvent::new("", "user_123"));
        let flushed = client.flush(LONG).unwrap();
        assert_eq!((flushed.delivered, flushed.waiting, flushed.lost()), (1, 1, 1), "{flushed:?}");
        assert_eq!(flushed.stats.lost(LossReason::Rejected), 1);
        assert_eq!(client.stats().lost(LossReason::EmptyName), 1);
        assert!(!flushed.is_complete());
        client.shutdown(Duration::ZERO).unwrap();
    }
}
