//! Sends a batch once, and carries out what the answer means for it.
//!
//! Never sleeps, and never sends what the gate no longer holds.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::batch::Batch;
use super::halving::{Cut, Halving};
use super::report::{DeliveryError, OnError, excerpt};
use super::retry::{Action, History, MAX_BAD_RESPONSES, decide};
use crate::clock::{Clock, later};
use crate::consent::{ConsentMonitor, GateState};
use crate::observe::sent_log::{SentLog, SentRequest};
use crate::observe::{Counters, LossReason, Once, print_batch};
use crate::settings::{Compression, Retry};
use crate::timestamp::Timestamp;
use crate::transport::{Answer, Request, SendError, Transport};
use crate::wire::{Attempt, Envelope, EventResult, Response, Verdict, compress};

/// Sends batches, one attempt at a time, and carries out what the answer means: counts, reports, and what is left.
pub(crate) struct BatchSender {
    pub(crate) envelope: Arc<dyn Envelope>,
    pub(crate) transport: Arc<dyn Transport>,
    pub(crate) url: String,
    pub(crate) timeout: Duration,
    pub(crate) compression: Compression,
    pub(crate) retry: Retry,
    pub(crate) on_error: OnError,
    pub(crate) prints: bool,
    pub(crate) is_dry_run: bool,
    /// The API key with what is shown in its place.
    pub(crate) hide: Option<(String, String)>,
    /// The log on this machine, if one is kept.
    pub(crate) sent_log: Option<SentLog>,
    /// How often what is refused may still be cut in two.
    pub(crate) halving: Cell<Halving>,
    /// Asked before each attempt, and told when the endpoint is gone for good.
    pub(crate) monitor: Arc<ConsentMonitor>,
    pub(crate) counters: Arc<Counters>,
    pub(crate) clock: Clock,
}

/// What became of a batch.
#[derive(Debug)]
pub(crate) enum AttemptResult {
    /// Nothing of it is left but its memory.
    Ended(Vec<u8>),
    /// It is sent again at this instant.
    Waits(Batch, Instant),
    /// Its halves are sent next.
    Halved([Batch; 2]),
    /// It is sent again after its other half.
    Deferred(Batch),
    /// The endpoint wants nothing more, ever.
    Gone,
}

/// What the answer said, as far as reports need it.
struct ResponseInfo {
    status: Option<u16>,
    detail: String,
}

impl BatchSender {
    /// Sends the batch once; `deadline` is that of a shutdown under way.
    pub(super) fn attempt(&self, mut batch: Batch, deadline: Option<Instant>) -> AttemptResult {
        let events = batch.len() as u64;
        if !self.monitor.may_send(batch.generation) {
            let ids = batch.ids().to_vec();
            self.report(&DeliveryError::unsent(LossReason::ConsentWithdrawn, events, ids));
            return AttemptResult::Ended(batch.into_buffer());
        }
        batch.attempts += 1;
        let attempt = Attempt { number: batch.attempts, at: Timestamp::of_clock(self.clock.wall()) };
        batch.finish(&*self.envelope, attempt);
        if self.prints {
            let hide = self.hide.as_ref().map(|(secret, shown)| (secret.as_str(), shown.as_str()));
            print_batch(batch.body(), hide, !self.is_dry_run);
        }
        if self.is_dry_run {
            self.counters.lost(LossReason::DryRun, events);
            return AttemptResult::Ended(batch.into_buffer());
        }
        self.counters.request(events, attempt.number);
        let left = deadline.map(|deadline| deadline.saturating_duration_since(self.clock.now()));
        let answer = self.request(&batch, attempt, left);
        if answer == Err(SendError::Aborted)
            && self.monitor.gate().state() != GateState::Open(batch.generation)
        {
            // Cut by a shutdown or a withdrawal: the worker ends next, and counts under that reason. A transport
            // that says so by itself has failed like any other.
            return AttemptResult::Waits(batch, later(self.clock.now(), self.retry.max_delay));
        }
        if let Err(SendError::BadResponse(why)) = &answer {
            batch.bad_responses += 1;
            self.warn_of_bad_response(why);
        }
        if let Ok(answer) = &answer {
            self.log_sent(&batch, answer.status);
        }
        let (verdict, info) = self.judge(answer);
        self.settle(batch, verdict, info)
    }

