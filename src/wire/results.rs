//! The result of each event in a v1 response, and the tags of its errors.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use super::response::Response;
use super::{EventResult, Verdict};

#[derive(Deserialize)]
struct Results {
    results: BTreeMap<String, Entry>,
}

#[derive(Deserialize)]
struct Entry {
    result: String,
    #[serde(default)]
    details: Value,
}

#[derive(Deserialize)]
struct Failure {
    error: String,
}

/// Reads the results of a 2xx response.
///
/// A body that is truncated, is not JSON or has an unexpected shape says nothing about the events. They may have been
/// stored, so they are not sent again.
pub(super) fn read(response: &Response) -> Verdict {
    let body = serde_json::from_slice::<Results>(&response.body).ok().filter(|_| response.is_complete);
    let Some(body) = body else { return Verdict::Unreadable };
    let results = body.results.into_iter().filter_map(|(id, entry)| {
        // The server returns ids as they were sent, so anything that is not an id is not one of ours.
        Some((Uuid::parse_str(id.trim()).ok()?, meaning(&entry)))
    });
    Verdict::Each { results: results.collect(), names_all: true, wait: response.wait() }
}

fn meaning(entry: &Entry) -> EventResult {
    let details = entry.details.as_str().unwrap_or_default().to_owned();
    match entry.result.as_str() {
        "retry" => EventResult::Retry(details),
        "drop" => EventResult::Dropped(details),
        // Includes `limited` and `warning`, which are stored, and any word introduced later.
        _ => EventResult::Accepted,
    }
}

/// Returns whether a 400 may be caused by some of the events, in which case the others can still be delivered.
pub(super) fn is_about_an_event(body: &[u8]) -> bool {
    serde_json::from_slice::<Failure>(body).is_ok_and(|failure| {
        matches!(
            failure.error.as_str(),
            "request_parsing_error" | "missing_event_uuid" | "invalid_event_uuid" | "duplicate_event_uuid"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01990b6e-8f2a-7c31-9a56-2f3f8a1d0c77";

    fn verdict(body: &str, is_complete: bool) -> Verdict {
        read(&Response { is_complete, ..Response::status(200).with_body(body) })
    }

    #[test]
    fn an_unknown_result_counts_as_taken() {
        for (entry, wanted) in [
            (r#"{"result":"ok"}"#, EventResult::Accepted),
            (r#"{"result":"ok","details":"person_processing_disabled"}"#, EventResult::Accepted),
            (r#"{"result":"warning","details":null}"#, EventResult::Accepted),
            (r#"{"result":"limited"}"#, EventResult::Accepted),
            (r#"{"result":"postponed","details":7}"#, EventResult::Accepted),
            (
                r#"{"result":"drop","details":"event_name_too_long"}"#,
                EventResult::Dropped("event_name_too_long".into()),
            ),
            (r#"{"result":"retry","details":"not_persisted"}"#, EventResult::Retry("not_persisted".into())),
        ] {
            let body = format!(r#"{{"results":{{"{ID}":{entry}}}}}"#);
            let results = vec![(Uuid::parse_str(ID).unwrap(), wanted)];
            assert_eq!(
                verdict(&body, true),
                Verdict::Each { results, names_all: true, wait: None },
                "{entry}"
            );
        }
    }

    #[test]
    fn a_body_without_a_map_of_results_is_unreadable() {
        for body in [
            "",
            "ok",
            "null",
            "[]",
            "{}",
            r#"{"status":1}"#,
            r#"{"results":[]}"#,
            r#"{"results":null}"#,
            r#"{"results":{"id":"ok"}}"#,
            r#"{"results":{"id":{}}}"#,
            r#"{"results":{"id":{"result":1}}}"#,
            "\u{0}\u{1}",
        ] {
            assert_eq!(verdict(body, true), Verdict::Unreadable, "{body}");
        }
        assert_eq!(verdict(r#"{"results":{}}"#, false), Verdict::Unreadable);
        let deep = "[".repeat(100_000);
        assert_eq!(verdict(&deep, true), Verdict::Unreadable);
    }

    #[test]
    fn invalid_ids_are_ignored() {
        let none = Verdict::Each { results: vec![], names_all: true, wait: None };
        assert_eq!(verdict(r#"{"results":{}}"#, true), none);
        assert_eq!(verdict(r#"{"results":{"not-an-id":{"result":"retry"}}}"#, true), none);
    }

    #[test]
    fn only_some_tags_of_a_400_are_about_an_event() {
        for tag in ["request_parsing_error", "invalid_event_uuid", "duplicate_event_uuid"] {
            assert!(is_about_an_event(format!(r#"{{"error":"{tag}"}}"#).as_bytes()), "{tag}");
        }
        for body in [r#"{"error":"missing_required_headers"}"#, r#"{"error":"empty_batch"}"#, "bad", ""] {
            assert!(!is_about_an_event(body.as_bytes()), "{body}");
        }
    }
}
