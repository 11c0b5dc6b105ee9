//! What a response means for the events of a batch.

use std::time::Duration;

use uuid::Uuid;

use super::response::Response;

/// What is to be done with a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Verdict {
    /// All events were taken.
    Done,
    /// Nothing was taken for now; try all again, not before the wait is over.
    Retry(Option<Duration>),
    /// The body is too large: send it in halves.
    TooLarge,
    /// Something in the body is wrong: send it in halves until what is wrong stands alone.
    Invalid,
    /// Nothing will be taken, however often it is tried.
    Reject,
    /// The endpoint is gone for good, and asks to be left alone: nothing is sent for the life of the process.
    Gone,
    /// The response claims success but says nothing that can be read: the events may have been taken, so they
    /// are neither sent again nor counted as sent.
    Unreadable,
    /// Each event has a result of its own; those not named were taken.
    Each {
        /// Results by event id; plain success may be left out.
        results: Vec<(Uuid, EventResult)>,
        /// Whether the protocol names every event, so that one which is missing counts as
        /// [`unconfirmed`](crate::Stats::unconfirmed).
        names_all: bool,
        /// Not before this wait is over may the events be tried again that ask for it.
        wait: Option<Duration>,
    },
}

/// The result of one event in a batch.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(tag = "result", content = "reason", rename_all = "snake_case")]
#[non_exhaustive]
pub enum EventResult {
    /// Taken, perhaps without all that was asked for.
    Taken,
    /// Not taken for now, with the endpoint's reason; try this one again.
    Retry(String),
    /// Refused for good, with the endpoint's reason.
    Dropped(String),
}

/// PostHog's table of statuses, which holds for all endpoints that say nothing else.
///
/// 501 and 505 and above are retried like every other server error: a proxy that is being replaced
/// answers with them too.
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
    fn every_status_of_the_table() {
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