    fn request(&self, batch: &Batch, attempt: Attempt, left: Option<Duration>) -> Result<Answer, SendError> {
        let mut headers = vec![("content-type", "application/json".to_owned())];
        self.envelope.headers(&batch.info, attempt, &mut headers);
        let body = batch.body();
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
            max_response_bytes: self.envelope.max_response_bytes(),
        })
    }

    /// Logs a request that was answered, unless consent is gone by now.
    fn log_sent(&self, batch: &Batch, status: u16) {
        let Some(sent_log) = &self.sent_log else { return };
        let at = Timestamp::of_clock(self.clock.wall()).to_rfc3339();
        let sent = SentRequest { at: &at, events: batch.len() as u64, status, body: batch.body() };
        sent_log.append(&sent, || self.monitor.gate().may_send(batch.generation));
    }

    fn judge(&self, answer: Result<Answer, SendError>) -> (Verdict, ResponseInfo) {
        match answer {
            Ok(answer) => {
                let verdict = self.envelope.verdict(&Response {
                    status: answer.status,
                    retry_after: answer.retry_after.as_deref(),
                    body: &answer.body,
                    is_complete: answer.is_complete,
                    now: Timestamp::of_clock(self.clock.wall()),
                });
                let detail = match verdict {
                    Verdict::Done | Verdict::Each { .. } => String::new(),
                    _ => excerpt(&String::from_utf8_lossy(&answer.body)),
                };
                (verdict, ResponseInfo { status: Some(answer.status), detail })
            }
            Err(error) => {
                (Verdict::Retry(None), ResponseInfo { status: None, detail: excerpt(&error.to_string()) })
            }
        }
    }

    /// Decides what follows a verdict, and does it.
    fn settle(&self, batch: Batch, verdict: Verdict, info: ResponseInfo) -> AttemptResult {
        let now = self.clock.now();
        let history = History {
            attempts: batch.attempts,
            bad_responses: batch.bad_responses,
            events: batch.len(),
            cut: self.cut(&batch, &verdict),
            age: now.saturating_duration_since(batch.born),
        };
        let entropy = match verdict {
            Verdict::Retry(_) | Verdict::Each { .. } => Uuid::new_v4().as_u64_pair().0,
            _ => 0,
        };
        let action = decide(&self.retry, verdict, history, entropy);
        self.counters.attempted(Timestamp::of_clock(self.clock.wall()).unix_millis(), action.as_str());
        let holds = self.monitor.gate().may_send(batch.generation);
        match action {
            Action::Done => {
                self.counters.sent(batch.len() as u64);
                AttemptResult::Ended(batch.into_buffer())
            }
            Action::Part { results, names_all, then } => {
                let then = if holds { then } else { Err(LossReason::ConsentWithdrawn) };
                self.settle_each(batch, results, names_all, then, info.status)
            }
            _ if !holds => {
                // Withdrawn while it was under way: whatever the answer, it is not sent again.
                self.report(&failure(LossReason::ConsentWithdrawn, &batch, info));
                AttemptResult::Ended(batch.into_buffer())
            }
            Action::RetryIn(delay) => {
                let (events, status) = (batch.len(), info.status);
                log::debug!(target: "candor", "{events} events are tried again in {delay:?}, status {status:?}");
                AttemptResult::Waits(batch, later(now, delay))
            }
            Action::Halve => AttemptResult::Halved(batch.halves([Uuid::new_v4(), Uuid::new_v4()])),
            Action::Defer => AttemptResult::Deferred(batch.deferred()),
            Action::Drop(reason) => {
                self.report(&failure(reason, &batch, info));
                AttemptResult::Ended(batch.into_buffer())
            }
            Action::Stop => {
                self.monitor.stop(info.status.unwrap_or(0));
                self.report(&failure(LossReason::Rejected, &batch, info));
                AttemptResult::Gone
            }
        }
    }

    /// Keeps count of what is refused and accepted; says what may be done with a batch that was refused.
    fn cut(&self, batch: &Batch, verdict: &Verdict) -> Cut {
        let mut halving = self.halving.get();
        let mut cut = Cut::GiveUp;
        match verdict {
            Verdict::TooLarge | Verdict::Invalid => cut = halving.refused(batch.len(), batch.part),
            Verdict::Done | Verdict::Each { .. } => halving.accepted(),
            _ => {}
        }
        self.halving.set(halving);
        cut
    }

    /// Settles a batch whose events have results of their own.
    fn settle_each(
        &self,
        batch: Batch,
        results: Vec<(Uuid, EventResult)>,
        names_all: bool,
        then: Result<Duration, LossReason>,
        status: Option<u16>,
    ) -> AttemptResult {
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
        self.counters.sent(taken + unnamed);
        self.counters.unconfirmed(if names_all { unnamed } else { 0 });
        if !refused.is_empty() {
            self.report(&failure_of_each(LossReason::Rejected, refused, status));
        }
        match then {
            _ if again.is_empty() => AttemptResult::Ended(batch.into_buffer()),
            Ok(delay) => {
                let asks = |id| matches!(results.get(id), Some(EventResult::Retry(_)));
                let ids = batch.ids();
                let rest = batch.select(|index| ids.get(index).is_some_and(asks));
                AttemptResult::Waits(rest, later(self.clock.now(), delay))
            }
            Err(reason) => {
                self.report(&failure_of_each(reason, again, status));
                AttemptResult::Ended(batch.into_buffer())
            }
        }
    }

    /// Counts a terminal failure, logs it and tells the application.
    pub(super) fn report(&self, failure: &DeliveryError) {
        // The endpoint's words may repeat an event, so they go to the hook and not to the log.
        let DeliveryError { count, reason, status, .. } = *failure;
        if count == 0 {
            return;
        }
        self.counters.lost(reason, count);
        log::debug!(target: "candor", "{count} events lost: {reason}, status {status:?}");
        self.on_error.call(failure);
    }

    fn warn_of_bad_response(&self, why: &str) {
        if self.counters.is_first(Once::BadResponse) {
            let why = excerpt(why);
            log::warn!(
                target: "candor",
                "the endpoint does not answer in readable HTTP ({why}): each batch is sent at most {MAX_BAD_RESPONSES} \
                 times, then dropped; check the endpoint and what is between (logged once)"
            );
        }
    }
}

/// The failure of a whole batch.
fn failure(reason: LossReason, batch: &Batch, info: ResponseInfo) -> DeliveryError {
    let ResponseInfo { status, detail, .. } = info;
    DeliveryError {
        status,
        detail,
        ..DeliveryError::unsent(reason, batch.len() as u64, batch.ids().to_vec())
    }
}

/// The failure of events with results of their own.
fn failure_of_each(
    reason: LossReason,
    results: Vec<(Uuid, EventResult)>,
    status: Option<u16>,
) -> DeliveryError {
    let events: Vec<Uuid> = results.iter().map(|(id, _)| *id).collect();
    DeliveryError { results, status, ..DeliveryError::unsent(reason, events.len() as u64, events) }
}
