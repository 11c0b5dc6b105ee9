//! The results that v1 gives for each event.

use std::time::{Duration, Instant};

use candor::wire::EventResult;
use candor::{LossReason, Protocol};
use serde_json::json;

use super::*;
use testkit::clients::{numbers, results};

/// Answers each event with the result that `judge` returns for its number and that of the request.
fn judged(
    judge: impl Fn(u64, usize) -> Value + Send + Sync + Clone + 'static,
) -> impl Fn(usize) -> Reply + Send + Sync + 'static {
    move |number| {
        let judge = judge.clone();
        Reply::judged(move |request| {
            results(request, |event| judge(event["properties"]["n"].as_u64().unwrap_or_default(), number))
        })
    }
}

fn ok() -> Value {
    json!({ "result": "ok" })
}

fn retry() -> Value {
    json!({ "result": "retry", "details": "not_persisted" })
}

#[test]
fn only_events_with_a_retry_result_are_sent_again_in_order() {
    let outcome =
        run(Protocol::V1, 6, judged(|n, request| if n % 2 == 1 && request == 0 { retry() } else { ok() }));
    let batches: Vec<_> = outcome.requests.iter().map(|request| numbers(&request.events())).collect();
    assert_eq!(batches, [vec![0, 1, 2, 3, 4, 5], vec![1, 3, 5]]);
    assert_eq!((outcome.stats.sent, outcome.stats.lost_total()), (6, 0));
    assert!(outcome.errors.is_empty());
}

#[test]
fn a_retry_sends_the_same_event_in_the_same_batch() {
    let outcome =
        run(Protocol::V1, 2, judged(|n, request| if n == 1 && request == 0 { retry() } else { ok() }));
    let [first, second] = [outcome.requests[0].json(), outcome.requests[1].json()];
    assert_eq!(first["batch"][1], second["batch"][0]);
    assert_eq!(first["created_at"], second["created_at"]);
    let header = |name: &str| [&outcome.requests[0], &outcome.requests[1]].map(|it| it.header(name).unwrap());
    let [one, two] = header("posthog-request-id");
    assert_eq!(one, two);
    assert_eq!(header("posthog-attempt"), ["1", "2"], "also after a partial success");
}

#[test]
fn the_rest_of_a_partial_success_is_compressed_again() {
    let script = judged(|n, request| if n == 1 && request == 0 { retry() } else { ok() });
    let configure = |server: &Server| plain(server, Protocol::V1).compression(candor::Compression::Gzip);
    let outcome = run_with(script, configure, (0..2).map(numbered));
    assert_eq!(outcome.requests[1].header("content-encoding"), Some("gzip"));
    assert_eq!(numbers(&outcome.requests[1].events()), [1]);
}

#[test]
fn a_dropped_event_is_reported_with_its_detail_and_not_sent_again() {
    let script = judged(|n, _| match n {
        1 => json!({ "result": "drop", "details": "event_name_too_long" }),
        2 => json!({ "result": "drop" }),
        _ => ok(),
    });
    let outcome = run(Protocol::V1, 4, script);
    assert_eq!((outcome.requests.len(), outcome.stats.sent), (1, 2));
    assert_eq!(outcome.stats.lost(LossReason::Rejected), 2);
    let ids = outcome.requests[0].uuids();
    assert_eq!(outcome.errors.len(), 1);
    let error = &outcome.errors[0];
    assert_eq!((error.reason, error.status), (LossReason::Rejected, Some(200)));
    let told: Vec<_> = error.results.iter().map(|(id, result)| (id.to_string(), result.clone())).collect();
    let dropped = |detail: &str| EventResult::Dropped(detail.to_owned());
    assert_eq!(told, [(ids[1].clone(), dropped("event_name_too_long")), (ids[2].clone(), dropped(""))]);
    assert_eq!(error.events.len(), 2);
}

#[test]
fn a_partial_success_uses_up_an_attempt_and_the_rest_is_reported_individually() {
    let configure = |server: &Server| plain(server, Protocol::V1).max_retries(2);
    let script = judged(|n, _| if n == 1 { retry() } else { ok() });
    let outcome = run_with(script, configure, (0..3).map(numbered));
    let batches: Vec<_> = outcome.requests.iter().map(|request| numbers(&request.events())).collect();
    assert_eq!(batches, [vec![0, 1, 2], vec![1], vec![1]]);
    assert_eq!((outcome.stats.sent, outcome.stats.lost(LossReason::RetriesExhausted)), (2, 1));
    let error = &outcome.errors[0];
    assert_eq!(error.results.len(), 1);
    assert_eq!(error.results[0].0.to_string(), outcome.requests[1].uuids()[0]);
    assert_eq!(error.results[0].1, EventResult::Retry("not_persisted".to_owned()));
}

