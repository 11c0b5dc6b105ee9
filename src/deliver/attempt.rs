//! One attempt at one batch: gate, body, request, verdict, counts.
//! Takes a batch; gives it back settled: ended, waiting, halved.
//! Never sleeps, and never sends what the gate no longer holds.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::batch::Batch;
use super::report::{DeliveryError, OnError, excerpt};
use super::retry::{Action, History, decide};
use super::worker::Parts;
use crate::config::{Compression, Retry};
use crate::event::Timestamp;
use crate::observe::{LossReason, print_batch};
use crate::transport::{Answer, Request, SendError, Transport};
use crate::wire::{Attempt, Envelope, EventResult, Response, Verdict, compress};

/// Asked before each attempt, and told when the endpoint is gone for good.
pub(crate) trait Overseer: Send {
    /// Looks at the sources of consent again; returns whether events may still be sent.
    fn may_send(&self) -> bool;
    /// The endpoint has asked to be left alone for good, with this status.
    fn gone(&self, status: u16);
}

/// What an attempt needs beside the batch.
pub(crate) struct Sending {
    pub(crate) envelope: Arc<dyn Envelope>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) overseer: Box<dyn Overseer>,
    pub(crate) url: String,
    pub(crate) timeout: Duration,
    pub(crate) compression: Compression,
    pub(crate) retry: Retry,
    pub(crate) on_error: OnError,
    pub(crate) prints: bool,
    pub(crate) is_dry_run: bool,
    /// The API key with what is shown in its place.
    pub(crate) hide: Option<(String, String)>,
}

/// What became of a batch.
#[derive(Debug)]
pub(crate) enum Settled {
    /// Nothing of it is left but its memory.
    Ended(Vec<u8>),
    /// It is sent again at this instant.
    Waits(Batch, Instant),
    /// Its halves are sent next.
    Halved([Batch; 2]),
    /// The endpoint wants nothing more, ever.
    Gone,
}

/// What the answer said, as far as reports need it.
struct Outcome {
    status: Option<u16>,
    detail: String,
}

impl Sending {
    /// Makes one attempt; `deadline` is that of a shutdown under way.
    pub(super) fn attempt(&self, mut batch: Batch, parts: &Parts, deadline: Option<Instant>) -> Settled {
        let events = batch.len() as u64;
        if !self.overseer.may_send() || !parts.gate.holds(batch.generation) {
            parts.counters.lost(LossReason::ConsentWithdrawn, events);
            return Settled::Ended(batch.into_spare());
        }
        batch.attempts += 1;
        let attempt = Attempt { number: batch.attempts, at: Timestamp::from(parts.clock.wall()) };
        let body = batch.body(&*self.envelope, attempt);
        if self.prints {
            let hide = self.hide.as_ref().map(|(secret, shown)| (secret.as_str(), shown.as_str()));
            print_batch(body, hide, !self.is_dry_run);
        }
        if self.is_dry_run {
            parts.counters.lost(LossReason::DryRun, events);
            return Settled::Ended(batch.into_spare());
        }
        parts.counters.request(events, attempt.number);
        let left = deadline.map(|deadline| deadline.saturating_duration_since(parts.clock.now()));
        let answer = self.request(&mut batch, attempt, left);
        if answer == Err(SendError::Aborted) {
            // Cut by a shutdown or a withdrawal: the worker ends next, and counts under that reason.
            let now = parts.clock.now();
            return Settled::Waits(batch, now + self.retry.max_delay);
        }
        let (verdict, outcome) = self.judge(answer, parts);
        self.settle(batch, verdict, outcome, parts)
    }

    fn request(
        &self,
        batch: &mut Batch,
        attempt: Attempt,
        left: Option<Duration>,
    ) -> Result<Answer, SendError> {
        let mut headers = vec![("content-type", "application/json".to_owned())];
        self.envelope.headers(&batch.info.clone(), attempt, &mut headers);
        let body = batch.body(&*self.envelope, attempt);
        let (packed, encoding) = match self.compression {
            Compression::None => (None, ""),
            Compression::Gzip => (compress::gzip(body), "gzip"),
            Compression::Deflate => (compress::deflate(body), "deflate"),
            Compression::Brotli => (compress::brotli(body), "br"),
            Compression::Zstd => (compress::zstd(body), "zstd"),
        };
        if packed.is_some() {
            headers.push(("content-encoding", encoding.to_owned()));
        }
        let timeout = left.map_or(self.timeout, |left| left.min(self.timeout)).max(Duration::from_millis(1));
        self.transport.send(&Request {
            url: &self.url,
            headers: &headers,
            body: packed.as_deref().unwrap_or(body),
            timeout,
            most_answer: self.envelope.most_answer(),
        })
    }

    fn judge(&self, answer: Result<Answer, SendError>, parts: &Parts) -> (Verdict, Outcome) {
        match answer {
            Ok(answer) => {
                let verdict = self.envelope.verdict(&Response {
                    status: answer.status,
                    retry_after: answer.retry_after.as_deref(),
                    body: &answer.body,
                    is_complete: answer.is_complete,
                    now: Timestamp::from(parts.clock.wall()),
                });
                let detail = match verdict {
                    Verdict::Done | Verdict::Each { .. } => String::new(),
                    _ => excerpt(&String::from_utf8_lossy(&answer.body)),
                };
                (verdict, Outcome { status: Some(answer.status), detail })
            }
            Err(error) => {
                (Verdict::Retry(None), Outcome { status: None, detail: excerpt(&error.to_string()) })
            }
        }
    }

