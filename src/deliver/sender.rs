//! Sends a batch once, and acts on the response.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use uuid::Uuid;

use super::awaited::{Awaited, Delivered};
use super::batch::Batch;
use super::halving::{Cut, Halving};
use super::report::{DeliveryError, OnError};
use super::retry::{Action, History, MAX_BAD_RESPONSES, decide};
use super::secrets::Secrets;
use crate::clock::{Clock, later};
use crate::consent::{ConsentMonitor, GateState};
use crate::observe::sent_log::{SentLog, SentRequest};
use crate::observe::{Counters, LossReason, Once, print_batch, print_line, print_result};
use crate::settings::Retry;
use crate::timestamp::Timestamp;
use crate::transport::{Request, Response, SendError, Transport};
use crate::wire::codec::Compression;
use crate::wire::{Attempt, Envelope, EventResult, Verdict};

/// Sends batches, one attempt at a time, and acts on the response: counts events, reports losses, and returns what is
/// left to send.
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
    pub(crate) secrets: Secrets,
    /// The local log of sent batches, if one is kept.
    pub(crate) sent_log: Option<SentLog>,
    /// Whether there is a spool: batches that would be given up are returned, to be kept on disk.
    pub(crate) keeps: bool,
    /// The budget for cutting refused batches in two.
    pub(crate) halving: Cell<Halving>,
    /// Why the last attempt failed; `None` if it was accepted.
    pub(crate) last_failure: RefCell<Option<ResponseInfo>>,
    /// Checked before each attempt, and notified if the endpoint is gone for good.
    pub(crate) monitor: Arc<ConsentMonitor>,
    pub(crate) counters: Arc<Counters>,
    /// The callers that wait for the delivery of an event.
    pub(crate) awaited: Arc<Awaited>,
    pub(crate) clock: Clock,
}

/// A request that is ready to be sent, with the body of its batch.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
    timeout: Duration,
}

/// The transport's result of a request.
pub(super) type RequestResult = Result<Response, SendError>;

/// What became of a batch after an attempt.
#[derive(Debug)]
pub(crate) enum AttemptResult {
    /// It is settled; its memory can be reused.
    Ended(Vec<u8>),
    /// It is sent again at this instant.
    Waits(Batch, Instant),
    /// Its halves are sent next.
    Halved([Batch; 2]),
    /// It is sent again after its other half.
    Deferred(Batch),
    /// It would be given up, but may be kept on disk; the failure is reported if that does not work.
    Kept(Batch, DeliveryError),
    /// The endpoint is gone for good.
    Gone,
}

/// The part of a response that reports need.
#[derive(Clone, Debug, Default)]
pub(crate) struct ResponseInfo {
    pub(super) status: Option<u16>,
    /// The message of the endpoint or the transport, without secrets.
    pub(super) detail: String,
}

impl fmt::Display for ResponseInfo {
    /// Writes the status or the transport's message. The endpoint's message is left out, since it may repeat an event.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.status {
            Some(status) => write!(f, "status {status}"),
            None => f.write_str(&self.detail),
        }
    }
}

impl BatchSender {
    /// Checks the gate and turns the batch into a request; `deadline` is that of a shutdown in progress.
    ///
    /// If no request is to be sent, the batch is settled and its memory is returned as the error.
    pub(super) fn prepare(
        &self,
        mut batch: Batch,
        deadline: Option<Instant>,
    ) -> Result<(Batch, Outgoing), Vec<u8>> {
        let events = batch.len() as u64;
        if !self.monitor.may_send(batch.generation) {
            let ids = batch.ids().to_vec();
            self.report(&DeliveryError::unsent(LossReason::ConsentWithdrawn, events, ids));
            return Err(batch.into_buffer());
        }
        batch.attempts += 1;
        let attempt = Attempt { number: batch.attempts, at: Timestamp::of_clock(self.clock.wall()) };
        batch.finish(&*self.envelope, attempt);
        if self.prints {
            let hide = self.secrets.api_key.as_ref().map(|(secret, shown)| (secret.as_str(), shown.as_str()));
            print_batch(batch.body(), hide, !self.is_dry_run);
        }
        if self.is_dry_run {
            self.counters.lost(LossReason::DryRun, events);
            self.awaited.settle(batch.ids(), Delivered::Lost(LossReason::DryRun));
            return Err(batch.into_buffer());
        }
        self.counters.request(events, attempt.number);
        let left = deadline.map(|deadline| deadline.saturating_duration_since(self.clock.now()));
        let headers = self.headers(&batch, attempt);
        let timeout = left.map_or(self.timeout, |left| left.min(self.timeout)).max(Duration::from_millis(1));
        let outgoing = Outgoing { headers, body: batch.lend_body(), timeout };
        Ok((batch, outgoing))
    }

