//! The only loop: asks the schedule, builds, sends, settles, sleeps.
//! Takes records from the queue and commands from the client; gives requests, counts and replies.
//! Never panics out of its thread, and never outlives the deadline of a shutdown by more than a request's cut.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TryRecvError, at, never, select};
use uuid::Uuid;

use super::attempt::{Sending, Settled};
use super::batch::{Batch, Bounds, Filler};
use super::queue::{Level, Queue};
use super::report::DeliveryError;
use super::schedule::{Haste, Schedule, Step};
use crate::clock::{Clock, later};
use crate::config::Batching;
use crate::consent::Gate;
use crate::event::{Common, Timestamp};
use crate::observe::{Counters, LossReason};
use crate::wire::{BatchInfo, Ids};

/// What the client asks of the worker.
#[derive(Debug)]
pub(crate) enum Command {
    /// Deliver what is queued now; reply when it is settled, or cannot be by the deadline.
    Flush { reply: Sender<()>, deadline: Instant },
    /// Deliver what can be by the deadline, then end. The end of the thread drops the sender.
    Shutdown { reply: Sender<()>, deadline: Instant },
    /// Consent is gone: drop everything and end.
    Withdraw,
}

/// What a worker is made of.
pub(crate) struct Parts {
    pub(crate) queue: Arc<Queue>,
    pub(crate) gate: Arc<Gate>,
    /// The generation that this worker serves. Should it outlive that, the queue is another worker's.
    pub(crate) generation: u32,
    pub(crate) counters: Arc<Counters>,
    pub(crate) common: Arc<Common>,
    pub(crate) commands: Receiver<Command>,
    pub(crate) batching: Batching,
    pub(crate) clock: Clock,
    pub(crate) sending: Sending,
    /// Time to drain when all clients are gone without a shutdown.
    pub(crate) farewell: Duration,
}

/// The worker and all that it keeps between two steps.
pub(crate) struct Worker {
    parts: Parts,
    schedule: Schedule,
    filler: Filler,
    bounds: Bounds,
    /// Records taken from the queue so far: the place of the next one in the order of capture.
    taken: u64,
    /// Events in the batch under way, which are lost if it panics.
    in_hand: u64,
    flushes: Vec<Flush>,
    stopping: Option<Instant>,
    replies: Vec<Sender<()>>,
    is_withdrawn: bool,
    spare: Vec<u8>,
}

/// What one turn of the loop came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// Something was done; there may be more.
    Done,
    /// Nothing is to be done before this instant, or without one before something happens.
    Idle(Option<Instant>),
    /// The worker is to end.
    Over,
}

struct Flush {
    target: u64,
    deadline: Instant,
    reply: Sender<()>,
}

impl Worker {
    pub(crate) fn new(parts: Parts) -> Self {
        let schedule = Schedule::new(&parts.batching, &parts.sending.retry);
        // A host's envelope that wants no event at all gets them one by one.
        let most_events = parts.sending.envelope.most_events().max(1);
        let bounds = Bounds { events: most_events, bytes: parts.batching.batch_bytes };
        Self {
            parts,
            schedule,
            filler: Filler::default(),
            bounds,
            taken: 0,
            in_hand: 0,
            flushes: Vec::new(),
            stopping: None,
            replies: Vec::new(),
            is_withdrawn: false,
            spare: Vec::new(),
        }
    }

    /// Works until it is told to end, or consent is gone. A panic of the host's code costs the batch in
    /// hand and nothing else.
    pub(crate) fn run(mut self) {
        self.parts.queue.worked_by_this_thread();
        while quietly(|| self.work()).is_none() {
            let lost = self.count_panicked();
            quietly(
                || log::warn!(target: "candor", "the worker panicked and goes on; {lost} events were lost"),
            );
        }
        quietly(|| self.end());
    }

    /// Counts what a panic has cost, and returns how many events that were.
    fn count_panicked(&mut self) -> u64 {
        let mut taken = std::mem::take(&mut self.filler.taken).level;
        self.parts.queue.release(taken);
        let mut lost = std::mem::take(&mut self.in_hand) + taken.events;
        let mut ids = Vec::new();
        if lost == 0 {
            // It would panic at the same place again, for ever: what it meets there has to go.
            taken = self.filler.drop_carried();
            self.parts.queue.release(taken);
            taken.events += self.parts.queue.purge();
            ids = self.schedule.clear();
            lost = taken.events + ids.len() as u64;
        }
        self.taken += taken.events;
        self.report(LossReason::WorkerPanicked, lost, ids);
        lost
    }

    fn work(&mut self) {
        loop {
            match self.turn() {
                Turn::Over => return,
                Turn::Idle(until) => self.sleep(until),
                Turn::Done => {}
            }
        }
    }

    /// Does one thing, or says until when there is nothing to do.
    fn turn(&mut self) -> Turn {
        self.take_commands();
        let now = self.parts.clock.now();
        self.answer_flushes(now);
        if self.is_over(now) {
            return Turn::Over;
        }
        match self.schedule.next(now, self.parts.queue.level(), self.haste()) {
            Step::Send(batch) => self.attempt(batch),
            Step::Build => self.build(now),
            Step::Wait(until) => return Turn::Idle(until),
        }
        Turn::Done
    }

    fn haste(&self) -> Haste {
        if self.stopping.is_some() {
            Haste::Shutdown
        } else if self.parts.queue.is_waited_for()
            || self.flushes.iter().any(|flush| flush.target > self.taken)
        {
            Haste::Flush
        } else {
            Haste::None
        }
    }

