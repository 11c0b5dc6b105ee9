//! Decides what follows a verdict. Never sleeps and never sends.

use std::time::Duration;

use super::halving::Cut;
use crate::observe::LossReason;
use crate::settings::Retry;
use crate::wire::{EventResult, Verdict};

use uuid::Uuid;

/// What to do with a batch after an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// All events were accepted.
    Done,
    /// Send the batch again after this wait.
    RetryIn(Duration),
    /// Send the batch in halves immediately.
    Halve,
    /// Send the batch again immediately after its other half.
    Defer,
    /// Drop the batch.
    Drop(LossReason),
    /// Drop the batch, and never send anything again.
    Stop,
    /// Settle each event by its result; those to be retried are sent again after the wait, or given up.
    Part { results: Vec<(Uuid, EventResult)>, names_all: bool, then: Result<Duration, LossReason> },
}

impl Action {
    /// Returns how the attempt ended, for people.
    pub(crate) fn as_str(&self) -> &'static str {
        match self {
            Self::Done => "delivered",
            Self::RetryIn(_) => "failed, will be retried",
            Self::Halve | Self::Defer => "refused, will be retried in parts",
            Self::Drop(_) => "refused",
            Self::Stop => "refused permanently",
            Self::Part { results, .. } if results.iter().all(|(_, it)| *it == EventResult::Accepted) => {
                "delivered"
            }
            Self::Part { .. } => "partly delivered",
        }
    }
}

/// The maximum number of attempts whose response is not readable HTTP. Such an endpoint seldom recovers, and it may
/// accept the events each time.
pub(crate) const MAX_BAD_RESPONSES: u32 = 5;

/// The state of a batch after an attempt.
#[derive(Clone, Copy, Debug)]
pub(crate) struct History {
    /// The number of attempts, including this one.
    pub(crate) attempts: u32,
    /// The number of attempts whose response was not readable HTTP.
    pub(crate) bad_responses: u32,
    /// The number of events in the batch.
    pub(crate) events: usize,
    /// What to do with it if it was refused.
    pub(crate) cut: Cut,
    /// The time since the batch was built.
    pub(crate) age: Duration,
}

/// Decides what follows a verdict; `entropy` adds jitter to the wait.
pub(crate) fn decide(policy: &Retry, verdict: Verdict, history: History, entropy: u64) -> Action {
    match verdict {
        Verdict::Done => Action::Done,
        Verdict::Unreadable => Action::Drop(LossReason::UnreadableResponse),
        Verdict::Gone => Action::Stop,
        Verdict::TooLarge | Verdict::Invalid if history.cut == Cut::Halve => Action::Halve,
        Verdict::TooLarge | Verdict::Invalid if history.cut == Cut::Defer => Action::Defer,
        Verdict::TooLarge if history.events == 1 => Action::Drop(LossReason::TooLarge),
        Verdict::TooLarge | Verdict::Invalid | Verdict::Reject => Action::Drop(LossReason::Rejected),
        Verdict::Retry(asked) => match wait(policy, asked, history, entropy) {
            Ok(delay) => Action::RetryIn(delay),
            Err(reason) => Action::Drop(reason),
        },
        Verdict::Each { results, names_all, wait: asked } => {
            Action::Part { results, names_all, then: wait(policy, asked, history, entropy) }
        }
    }
}

/// Returns how long to wait before the next attempt, or why there is none.
fn wait(
    policy: &Retry,
    asked: Option<Duration>,
    history: History,
    entropy: u64,
) -> Result<Duration, LossReason> {
    let has_spent_retries = policy.max_retries.is_some_and(|max| history.attempts > max);
    if has_spent_retries || history.bad_responses >= MAX_BAD_RESPONSES {
        return Err(LossReason::RetriesExhausted);
    }
    let delay =
        backoff(policy, history.attempts, entropy).max(asked.unwrap_or_default().min(policy.max_delay));
    if history.age.saturating_add(delay) > policy.max_age {
        return Err(LossReason::RetriesExhausted);
    }
    Ok(delay)
}