    /// Returns a function that compresses and sends requests on any thread.
    pub(super) fn requester(&self) -> impl Fn(&Outgoing) -> RequestResult + Send + 'static {
        let (transport, url, compression) = (Arc::clone(&self.transport), self.url.clone(), self.compression);
        let max_response_bytes = self.envelope.limits().max_response_bytes;
        move |outgoing| request(&*transport, &url, compression, max_response_bytes, outgoing)
    }

    /// Compresses the body and sends the request on this thread.
    pub(super) fn request(&self, outgoing: &Outgoing) -> RequestResult {
        let max_response_bytes = self.envelope.limits().max_response_bytes;
        request(&*self.transport, &self.url, self.compression, max_response_bytes, outgoing)
    }

    /// Acts on the response to the batch.
    pub(super) fn finish(
        &self,
        mut batch: Batch,
        outgoing: Outgoing,
        result: RequestResult,
    ) -> AttemptResult {
        let Outgoing { body, headers, .. } = outgoing;
        batch.take_back(body);
        if result == Err(SendError::Aborted)
            && self.monitor.gate().state() != GateState::Open(batch.generation)
        {
            // Aborted by a shutdown or a withdrawal: the worker ends next, and counts the events under that reason. A
            // transport that aborts without being told to has failed like any other.
            let info = ResponseInfo { status: None, detail: SendError::Aborted.to_string() };
            self.last_failure.borrow_mut().get_or_insert(info);
            if self.prints {
                print_result(format_args!("aborted: the client was shut down, or consent was withdrawn"));
            }
            return AttemptResult::Waits(batch, later(self.clock.now(), self.retry.max_delay));
        }
        batch.was_never_sent = matches!(result, Err(SendError::NotSent(_)));
        let is_bad_response = matches!(result, Err(SendError::BadResponse(_)));
        batch.bad_responses += u32::from(is_bad_response);
        if let Ok(response) = &result {
            self.log_sent(&batch, response.status);
        }
        let (verdict, info) = self.interpret(result, &headers);
        if is_bad_response {
            self.warn_of_bad_response(&info);
        }
        self.settle(batch, verdict, info)
    }

    fn headers(&self, batch: &Batch, attempt: Attempt) -> Vec<(&'static str, String)> {
        let mut headers = vec![("content-type", "application/json".to_owned())];
        self.envelope.headers(&batch.info, attempt, &mut headers);
        headers
    }

    /// Logs a request that got a response, unless consent has been withdrawn meanwhile.
    fn log_sent(&self, batch: &Batch, status: u16) {
        let Some(sent_log) = &self.sent_log else { return };
        let at = Timestamp::of_clock(self.clock.wall()).to_rfc3339();
        let sent = SentRequest { at: &at, events: batch.len() as u64, status, body: batch.body() };
        sent_log.append(&sent, || self.monitor.gate().may_send(batch.generation));
    }

    fn interpret(
        &self,
        result: RequestResult,
        headers: &[(&'static str, String)],
    ) -> (Verdict, ResponseInfo) {
        match result {
            Ok(mut response) => {
                response.received_at = Timestamp::of_clock(self.clock.wall());
                let verdict = self.envelope.verdict(&response);
                let detail = match verdict {
                    Verdict::Done | Verdict::Each { .. } => String::new(),
                    _ => self.secrets.excerpt(&String::from_utf8_lossy(&response.body), headers),
                };
                (verdict, ResponseInfo { status: Some(response.status), detail })
            }
            Err(error) => {
                let detail = self.secrets.excerpt(&error.to_string(), headers);
                (Verdict::Retry(None), ResponseInfo { status: None, detail })
            }
        }
    }

    /// Decides what follows a verdict, and acts on it.
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
        self.note(&action, &info);
        if self.prints {
            print_result(format_args!("{}", Outcome { events: batch.len(), action: &action, info: &info }));
        }
        let holds = self.monitor.gate().may_send(batch.generation);
        match action {
            Action::Done => {
                self.counters.sent(batch.len() as u64);
                self.awaited.settle(batch.ids(), Delivered::Accepted);
                AttemptResult::Ended(batch.into_buffer())
            }
            Action::Part { results, names_all, then } => {
                let then = if holds { then } else { Err(LossReason::ConsentWithdrawn) };
                self.settle_each(batch, results, names_all, then, info.status)
            }
            _ if !holds => {
                // Consent was withdrawn during the request: whatever the response, the batch is not sent again.
                self.report(&failure(LossReason::ConsentWithdrawn, &batch, info));
                AttemptResult::Ended(batch.into_buffer())
            }
            Action::RetryIn(delay) => {
                if !self.prints {
                    let events = batch.len();
                    log::debug!(target: "candor", "{events} events will be retried in {delay:?}: {info}");
                }
                AttemptResult::Waits(batch, later(now, delay))
            }
            Action::Halve => AttemptResult::Halved(batch.halves([Uuid::new_v4(), Uuid::new_v4()])),
            Action::Defer => AttemptResult::Deferred(batch.deferred()),
            Action::Drop(reason)
                if self.keeps
                    && batch.bad_responses < MAX_BAD_RESPONSES
                    && is_worth_keeping(reason, info.status) =>
            {
                let failure = failure(reason, &batch, info);
                AttemptResult::Kept(batch, failure)
            }
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

    /// Updates the budget for cutting, and returns what to do with a refused batch.
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

    /// Settles a batch with a result for each event.
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
        let (mut accepted, mut refused, mut again) = (Vec::new(), Vec::new(), Vec::new());
        for id in batch.ids() {
            match results.get(id) {
                Some(EventResult::Accepted) => {
                    taken += 1;
                    accepted.push(*id);
                }
                Some(EventResult::Dropped(why)) => {
                    refused.push((*id, EventResult::Dropped(self.secrets.excerpt(why, &[]))));
                }
                Some(EventResult::Retry(why)) => {
                    again.push((*id, EventResult::Retry(self.secrets.excerpt(why, &[]))));
                }
                None => {
                    unnamed += 1;
                    accepted.push(*id);
                }
            }
        }
        self.counters.sent(taken + unnamed);
        self.awaited.settle(&accepted, Delivered::Accepted);
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

    /// Counts lost events, logs them and calls the application's hook.
    pub(super) fn report(&self, failure: &DeliveryError) {
        // The endpoint's message may repeat an event, so it is passed to the hook but not logged.
        let DeliveryError { count, reason, status, .. } = *failure;
        if count == 0 {
            return;
        }
        self.counters.lost(reason, count);
        self.awaited.settle(&failure.events, Delivered::Lost(reason));
        let status = status.map_or(String::new(), |status| format!(", status {status}"));
        print_line(log::Level::Debug, self.prints, format_args!("{} lost: {reason}{status}", Events(count)));
        self.on_error.call(failure);
    }

    fn warn_of_bad_response(&self, info: &ResponseInfo) {
        if self.counters.is_first(Once::BadResponse) {
            self.counters.is_first(Once::Failure);
            log::warn!(
                target: "candor",
                "events could not be delivered ({info}): each batch is sent at most {MAX_BAD_RESPONSES} times, then \
                 dropped; check the endpoint's URL and any proxy in between (logged once)"
            );
        }
    }

    /// Records how the attempt ended, and warns about the first failure.
    fn note(&self, action: &Action, info: &ResponseInfo) {
        let is_failure = !matches!(action, Action::Done | Action::Part { .. });
        *self.last_failure.borrow_mut() = is_failure.then(|| info.clone());
        let is_unauthorised = matches!(info.status, Some(401 | 403));
        let mut words = action.as_str().to_owned();
        if is_failure {
            let _ = write!(words, ": {info}");
            if is_unauthorised && !info.detail.is_empty() {
                let _ = write!(words, ", {}", info.detail);
            }
        }
        self.counters.attempted(Timestamp::of_clock(self.clock.wall()).unix_millis(), words);
        if is_failure {
            self.warn_of_failure(action, info, is_unauthorised);
        }
    }

    fn warn_of_failure(&self, action: &Action, info: &ResponseInfo, is_unauthorised: bool) {
        let is_first = self.counters.is_first(Once::Failure);
        if is_unauthorised {
            if self.counters.is_first(Once::Unauthorised) {
                let detail = &info.detail;
                log::warn!(
                    target: "candor",
                    "the endpoint refused events with {info}: \"{detail}\"; check the API key (logged once)"
                );
            }
        } else if is_first {
            let what = match action {
                Action::RetryIn(_) => "they are kept and will be retried",
                Action::Halve | Action::Defer => "they will be retried in parts",
                _ => "they are dropped",
            };
            log::warn!(
                target: "candor",
                "events could not be delivered ({info}): {what}; see Client::status and Client::stats (logged once)"
            );
        }
    }
}

/// A number of events, in words.
struct Events(u64);

impl fmt::Display for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, if self.0 == 1 { "event" } else { "events" })
    }
}

