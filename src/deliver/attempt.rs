//! One attempt at one batch: gate, body, request, verdict.
//!
//! Never sleeps, and never sends what the gate no longer holds.

use std::cell::Cell;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::batch::Batch;
use super::halving::Halving;
use super::report::{DeliveryError, OnError, excerpt};
use super::retry::MAX_BAD_RESPONSES;
use super::worker::WorkerContext;
use crate::clock::later;
use crate::consent::GateState;
use crate::observe::{LossReason, Once, print_batch};
use crate::settings::{Compression, Retry};
use crate::timestamp::Timestamp;
use crate::transport::{Answer, Request, SendError, Transport};
use crate::wire::{Attempt, Envelope, Response, Verdict, compress};

/// What an attempt needs beside the batch.
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
    /// How often what is refused may still be cut in two.
    pub(crate) halving: Cell<Halving>,
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
    /// It is sent again after its other half.
    Deferred(Batch),
    /// The endpoint wants nothing more, ever.
    Gone,
}

/// What the answer said, as far as reports need it.
pub(super) struct Outcome {
    pub(super) status: Option<u16>,
    pub(super) detail: String,
}

impl BatchSender {
    /// Makes one attempt; `deadline` is that of a shutdown under way.
    pub(super) fn attempt(
        &self,
        mut batch: Batch,
        context: &WorkerContext,
        deadline: Option<Instant>,
    ) -> Settled {
        let events = batch.len() as u64;
        if !context.monitor.may_send(batch.generation) {
            let ids = batch.ids().to_vec();
            self.report(context, &DeliveryError::unsent(LossReason::ConsentWithdrawn, events, ids));
            return Settled::Ended(batch.into_buffer());
        }
        batch.attempts += 1;
        let attempt = Attempt { number: batch.attempts, at: Timestamp::of_clock(context.clock.wall()) };
        let body = batch.body(&*self.envelope, attempt);
        if self.prints {
            let hide = self.hide.as_ref().map(|(secret, shown)| (secret.as_str(), shown.as_str()));
            print_batch(body, hide, !self.is_dry_run);
        }
        if self.is_dry_run {
            context.counters.lost(LossReason::DryRun, events);
            return Settled::Ended(batch.into_buffer());
        }
        context.counters.request(events, attempt.number);
        let left = deadline.map(|deadline| deadline.saturating_duration_since(context.clock.now()));
        let answer = self.request(&mut batch, attempt, left);
        if answer == Err(SendError::Aborted)
            && context.monitor.gate().state() != GateState::Open(batch.generation)
        {
            // Cut by a shutdown or a withdrawal: the worker ends next, and counts under that reason. A transport
            // that says so by itself has failed like any other.
            return Settled::Waits(batch, later(context.clock.now(), self.retry.max_delay));
        }
        if let Err(SendError::BadResponse(why)) = &answer {
            batch.bad_responses += 1;
            warn_of_bad_response(why, context);
        }
        let (verdict, outcome) = self.judge(answer, context);
        self.settle(batch, verdict, outcome, context)
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
            max_response_bytes: self.envelope.max_response_bytes(),
        })
    }

    fn judge(&self, answer: Result<Answer, SendError>, context: &WorkerContext) -> (Verdict, Outcome) {
        match answer {
            Ok(answer) => {
                let verdict = self.envelope.verdict(&Response {
                    status: answer.status,
                    retry_after: answer.retry_after.as_deref(),
                    body: &answer.body,
                    is_complete: answer.is_complete,
                    now: Timestamp::of_clock(context.clock.wall()),
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
}

fn warn_of_bad_response(why: &str, context: &WorkerContext) {
    if context.counters.is_first(Once::BadResponse) {
        let why = excerpt(why);
        log::warn!(
            target: "candor",
            "the endpoint does not answer in readable HTTP ({why}): each batch is sent at most {MAX_BAD_RESPONSES} \
             times, then dropped; check the endpoint and what is between (logged once)"
        );
    }
}
