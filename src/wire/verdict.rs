//! The meaning of a response for the events of a batch.

use std::time::Duration;

use uuid::Uuid;

use super::response::Response;

/// What the client does with a batch after a response.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// All events were accepted.
    Done,
    /// No event was accepted yet: retry the batch, but not before the wait is over.
    Retry(Option<Duration>),
    /// The body is too large: send the batch in two halves.
    TooLarge,
    /// An event is invalid: send the batch in halves until that event is alone.
    Invalid,
    /// The batch is refused for good; it is not retried.
    Reject,
    /// The endpoint is gone for good: nothing more is sent for the life of the process.
    Gone,
    /// The response claims success but cannot be read. The events may have been accepted, so they are neither sent
    /// again nor counted as sent.
    Unreadable,
    /// Each event has its own result; events without one count as accepted unless `names_all` is set.
    Each {
        /// Results by event id; plain successes may be left out.
        results: Vec<(Uuid, EventResult)>,
        /// Whether the protocol returns a result for every event, so that an event without one counts as
        /// [`unconfirmed`](crate::Stats::unconfirmed).
        names_all: bool,
        /// How long to wait before the events with [`EventResult::Retry`] are sent again.
        wait: Option<Duration>,
    },
}

/// The result of one event in a batch.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "result", content = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventResult {
    /// Accepted, perhaps with a part of it ignored.
    Accepted,
    /// Not accepted yet, with the endpoint's reason; the event is retried.
    Retry(String),
    /// Refused for good, with the endpoint's reason.
    Dropped(String),
}

/// Returns what a status means to PostHog, which is the default for all endpoints.
///
/// 501, and 505 and above, are retried like every other server error: a proxy that is being replaced may return them
/// too.
pub(super) fn of_status(response: &Response) -> Verdict {
    match response.status {
        200..=299 => Verdict::Done,
        400 => Verdict::Invalid,
        413 => Verdict::TooLarge,
        408 | 429 | 500..=599 => Verdict::Retry(response.wait()),
        410 | 451 => Verdict::Gone,
        _ => Verdict::Reject,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(status: u16, retry_after: Option<&str>) -> Verdict {
        let response = Response::status(status);
        of_status(&match retry_after {
            Some(header) => response.with_retry_after(header),
            None => response,
        })
    }

    #[test]
    fn every_status_has_a_verdict() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(verdict(status, None), Verdict::Done, "{status}");
        }
        for status in [301, 302, 303, 304, 307, 308, 401, 402, 403, 404, 405, 415, 422, 499, 100, 600, 0] {
            assert_eq!(verdict(status, None), Verdict::Reject, "{status}");
        }
        for status in [408, 429, 500, 501, 502, 503, 504, 505, 599] {
            assert_eq!(verdict(status, None), Verdict::Retry(None), "{status}");
        }
        assert_eq!(verdict(400, None), Verdict::Invalid);
        assert_eq!(verdict(413, None), Verdict::TooLarge);
        for status in [410, 451] {
            assert_eq!(verdict(status, None), Verdict::Gone, "{status}");
        }
    }

    #[test]
    fn a_wait_is_taken_from_the_header() {
        assert_eq!(verdict(429, Some("3")), Verdict::Retry(Some(Duration::from_secs(3))));
        assert_eq!(verdict(503, Some("0")), Verdict::Retry(None));
    }
}
