//! The per-event results of a v1 response, and the tags of its errors.

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
/// A body that is cut off, is not JSON or has another shape says nothing about the events: they may have been
/// stored, so sending them again could go on for ever.
pub(super) fn read(response: &Response) -> Verdict {
    let body = serde_json::from_slice::<Results>(&response.body).ok().filter(|_| response.is_complete);
    let Some(body) = body else { return Verdict::Unreadable };
    let results = body.results.into_iter().filter_map(|(id, entry)| {
        // The server writes ids as they were sent. What is not an id cannot be one of ours.
        Some((Uuid::parse_str(id.trim()).ok()?, meaning(&entry)))
    });
    Verdict::Each { results: results.collect(), names_all: true, wait: response.wait() }
}

fn meaning(entry: &Entry) -> EventResult {
    let details = entry.details.as_str().unwrap_or_default().to_owned();
    match entry.result.as_str() {
        "retry" => EventResult::Retry(details),
        "drop" => EventResult::Dropped(details),
        // Also `limited` and `warning`, which are stored, and words of the future.
        _ => EventResult::Taken,
    }
}

/// Returns whether a 400 may be the fault of some of the events, so that the others can be saved.
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
    fn each_word_has_its_meaning_and_unknown_ones_are_final() {
        for (entry, wanted) in [
            (r#"{"result":"ok"}"#, EventResult::Taken),
            (r#"{"result":"ok","details":"person_processing_disabled"}"#, EventResult::Taken),
            (r#"{"result":"warning","details":null}"#, EventResult::Taken),
            (r#"{"result":"limited"}"#, EventResult::Taken),
            (r#"{"result":"postponed","details":7}"#, EventResult::Taken),
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
    fn what_is_no_map_of_results_is_unreadable() {
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
    fn ids_that_are_none_and_results_without_ids_say_nothing() {
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