/// Doubles the base delay with each attempt, up to the maximum, and adds up to half of that as jitter. The jitter only
/// adds, since endpoints ask for a minimum wait, and it spreads the retries of clients that failed together.
fn backoff(policy: &Retry, attempts: u32, entropy: u64) -> Duration {
    let doublings = attempts.saturating_sub(1).min(31);
    let plain = policy.base.saturating_mul(1 << doublings).min(policy.max_delay);
    let half = u64::try_from((plain / 2).as_nanos()).unwrap_or(u64::MAX);
    plain.saturating_add(Duration::from_nanos(entropy % half.saturating_add(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    fn policy() -> Retry {
        Retry { max_retries: Some(3), ..Retry::default() }
    }

    fn after(attempts: u32) -> History {
        History { attempts, bad_responses: 0, events: 5, cut: Cut::Halve, age: Duration::ZERO }
    }

    #[test]
    fn n_retries_are_n_plus_one_requests() {
        for attempt in 1..=3 {
            assert!(matches!(decide(&policy(), Verdict::Retry(None), after(attempt), 0), Action::RetryIn(_)));
        }
        assert_eq!(
            decide(&policy(), Verdict::Retry(None), after(4), 0),
            Action::Drop(LossReason::RetriesExhausted)
        );
        let none = Retry { max_retries: Some(0), ..Retry::default() };
        assert_eq!(
            decide(&none, Verdict::Retry(None), after(1), 0),
            Action::Drop(LossReason::RetriesExhausted)
        );
    }

    #[test]
    fn the_wait_doubles_up_to_its_maximum_and_jitter_only_adds() {
        let policy = Retry::default();
        for (attempt, plain) in
            [(1, 500), (2, 1000), (3, 2000), (7, 30_000), (40, 30_000), (u32::MAX, 30_000)]
        {
            let plain = Duration::from_millis(plain);
            assert_eq!(backoff(&policy, attempt, 0), plain, "{attempt}");
            for entropy in [1, u64::MAX / 3, u64::MAX] {
                let delay = backoff(&policy, attempt, entropy);
                assert!(delay >= plain && delay <= plain + plain / 2, "{attempt}: {delay:?}");
            }
        }
    }

    #[test]
    fn a_very_long_wait_does_not_overflow() {
        let endless = Retry { base: Duration::MAX, max_delay: Duration::MAX, ..Retry::default() };
        assert_eq!(backoff(&endless, 1, u64::MAX), Duration::MAX);
    }

    #[test]
    fn peer_09_the_retries_of_a_thousand_clients_spread() {
        let waits: BTreeSet<Duration> = (0..1000_u64)
            .map(|client| backoff(&Retry::default(), 1, client.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
            .collect();
        assert!(waits.len() > 990, "{}", waits.len());
        let spread = waits.last().unwrap().saturating_sub(*waits.first().unwrap());
        assert!(spread > Duration::from_millis(200), "{spread:?}");
    }

    #[test]
    fn retry_after_is_a_minimum_and_is_capped() {
        let ask = |seconds| Verdict::Retry(Some(Duration::from_secs(seconds)));
        assert_eq!(decide(&policy(), ask(3), after(1), 0), Action::RetryIn(Duration::from_secs(3)));
        assert_eq!(decide(&policy(), ask(1), after(3), 0), Action::RetryIn(Duration::from_secs(2)));
        assert_eq!(decide(&policy(), ask(3600), after(1), 0), Action::RetryIn(Duration::from_secs(30)));
    }

    #[test]
    fn an_endpoint_that_does_not_speak_http_gets_five_attempts() {
        let unlimited = Retry::default();
        let bad = |attempts, bad_responses| History { bad_responses, ..after(attempts) };
        for (attempts, bad_responses) in [(1, 1), (4, 4), (900, 4)] {
            let action = decide(&unlimited, Verdict::Retry(None), bad(attempts, bad_responses), 0);
            assert!(matches!(action, Action::RetryIn(_)), "{attempts} {bad_responses}");
        }
        assert_eq!(
            decide(&unlimited, Verdict::Retry(None), bad(5, 5), 0),
            Action::Drop(LossReason::RetriesExhausted)
        );
    }

    #[test]
    fn a_batch_that_is_too_old_is_given_up() {
        let old = History { age: Duration::from_secs(24 * 60 * 60), ..after(1) };
        let unlimited = Retry::default();
        assert_eq!(
            decide(&unlimited, Verdict::Retry(None), old, 0),
            Action::Drop(LossReason::RetriesExhausted)
        );
        let young = History { age: Duration::from_secs(60 * 60), ..after(200) };
        assert!(matches!(decide(&unlimited, Verdict::Retry(None), young, 0), Action::RetryIn(_)));
    }

    #[test]
    fn a_refused_batch_is_halved_until_one_event_is_left() {
        let single = History { events: 1, cut: Cut::GiveUp, ..after(1) };
        let first = History { cut: Cut::Defer, ..after(1) };
        let spent = History { cut: Cut::GiveUp, ..after(1) };
        for verdict in [Verdict::TooLarge, Verdict::Invalid] {
            assert_eq!(decide(&policy(), verdict.clone(), after(1), 0), Action::Halve);
            assert_eq!(decide(&policy(), verdict.clone(), first, 0), Action::Defer);
            assert_eq!(decide(&policy(), verdict, spent, 0), Action::Drop(LossReason::Rejected));
        }
        assert_eq!(decide(&policy(), Verdict::TooLarge, single, 0), Action::Drop(LossReason::TooLarge));
        assert_eq!(decide(&policy(), Verdict::Invalid, single, 0), Action::Drop(LossReason::Rejected));
    }
}
