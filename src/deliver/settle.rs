//! What follows an answer: counts, reports, and what is left of the batch.
//!
//! Never sends, and never keeps what consent no longer covers.

use std::collections::HashMap;
use std::time::Duration;

use uuid::Uuid;

use super::attempt::{BatchSender, Outcome, Settled};
use super::batch::Batch;
use super::halving::Cut;
use super::report::{DeliveryError, excerpt};
use super::retry::{Action, History, decide};
use super::worker::WorkerContext;
use crate::clock::later;
use crate::observe::LossReason;
use crate::timestamp::Timestamp;
use crate::wire::{EventResult, Verdict};

impl BatchSender {
    /// Decides what follows a verdict, and does it.
    pub(super) fn settle(
        &self,
        batch: Batch,
        verdict: Verdict,
        outcome: Outcome,
        context: &WorkerContext,
    ) -> Settled {
        let now = context.clock.now();
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
        context.counters.attempted(Timestamp::of_clock(context.clock.wall()).unix_millis(), action.as_str());
        let holds = context.monitor.gate().may_send(batch.generation);
        match action {
            Action::Done => {
                context.counters.sent(batch.len() as u64);
                Settled::Ended(batch.into_buffer())
            }
            Action::Part { results, names_all, then } => {
                let then = if holds { then } else { Err(LossReason::ConsentWithdrawn) };
                self.settle_each(batch, results, names_all, then, outcome.status, context)
            }
            _ if !holds => {
                // Withdrawn while it was under way: whatever the answer, it is not sent again.
                self.report(context, &failure(LossReason::ConsentWithdrawn, &batch, outcome));
                Settled::Ended(batch.into_buffer())
            }
            Action::RetryIn(delay) => {
                let (events, status) = (batch.len(), outcome.status);
                log::debug!(target: "candor", "{events} events are tried again in {delay:?}, status {status:?}");
                Settled::Waits(batch, later(now, delay))
            }
            Action::Halve => Settled::Halved(batch.halves([Uuid::new_v4(), Uuid::new_v4()])),
            Action::Defer => Settled::Deferred(batch.deferred()),
            Action::Drop(reason) => {
                self.report(context, &failure(reason, &batch, outcome));
                Settled::Ended(batch.into_buffer())
            }
            Action::Stop => {
                context.monitor.stop(outcome.status.unwrap_or(0));
                self.report(context, &failure(LossReason::Rejected, &batch, outcome));
                Settled::Gone
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
        context: &WorkerContext,
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
        context.counters.sent(taken + unnamed);
        context.counters.unconfirmed(if names_all { unnamed } else { 0 });
        if !refused.is_empty() {
            self.report(context, &failure_of_each(LossReason::Rejected, refused, status));
        }
        match then {
            _ if again.is_empty() => Settled::Ended(batch.into_buffer()),
            Ok(delay) => {
                let asks = |id| matches!(results.get(id), Some(EventResult::Retry(_)));
                let ids = batch.ids();
                let rest = batch.select(|index| ids.get(index).is_some_and(asks));
                Settled::Waits(rest, later(context.clock.now(), delay))
            }
            Err(reason) => {
                self.report(context, &failure_of_each(reason, again, status));
                Settled::Ended(batch.into_buffer())
            }
        }
    }

    /// Counts a terminal failure, logs it and tells the application.
    pub(super) fn report(&self, context: &WorkerContext, failure: &DeliveryError) {
        // The endpoint's words may repeat an event, so they go to the hook and not to the log.
        let DeliveryError { count, reason, status, .. } = *failure;
        if count == 0 {
            return;
        }
        context.counters.lost(reason, count);
        log::debug!(target: "candor", "{count} events lost: {reason}, status {status:?}");
        self.on_error.call(failure);
    }
}

/// The failure of a whole batch.
fn failure(reason: LossReason, batch: &Batch, outcome: Outcome) -> DeliveryError {
    let Outcome { status, detail, .. } = outcome;
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