/// How an attempt ended and what follows, as debugging prints it: with the endpoint's message, since debugging shows
/// the events as well.
struct Outcome<'a> {
    events: usize,
    action: &'a Action,
    info: &'a ResponseInfo,
}

impl fmt::Display for Outcome<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { events, action, info } = *self;
        match action {
            Action::Done => return write!(f, "delivered {} ({info})", Events(events as u64)),
            Action::Part { results, then, .. } => {
                let not_taken = results.iter().filter(|(_, it)| *it != EventResult::Accepted).count();
                let again = results.iter().filter(|(_, it)| matches!(it, EventResult::Retry(_))).count();
                let taken = events.saturating_sub(not_taken);
                write!(f, "delivered {taken} of {} ({info})", Events(events as u64))?;
                return match then {
                    Ok(delay) if again > 0 => write!(f, "; retrying {again} in {:.2} s", delay.as_secs_f64()),
                    _ => Ok(()),
                };
            }
            _ if info.status.is_none() => write!(f, "failed: {info}")?,
            Action::RetryIn(_) => write!(f, "failed with {info}")?,
            _ => write!(f, "refused with {info}")?,
        }
        if info.status.is_some() && !info.detail.is_empty() {
            write!(f, ": \"{}\"", info.detail)?;
        }
        match (action, info.status) {
            (Action::RetryIn(delay), _) => write!(f, "; retrying in {:.2} s", delay.as_secs_f64())?,
            (Action::Halve | Action::Defer, _) => f.write_str("; sending it again in parts")?,
            (Action::Stop, _) => f.write_str("; nothing more will be sent")?,
            _ => {}
        }
        match info.status {
            Some(401 | 403) => f.write_str("; check the API key"),
            Some(404) => f.write_str("; check the endpoint's URL"),
            _ => Ok(()),
        }
    }
}