#[test]
fn failures_and_partial_successes_share_one_budget() {
    let script = |number| match number {
        0 => Reply::status(503),
        _ => judged(|_, _| retry())(number),
    };
    let configure = |server: &Server| plain(server, Protocol::V1).max_retries(2);
    let outcome = run_with(script, configure, [numbered(0)]);
    assert_eq!(outcome.requests.len(), 3);
    let attempts: Vec<_> = outcome.requests.iter().map(|it| it.header("posthog-attempt").unwrap()).collect();
    assert_eq!(attempts, ["1", "2", "3"]);
}

#[test]
fn stored_without_a_person_and_unknown_results_are_final() {
    for result in ["ok", "limited", "warning", "postponed", ""] {
        let entry = json!({ "result": result, "details": "person_processing_disabled" });
        let outcome = run(Protocol::V1, 2, judged(move |_, _| entry.clone()));
        assert_eq!((outcome.requests.len(), outcome.stats.sent), (1, 2), "{result}");
        assert!(outcome.errors.is_empty());
    }
}

#[test]
fn an_event_that_the_answer_does_not_name_is_counted_as_unconfirmed() {
    for body in [
        r#"{"results":{}}"#,
        r#"{"results":{"no-id":{"result":"retry"}}}"#,
        r#"{"results":{"00000000-0000-0000-0000-000000000001":{"result":"retry"}},"more":1}"#,
    ] {
        let outcome = run(Protocol::V1, 2, move |_| Reply::ok().body(body));
        assert_eq!(
            (outcome.requests.len(), outcome.stats.sent, outcome.stats.unconfirmed),
            (1, 2, 2),
            "{body}"
        );
    }
    let outcome = run(Protocol::V1, 2, judged(|_, _| ok()));
    assert_eq!(outcome.stats.unconfirmed, 0);
}

#[test]
fn a_success_without_readable_results_is_final_and_reported() {
    let deep = "[".repeat(200_000);
    let replies = [
        Reply::ok(),
        Reply::ok().body(""),
        Reply::ok().body("<html>"),
        Reply::ok().body("[]"),
        Reply::ok().body(r#"{"results":[]}"#),
        Reply::ok().body(r#"{"results":{"a":"ok"}}"#),
        Reply::ok().body(r#"{"results":{"a":{"result":7}}}"#),
        Reply::ok().body(deep),
        Reply::status(204).body(""),
        Reply::half(200).body(r#"{"results":{}}"#),
        Reply::endless(200),
    ];
    for reply in replies {
        let outcome = run(Protocol::V1, 2, then_taken(vec![reply]));
        assert_eq!(outcome.requests.len(), 1);
        assert_eq!((outcome.stats.sent, outcome.stats.lost(LossReason::UnreadableResponse)), (0, 2));
        assert_eq!((outcome.errors.len(), outcome.errors[0].events.len()), (1, 2));
    }
}

#[test]
fn an_answer_to_a_full_batch_is_read_completely() {
    // Much more than the 8 KiB that are read of other answers.
    let details = "survey_responses_over_quota";
    let script =
        judged(move |n, _| if n == 4_999 { json!({ "result": "drop", "details": details }) } else { ok() });
    let configure = |server: &Server| {
        plain(server, Protocol::V1).batch_bytes(10 << 20).flush_at(9_000).flush_bytes(10 << 20)
    };
    let outcome = run_with(script, configure, (0..5_001).map(numbered));
    let sizes: Vec<_> = outcome.requests.iter().map(|request| request.events().len()).collect();
    assert_eq!(sizes, [5_000, 1]);
    assert_eq!((outcome.stats.sent, outcome.stats.lost(LossReason::Rejected)), (5_000, 1));
}

#[test]
fn retry_after_on_a_partial_success_is_a_minimum() {
    let began = Instant::now();
    let script = |number| match number {
        0 => Reply::judged(|request| results(request, |_| retry()).header("Retry-After", "1")),
        _ => Reply::judged(taken),
    };
    let configure = |server: &Server| {
        plain(server, Protocol::V1).retry_delays(Duration::from_millis(5), Duration::from_secs(30))
    };
    let outcome = run_with(script, configure, [numbered(0)]);
    assert!(began.elapsed() >= Duration::from_secs(1));
    assert_eq!((outcome.requests.len(), outcome.stats.sent), (2, 1));
}

#[test]
fn only_one_request_is_made_for_a_402() {
    let body = r#"{"error":"billing_limit_exceeded","error_uri":"https://posthog.com/docs/billing/limits"}"#;
    let outcome = run(Protocol::V1, 3, move |_| Reply::status(402).body(body));
    assert_eq!((outcome.requests.len(), outcome.stats.lost(LossReason::Rejected)), (1, 3));
    assert!(outcome.errors[0].detail.contains("billing_limit_exceeded"));
}