    fn settle(&self, batch: Batch, verdict: Verdict, outcome: Outcome, parts: &Parts) -> Settled {
        let now = parts.clock.now();
        let history = History {
            attempts: batch.attempts,
            events: batch.len(),
            age: now.saturating_duration_since(batch.born),
        };
        let entropy = match verdict {
            Verdict::Retry(_) | Verdict::Each { .. } => Uuid::new_v4().as_u64_pair().0,
            _ => 0,
        };
        let action = decide(&self.retry, verdict, history, entropy);
        parts.counters.attempted(Timestamp::from(parts.clock.wall()).unix_millis(), action.as_str());
        let holds = parts.gate.holds(batch.generation);
        match action {
            Action::Done => {
                parts.counters.sent(batch.len() as u64);
                Settled::Ended(batch.into_spare())
            }
            Action::Part { results, names_all, then } => {
                let then = if holds { then } else { Err(LossReason::ConsentWithdrawn) };
                self.settle_each(batch, results, names_all, then, outcome.status, parts)
            }
            _ if !holds => {
                // Withdrawn while it was under way: whatever the answer, it is not sent again.
                parts.counters.lost(LossReason::ConsentWithdrawn, batch.len() as u64);
                Settled::Ended(batch.into_spare())
            }
            Action::RetryIn(delay) => {
                let (events, status) = (batch.len(), outcome.status);
                log::debug!(target: "candor", "{events} events are tried again in {delay:?}, status {status:?}");
                Settled::Waits(batch, now + delay)
            }
            Action::Halve => Settled::Halved(batch.halves([Uuid::new_v4(), Uuid::new_v4()])),
            Action::Drop(reason) => {
                self.report(parts, failure(reason, &batch, outcome));
                Settled::Ended(batch.into_spare())
            }
            Action::Stop => {
                self.overseer.gone(outcome.status.unwrap_or(0));
                self.report(parts, failure(LossReason::Rejected, &batch, outcome));
                Settled::Gone
            }
        }
    }

    /// Settles a batch whose events have results of their own.
    fn settle_each(
        &self,
        batch: Batch,
        results: Vec<(Uuid, EventResult)>,
        names_all: bool,
        then: Result<Duration, LossReason>,
        status: Option<u16>,
        parts: &Parts,
    ) -> Settled {
        let results: HashMap<Uuid, EventResult> = results.into_iter().collect();
        let (mut taken, mut unnamed) = (0, 0);
        let (mut refused, mut again) = (Vec::new(), Vec::new());
        for id in batch.ids() {
            match results.get(id) {
                Some(EventResult::Taken) => taken += 1,
                Some(EventResult::Dropped(why)) => refused.push((*id, EventResult::Dropped(excerpt(why)))),
                Some(EventResult::Retry(why)) => again.push((*id, EventResult::Retry(excerpt(why)))),
                None => unnamed += 1,
            }
        }
        parts.counters.sent(taken + unnamed);
        parts.counters.unconfirmed(if names_all { unnamed } else { 0 });
        if !refused.is_empty() {
            self.report(parts, failure_of_each(LossReason::Rejected, refused, status));
        }
        match then {
            _ if again.is_empty() => Settled::Ended(batch.into_spare()),
            Ok(delay) => {
                let asks = |id| matches!(results.get(id), Some(EventResult::Retry(_)));
                let ids = batch.ids();
                let rest = batch.select(|index| ids.get(index).is_some_and(asks));
                Settled::Waits(rest, parts.clock.now() + delay)
            }
            Err(reason) => {
                self.report(parts, failure_of_each(reason, again, status));
                Settled::Ended(batch.into_spare())
            }
        }
    }

    /// Counts a terminal failure, logs it and tells the host.
    fn report(&self, parts: &Parts, failure: DeliveryError) {
        // The endpoint's words may repeat an event, so they go to the hook and not to the log.
        let (count, reason, status) = (failure.events.len(), failure.reason, failure.status);
        parts.counters.lost(reason, count as u64);
        log::debug!(target: "candor", "{count} events lost: {reason}, status {status:?}");
        self.on_error.call(&failure);
    }
}

/// The failure of a whole batch.
fn failure(reason: LossReason, batch: &Batch, outcome: Outcome) -> DeliveryError {
    let Outcome { status, detail, .. } = outcome;
    DeliveryError { reason, events: batch.ids().to_vec(), results: Vec::new(), status, detail }
}

/// The failure of events with results of their own.
fn failure_of_each(
    reason: LossReason,
    results: Vec<(Uuid, EventResult)>,
    status: Option<u16>,
) -> DeliveryError {
    let events = results.iter().map(|(id, _)| *id).collect();
    DeliveryError { reason, events, results, status, detail: String::new() }
}