    /// Returns whether there is nothing left to do, no time to do it, or no consent.
    fn is_over(&self, now: Instant) -> bool {
        if self.is_withdrawn || !self.parts.gate.holds(self.parts.generation) {
            return true;
        }
        let Some(deadline) = self.stopping else { return false };
        let is_empty = self.parts.queue.level() == Level::default() && !self.schedule.has_due();
        now >= deadline || is_empty && self.schedule.next_retry().is_none_or(|at| at > deadline)
    }

    fn build(&mut self, now: Instant) {
        let generation = self.parts.generation;
        let created_at = Timestamp::of_clock(self.parts.clock.wall());
        let mut ids = Ids::seeded(Uuid::new_v4());
        let info = BatchInfo { created_at, id: ids.next(created_at) };
        let envelope = Arc::clone(&self.parts.sending.envelope);
        let spare = std::mem::take(&mut self.spare);
        let mut batch = Batch::new(&*envelope, info, generation, now, self.taken, spare);
        let queue = &self.parts.queue;
        let taken =
            self.filler
                .fill(&mut batch, &*envelope, &self.parts.common, &mut ids, self.bounds, || queue.pop());
        queue.release(taken.level);
        self.taken += taken.level.events;
        self.report(LossReason::ConsentWithdrawn, taken.stale, Vec::new());
        self.schedule.built();
        if batch.len() > 0 {
            self.attempt(batch);
        } else {
            self.spare = batch.into_spare();
            if taken.level.events == 0 {
                // A caller has counted its event and is about to push it.
                std::thread::yield_now();
            }
        }
    }

    fn attempt(&mut self, batch: Batch) {
        self.in_hand = batch.len() as u64;
        let settled = self.parts.sending.attempt(batch, &self.parts, self.stopping);
        self.in_hand = 0;
        match settled {
            Settled::Ended(spare) => {
                if spare.capacity() <= self.bounds.bytes.saturating_mul(2) {
                    self.spare = spare;
                }
            }
            Settled::Waits(batch, until) => self.schedule.wait(batch, until),
            Settled::Halved(halves) => self.schedule.send_first(halves),
            Settled::Gone => self.is_withdrawn = true,
        }
    }

    fn sleep(&mut self, until: Option<Instant>) {
        let deadlines = self.flushes.iter().map(|flush| flush.deadline).chain(self.stopping);
        let timer = until.into_iter().chain(deadlines).min().map_or_else(never, at);
        select! {
            recv(self.parts.commands) -> command => match command {
                Ok(command) => self.obey(command),
                Err(_) => self.all_clients_are_gone(),
            },
            recv(self.parts.queue.woken()) -> _ => {}
            recv(timer) -> _ => {}
        }
    }

    fn take_commands(&mut self) {
        loop {
            match self.parts.commands.try_recv() {
                Ok(command) => self.obey(command),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => return self.all_clients_are_gone(),
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Flush { reply, deadline } => {
                let carried = u64::from(self.filler.has_carried());
                let target = self.taken + self.parts.queue.len() as u64 + carried;
                self.flushes.push(Flush { target, deadline, reply });
            }
            Command::Shutdown { reply, deadline } => {
                self.stopping = Some(self.stopping.map_or(deadline, |known| known.min(deadline)));
                self.replies.push(reply);
            }
            Command::Withdraw => self.is_withdrawn = true,
        }
    }

    /// The last client went without a shutdown: drain for a while, since nobody waits for it.
    fn all_clients_are_gone(&mut self) {
        self.parts.commands = never();
        let deadline = later(self.parts.clock.now(), self.parts.farewell);
        self.stopping.get_or_insert(deadline);
    }

    /// Replies to the flushes that are done, or cannot be by their deadline.
    fn answer_flushes(&mut self, now: Instant) {
        let (taken, schedule) = (self.taken, &self.schedule);
        self.flushes.retain(|flush| {
            let is_built = taken >= flush.target;
            let is_settled = schedule.first_waiting().is_none_or(|first| first >= flush.target);
            let is_stuck = !schedule.has_due()
                && (is_built || !schedule.has_room())
                && schedule.next_retry().is_some_and(|retry| retry > flush.deadline);
            let is_over = is_built && is_settled || is_stuck || now >= flush.deadline;
            if is_over {
                // The client may have stopped waiting.
                let _ = flush.reply.try_send(());
            }
            !is_over
        });
    }

    /// Counts what is left, under the reason for the end.
    fn end(&mut self) {
        let is_withdrawn = self.is_withdrawn || !self.parts.gate.holds(self.parts.generation);
        let reason = if is_withdrawn { LossReason::ConsentWithdrawn } else { LossReason::ShuttingDown };
        let carried = self.filler.drop_carried();
        self.parts.queue.release(carried);
        let ids = self.schedule.clear();
        let mut lost = carried.events + ids.len() as u64;
        let living = self.parts.gate.living();
        if living.is_none_or(|generation| generation == self.parts.generation) {
            // Closed before it is emptied: what is pushed later is emptied by who pushes it.
            self.parts.queue.set_closed(true);
            lost += self.parts.queue.purge();
        }
        self.report(reason, lost, ids);
        self.replies.clear();
    }

    /// Counts what is lost, and tells the host.
    fn report(&self, reason: LossReason, lost: u64, ids: Vec<Uuid>) {
        let sending = &self.parts.sending;
        sending.report(&self.parts, &DeliveryError::unsent(reason, lost, ids));
    }
}

/// Runs code of the host, or code that logs through the host's logger; `None` where it panicked.
fn quietly<T>(work: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(work)).ok()
}

#[cfg(test)]
mod tests;
