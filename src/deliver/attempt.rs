//! One attempt at one batch: gate, body, request, verdict, counts.
//! Takes a batch; gives it back settled: ended, waiting, halved.
//! Never sleeps, and never sends what the gate no longer holds.

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
use crate::wire::{Attempt, Envelope, Response, Verdict, compress};

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

/// What came of the request, as far as reports need it.
struct Outcome {
    verdict: Verdict,
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
        let outcome = self.judge(answer, parts);
        self.settle(batch, outcome, parts)
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

    fn judge(&self, answer: Result<Answer, SendError>, parts: &Parts) -> Outcome {
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
                Outcome { verdict, status: Some(answer.status), detail }
            }
            Err(error) => {
                Outcome { verdict: Verdict::Retry(None), status: None, detail: excerpt(&error.to_string()) }
            }
        }
    }

    fn settle(&self, batch: Batch, outcome: Outcome, parts: &Parts) -> Settled {
        let now = parts.clock.now();
        let history = History {
            attempts: batch.attempts,
            events: batch.len(),
            age: now.saturating_duration_since(batch.born),
        };
        let entropy = match outcome.verdict {
            Verdict::Retry(_) | Verdict::Each { .. } => Uuid::new_v4().as_u64_pair().0,
            _ => 0,
        };
        let action = decide(&self.retry, outcome.verdict, history, entropy);
        parts.counters.attempted(Timestamp::from(parts.clock.wall()).unix_millis(), action.as_str());
        if action != Action::Done && !parts.gate.holds(batch.generation) {
            // Withdrawn while it was under way: whatever the answer, it is not sent again.
            parts.counters.lost(LossReason::ConsentWithdrawn, batch.len() as u64);
            return Settled::Ended(batch.into_spare());
        }
        match action {
            Action::Done => {
                parts.counters.sent(batch.len() as u64);
                Settled::Ended(batch.into_spare())
            }
            Action::RetryIn(delay) => {
                let (events, status) = (batch.len(), outcome.status);
                log::debug!(target: "candor", "{events} events are tried again in {delay:?}, status {status:?}");
                Settled::Waits(batch, now + delay)
            }
            Action::Halve => Settled::Halved(batch.halves()),
            Action::Drop(reason) => {
                self.report(parts, reason, batch.ids().to_vec(), outcome.status, outcome.detail);
                Settled::Ended(batch.into_spare())
            }
            Action::Stop => {
                self.overseer.gone(outcome.status.unwrap_or(0));
                self.report(
                    parts,
                    LossReason::Rejected,
                    batch.ids().to_vec(),
                    outcome.status,
                    outcome.detail,
                );
                Settled::Gone
            }
            Action::Part { dropped, again, then } => {
                self.settle_each(&batch, dropped, &again, then, outcome.status, parts)
            }
        }
    }

    /// Settles a batch whose events have results of their own.
    fn settle_each(
        &self,
        batch: &Batch,
        dropped: Vec<(Uuid, String)>,
        again: &[Uuid],
        then: Result<Duration, LossReason>,
        status: Option<u16>,
        parts: &Parts,
    ) -> Settled {
        let ids = batch.ids();
        let rest = batch.select(|index| ids.get(index).is_some_and(|id| again.contains(id)));
        let refused: Vec<_> = dropped.into_iter().filter(|(id, _)| ids.contains(id)).collect();
        let done = batch.len().saturating_sub(rest.len() + refused.len());
        parts.counters.sent(done as u64);
        for (id, why) in refused {
            self.report(parts, LossReason::Rejected, vec![id], status, excerpt(&why));
        }
        match then {
            _ if rest.len() == 0 => Settled::Ended(Vec::new()),
            Ok(delay) => Settled::Waits(rest, parts.clock.now() + delay),
            Err(reason) => {
                self.report(parts, reason, rest.ids().to_vec(), status, String::new());
                Settled::Ended(Vec::new())
            }
        }
    }

    /// Counts a terminal failure, logs it and tells the host.
    fn report(
        &self,
        parts: &Parts,
        reason: LossReason,
        events: Vec<Uuid>,
        status: Option<u16>,
        detail: String,
    ) {
        parts.counters.lost(reason, events.len() as u64);
        // The endpoint's words may repeat an event, so they go to the hook and not to the log.
        let count = events.len();
        log::debug!(target: "candor", "{count} events lost: {reason}, status {status:?}");
        self.on_error.call(&DeliveryError { reason, events, status, detail });
    }
}