/// Returns whether a later run may deliver what this one gives up: the endpoint was unreachable, or it refused the
/// client itself.
fn is_worth_keeping(reason: LossReason, status: Option<u16>) -> bool {
    match reason {
        LossReason::RetriesExhausted => true,
        LossReason::Rejected => is_refusal(status),
        _ => false,
    }
}

/// Returns whether a status refuses the client itself, rather than the events it sent.
pub(super) fn is_refusal(status: Option<u16>) -> bool {
    matches!(status, Some(401 | 403 | 404))
}

/// Compresses the body and sends the request.
fn request(
    transport: &dyn Transport,
    url: &str,
    compression: Compression,
    max_response_bytes: usize,
    outgoing: &Outgoing,
) -> RequestResult {
    let (body, encoding) = compression.encode(&outgoing.body);
    let mut headers = Cow::Borrowed(&*outgoing.headers);
    if let Some(encoding) = encoding {
        headers.to_mut().push(("content-encoding", encoding.to_owned()));
    }
    transport.send(&Request {
        url,
        headers: &headers,
        body: &body,
        timeout: outgoing.timeout,
        max_response_bytes,
    })
}

/// Creates the report of a lost batch.
fn failure(reason: LossReason, batch: &Batch, info: ResponseInfo) -> DeliveryError {
    let ResponseInfo { status, detail, .. } = info;
    DeliveryError {
        status,
        detail,
        ..DeliveryError::unsent(reason, batch.len() as u64, batch.ids().to_vec())
    }
}

/// Creates the report of lost events that each have a result.
fn failure_of_each(
    reason: LossReason,
    results: Vec<(Uuid, EventResult)>,
    status: Option<u16>,
) -> DeliveryError {
    let events: Vec<Uuid> = results.iter().map(|(id, _)| *id).collect();
    DeliveryError { results, status, ..DeliveryError::unsent(reason, events.len() as u64, events) }
}
