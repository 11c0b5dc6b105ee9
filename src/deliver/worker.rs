//! The worker's loop: asks the schedule, then builds, sends, settles or sleeps.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, TryRecvError, at, never, select};
use uuid::Uuid;

use super::batch::{Batch, BatchBuilder, BatchLimits};
use super::held::Held;
use super::report::DeliveryError;
use super::request_thread::RequestThread;
use super::schedule::{FlushMode, Schedule, Step};
use super::sender::{AttemptResult, BatchSender, Outgoing, RequestResult, is_refusal};
use super::spool::{Drain, SpoolSender, SpoolStep, SpoolWriter, Unwritten};
use crate::clock::{Clock, later};
use crate::consent::{ConsentMonitor, Gate};
use crate::event::CommonProperties;
use crate::observe::LossReason;
use crate::panic::catch_panic;
use crate::queue::{Backlog, Queue, QueueDepth};
use crate::settings::{Batching, Overflow};
use crate::timestamp::Timestamp;
use crate::transport::SendError;
use crate::wire::{BatchInfo, Ids};

/// How long to wait for an aborted request to end before its thread is left behind.
const HEEDS_CUT: Duration = Duration::from_millis(50);

/// How long a request may take before a queue that callers wait for is written to disk.
const SLOW: Duration = Duration::from_secs(1);

/// A command from the client to the worker.
pub(crate) enum Command {
    /// Deliver the events queued now. Reply when they are settled, or when they cannot be by the deadline; the deadline
    /// ends only the wait, not the delivery.
    Flush { reply: Sender<()>, deadline: Instant },
    /// Deliver as much as possible by the deadline, then end.
    Shutdown { deadline: Instant },
    /// Deliver these batches, which were taken from the queue but could not be kept on disk.
    Deliver(Unwritten),
    /// Consent was withdrawn: drop everything and end.
    Withdraw,
}

/// Everything a worker needs from the client.
pub(crate) struct WorkerContext {
    pub(crate) queue: Arc<Queue>,
    pub(crate) monitor: Arc<ConsentMonitor>,
    /// The generation that this worker serves. If the worker outlives it, the queue belongs to another worker.
    pub(crate) generation: u32,
    pub(crate) common: Arc<CommonProperties>,
    pub(crate) commands: Receiver<Command>,
    /// What the client counts as lost if it leaves the worker behind.
    pub(crate) held: Arc<Held>,
    pub(crate) batching: Batching,
    pub(crate) clock: Clock,
    pub(crate) sender: BatchSender,
    /// The time to drain the queue if all clients were dropped without a shutdown.
    pub(crate) drain_timeout: Duration,
    /// Keeps events on disk, if the application enabled that.
    pub(crate) spool: Option<Arc<SpoolWriter>>,
}

/// The worker, and its state between two turns of the loop.
pub(crate) struct Worker {
    context: WorkerContext,
    schedule: Schedule,
    builder: BatchBuilder,
    backlog: Backlog,
    limits: BatchLimits,
    /// The number of events taken from the backlog so far: the position of the next one in the order of capture.
    taken: u64,
    /// The number of events in the current batch, which are lost on a panic.
    in_hand: u64,
    flushes: Vec<Flush>,
    /// Events captured before this position are sent now for a flush, even if its time is up.
    flush_to: u64,
    stopping: Option<Instant>,
    is_withdrawn: bool,
    recycled: Vec<u8>,
    spool: Option<SpoolSender>,
    /// Whether a spooled batch is sent next: live and spooled batches take turns.
    is_turn_of_spool: bool,
    /// Sends while the worker builds the next body or writes to disk; started when it is first needed.
    request_thread: Option<RequestThread>,
    /// Commands received during a request, which are handled after it.
    postponed: Vec<Command>,
}

/// The result of one turn of the loop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    /// Something was done; there may be more.
    Done,
    /// There is nothing to do before this instant, or before something happens if there is none.
    Idle(Option<Instant>),
    /// The worker must end.
    Over,
}

/// The result of waiting for the response to a request.
enum Waited {
    Answered(RequestResult),
    /// The transport panicked.
    Panicked,
    /// There is no time left or no consent, and the request cannot be aborted, since a connection is being made or a
    /// name resolved.
    GaveUp,
}

struct Flush {
    target: u64,
    deadline: Instant,
    reply: Sender<()>,
}

impl Worker {
    pub(crate) fn new(context: WorkerContext) -> Self {
        let limits = BatchLimits::new(&context.sender.envelope.limits(), context.batching.batch_bytes);
        let Batching { interval, .. } = context.batching;
        let flush_at = context.batching.leaves_at_events();
        let spool = context.spool.clone().map(|writer| SpoolSender::new(writer, interval, flush_at));
        let mut batching = context.batching.clone();
        if let Some(ahead) = context.spool.as_ref().and_then(|writer| writer.write_ahead()) {
            batching.interval = ahead.min(interval);
        }
        let schedule = Schedule::new(&batching, &context.sender.retry);
        Self {
            context,
            schedule,
            builder: BatchBuilder::default(),
            backlog: Backlog::default(),
            limits,
            taken: 0,
            in_hand: 0,
            flushes: Vec::new(),
            flush_to: 0,
            stopping: None,
            is_withdrawn: false,
            recycled: Vec::new(),
            spool,
            is_turn_of_spool: true,
            request_thread: None,
            postponed: Vec::new(),
        }
    }

    /// Returns the queue that this worker drains.
    pub(crate) fn queue(&self) -> Arc<Queue> {
        Arc::clone(&self.context.queue)
    }

    /// Returns what the client counts as lost if it leaves this worker behind.
    pub(crate) fn held(&self) -> Arc<Held> {
        Arc::clone(&self.context.held)
    }

    /// Works for a generation until it is told to end or consent is withdrawn. A panic in the application's code costs
    /// only the current batch; if there is none, everything queued is dropped.
    pub(crate) fn run(mut self, generation: u32) {
        self.context.generation = generation;
        self.context.queue.worked_by_this_thread();
        while catch_panic(|| self.work()).is_none() {
            let lost = self.count_panicked();
            catch_panic(
                || log::warn!(target: "candor", "the worker panicked and was restarted; {lost} events were lost"),
            );
        }
        catch_panic(|| self.end());
    }

    /// Counts the events lost to a panic, and returns their number.
    fn count_panicked(&mut self) -> u64 {
        self.take_back();
        let mut taken = std::mem::take(&mut self.builder.taken).depth;
        self.context.queue.release(taken);
        let mut lost = std::mem::take(&mut self.in_hand) + taken.events;
        let mut ids = Vec::new();
        let was_spooled = self.spool.as_mut().is_some_and(SpoolSender::panicked);
        if lost == 0 && !was_spooled {
            // It would panic at the same place again and again, so everything it could meet there is dropped.
            taken = self.backlog.clear(&self.context.queue);
            self.context.queue.release(taken);
            taken.events += self.context.queue.purge();
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

    /// Does one step, or returns until when there is nothing to do.
    fn turn(&mut self) -> Turn {
        self.take_commands();
        let now = self.context.clock.now();
        self.answer_flushes(now);
        if self.is_over(now) {
            return Turn::Over;
        }
        let spooled = self.spool_step(now);
        if self.is_turn_of_spool && spooled == SpoolStep::Send {
            self.is_turn_of_spool = false;
            self.attempt_spooled();
            return Turn::Done;
        }
        self.is_turn_of_spool = true;
        match self.schedule.next(now, self.context.queue.depth(), self.flush_mode()) {
            Step::Send(batch) => self.attempt(batch),
            Step::Build => self.build(now),
            Step::Wait(_) if spooled == SpoolStep::Send => self.attempt_spooled(),
            Step::Wait(until) => {
                let look_at = match spooled {
                    SpoolStep::At(at) | SpoolStep::Busy(at) => Some(at),
                    SpoolStep::Send | SpoolStep::Nothing => None,
                };
                return Turn::Idle(until.into_iter().chain(look_at).min());
            }
        }
        Turn::Done
    }

    /// Returns what to do about the files on disk.
    fn spool_step(&mut self, now: Instant) -> SpoolStep {
        let wants_all = self.wants_all();
        match &mut self.spool {
            Some(spool) if self.stopping.is_none() || !spool.writer().leaves_events() => {
                spool.next(now, wants_all)
            }
            _ => SpoolStep::Nothing,
        }
    }

    /// Returns whether everything must be sent now, without waiting for a batch to fill.
    fn wants_all(&self) -> bool {
        self.stopping.is_some() || !self.flushes.is_empty()
    }

    /// Returns the spool's writer, as long as it can write.
    fn writer(&self) -> Option<Arc<SpoolWriter>> {
        self.spool.as_ref().map(SpoolSender::writer).filter(|writer| writer.can_write()).cloned()
    }

    fn flush_mode(&self) -> FlushMode {
        if self.stopping.is_some() {
            FlushMode::Shutdown
        } else if self.context.queue.is_waited_for() || self.flush_to > self.taken {
            FlushMode::Flush
        } else {
            FlushMode::Normal
        }
    }

    /// Returns whether there is nothing left to do, no time to do it, or no consent.
    fn is_over(&mut self, now: Instant) -> bool {
        if self.is_withdrawn || !self.context.monitor.gate().may_send(self.context.generation) {
            return true;
        }
        let Some(deadline) = self.stopping else { return false };
        let is_empty = self.context.queue.depth() == QueueDepth::default() && !self.schedule.has_due();
        let is_idle = is_empty && self.schedule.next_worthwhile_retry(now).is_none_or(|at| at > deadline);
        // Events on disk that cannot be sent immediately are left for a later run.
        now >= deadline || is_idle && self.spool_step(now) != SpoolStep::Send
    }

    fn build(&mut self, now: Instant) {
        // While the endpoint is failing, new events are written to disk after those that are already there.
        if let Some(writer) = self.writer().filter(|writer| writer.writes_first() || self.is_failing()) {
            return self.drain_to_disk(&writer);
        }
        match self.build_batch(now) {
            Some(batch) => self.attempt(batch),
            // A caller has counted its event and is about to push it.
            None => std::thread::yield_now(),
        }
    }

    /// Returns whether the endpoint is failing, as far as the spool knows.
    fn is_failing(&self) -> bool {
        self.spool.as_ref().is_some_and(SpoolSender::is_failing)
    }

    /// Builds a batch of queued events; `None` if none of them can be sent.
    fn build_batch(&mut self, now: Instant) -> Option<Batch> {
        let generation = self.context.generation;
        let created_at = Timestamp::of_clock(self.context.clock.wall());
        let mut ids = Ids::seeded(Uuid::new_v4());
        let info = BatchInfo { created_at, id: ids.next(created_at) };
        let envelope = Arc::clone(&self.context.sender.envelope);
        let recycled = std::mem::take(&mut self.recycled);
        let mut batch = Batch::new(&*envelope, info, generation, now, self.taken, recycled);
        let queue = &self.context.queue;
        let source = (&mut self.backlog, &**queue);
        let common = &self.context.common;
        let taken = self.builder.fill(&mut batch, &*envelope, common, &mut ids, self.limits, source);
        queue.release(taken.depth);
        self.taken += taken.depth.events;
        self.report(LossReason::ConsentWithdrawn, taken.stale, Vec::new());
        let too_large = self.builder.take_too_large();
        self.report(LossReason::TooLarge, too_large.len() as u64, too_large);
        self.schedule.built();
        if batch.len() > 0 {
            return Some(batch);
        }
        self.recycled = batch.into_buffer();
        None
    }

    /// Sends a batch once, and builds the next one meanwhile if enough is queued.
    fn attempt(&mut self, batch: Batch) {
        self.in_hand = batch.len() as u64;
        let builds_next = self.has_next_body();
        let (result, is_built) = self.send_once(batch, builds_next);
        self.in_hand = 0;
        if self.context.sender.last_failure.borrow().is_none() {
            self.schedule.retry_unsent(self.context.clock.now());
        }
        self.keep(result);
        if !is_built {
            // The batch above is settled, so only the one that was being built is lost.
            resume_unwind(Box::new("the next batch could not be built"));
        }
    }

    /// Sends a batch once. Returns the result, and `false` if building the next batch meanwhile panicked.
    fn send_once(&mut self, batch: Batch, builds_next: bool) -> (AttemptResult, bool) {
        let (batch, outgoing) = match self.context.sender.prepare(batch, self.stopping) {
            Ok(prepared) => prepared,
            Err(buffer) => return (AttemptResult::Ended(buffer), true),
        };
        let needs_thread = builds_next || self.context.spool.is_some();
        let Some(thread) = needs_thread.then(|| self.take_request_thread()).flatten() else {
            self.lend();
            let answer = self.context.sender.request(&outgoing);
            return (self.finish(batch, outgoing, answer), true);
        };
        let outgoing = Arc::new(outgoing);
        thread.send(Arc::clone(&outgoing));
        let is_built = !builds_next || catch_panic(|| self.build_next()).is_some();
        let answer = match self.wait_for_answer(&thread) {
            Waited::GaveUp => {
                // The request may still arrive. Events that are kept are sent again with the same ids.
                thread.leave_behind();
                Err(SendError::Aborted)
            }
            waited => {
                self.request_thread = Some(thread);
                let Waited::Answered(answer) = waited else {
                    resume_unwind(Box::new("the transport panicked"));
                };
                answer
            }
        };
        let outgoing = Arc::try_unwrap(outgoing).unwrap_or_else(|shared| (*shared).clone());
        self.lend();
        (self.finish(batch, outgoing, answer), is_built)
    }

    fn finish(&mut self, batch: Batch, outgoing: Outgoing, answer: RequestResult) -> AttemptResult {
        let result = self.context.sender.finish(batch, outgoing, answer);
        self.take_back();
        result
    }

    /// Lets the client count what this worker holds besides the current batch, in case the application's code does not
    /// return. With a spool, the worker would still write it to disk.
    fn lend(&self) {
        let is_lost = self.writer().is_none();
        self.context.held.lend(if is_lost { self.backlog.len() + self.schedule.events() } else { 0 });
    }

    /// Ends what [`lend`](Self::lend) began. Drops what the client has counted.
    fn take_back(&mut self) {
        if !self.context.held.take_back() {
            let taken = self.backlog.clear(&self.context.queue);
            self.context.queue.release(taken);
            self.taken += taken.events;
            self.schedule.clear();
        }
    }

    /// Builds the batch to send after the current one.
    fn build_next(&mut self) {
        let now = self.context.clock.now();
        if let Some(batch) = self.build_batch(now) {
            self.schedule.send_last(batch);
        }
    }

    /// Waits for the response to the current request, and meanwhile writes events to disk if they cannot wait.
    fn wait_for_answer(&mut self, thread: &RequestThread) -> Waited {
        let began = Instant::now();
        let mut written_at = began;
        let mut cut_at = None;
        loop {
            let now = Instant::now();
            let is_over = self.is_withdrawn || self.stopping.is_some_and(|deadline| now >= deadline);
            if is_over && cut_at.is_none() {
                catch_panic(|| self.context.sender.transport.abort());
                cut_at = Some(now);
            }
            let gives_up_at = cut_at.map(|cut_at| later(cut_at, HEEDS_CUT));
            if gives_up_at.is_some_and(|at| now >= at) {
                return Waited::GaveUp;
            }
            let writes_at = catch_panic(|| self.write_meanwhile(now, began, &mut written_at));
            let writes_at = writes_at.unwrap_or_else(|| self.write_panicked());
            let timer =
                gives_up_at.or(self.stopping).into_iter().chain(writes_at).min().map_or_else(never, at);
            select! {
                recv(thread.answers()) -> answer => {
                    return answer.ok().flatten().map_or(Waited::Panicked, Waited::Answered);
                }
                recv(self.context.commands) -> command => match command {
                    Ok(command) => self.obey_later(command),
                    Err(_) => self.all_clients_are_gone(),
                },
                recv(self.context.queue.wake_signal()) -> _ => {}
                recv(timer) -> _ => {}
            }
        }
    }

    /// Writes queued events to disk during a request, if they are to be written ahead or the queue is nearly full.
    /// Returns when to check again, unless only a nearly full queue would need it.
    fn write_meanwhile(&mut self, now: Instant, began: Instant, written_at: &mut Instant) -> Option<Instant> {
        let writer = self.writer()?;
        let ahead = writer.write_ahead().map(|interval| later(*written_at, interval));
        let is_due = ahead.is_some_and(|at| now >= at) && self.context.queue.depth().events > 0;
        let is_slow_at = later(began, may_take(self.context.batching.overflow));
        if is_due {
            self.write_queued(&writer, self.context.queue.depth().events);
            *written_at = now;
        } else if now >= is_slow_at && self.context.queue.spills() {
            self.write_queued(&writer, self.context.queue.over_half());
        }
        let ahead = writer.write_ahead().map(|interval| later(now, interval));
        Some(is_slow_at).filter(|at| *at > now).into_iter().chain(ahead).min()
    }

    /// Counts the events lost to a panic while they were written during a request, which goes on. Returns nothing to
    /// wait for: the others are written after the response.
    fn write_panicked(&mut self) -> Option<Instant> {
        let taken = std::mem::take(&mut self.builder.taken).depth;
        self.context.queue.release(taken);
        self.taken += taken.events;
        self.report(LossReason::WorkerPanicked, taken.events, Vec::new());
        None
    }

    /// Writes up to this many of the oldest queued events to disk; those that cannot be written are sent. Returns how
    /// many were taken from the queue.
    fn write_queued(&mut self, writer: &SpoolWriter, max: u64) -> u64 {
        let (queue, generation) = (&self.context.queue, self.context.generation);
        let mut drain = Drain::default();
        let source = (&mut self.backlog, &**queue);
        let drained = catch_panic(|| writer.drain(&mut self.builder, source, generation, max, &mut drain));
        self.taken += drain.taken;
        for batch in drain.left {
            self.schedule.send_last(batch);
        }
        if drained.is_none() {
            resume_unwind(Box::new("the envelope panicked"));
        }
        drain.taken
    }

    /// Returns whether enough is queued for another body, and no failed batch would be sent before it.
    fn has_next_body(&self) -> bool {
        let goes_to_disk = || self.writer().is_some_and(|writer| writer.writes_first() || self.is_failing());
        // The common properties and the envelope make up the other half.
        let is_enough = self.context.queue.depth().bytes >= self.limits.bytes as u64 / 2;
        is_enough && self.schedule.is_calm() && !goes_to_disk()
    }

    fn take_request_thread(&mut self) -> Option<RequestThread> {
        let start = || RequestThread::start(Arc::clone(&self.context.queue), self.context.sender.requester());
        self.request_thread.take().or_else(start)
    }

    fn keep(&mut self, result: AttemptResult) {
        match result {
            AttemptResult::Ended(buffer) => {
                self.recycle(buffer);
                if let Some(spool) = &mut self.spool {
                    spool.release();
                }
            }
            AttemptResult::Waits(batch, until) => self.wait(batch, until),
            AttemptResult::Halved(halves) => self.schedule.send_first(halves),
            AttemptResult::Deferred(batch) => self.schedule.send_second(batch),
            AttemptResult::Kept(batch, failure) => {
                if let Some(spool) = self.spool.as_mut().filter(|_| is_refusal(failure.status)) {
                    spool.refuse(failure.status);
                }
                self.keep_or_report(batch, &failure);
            }
            AttemptResult::Gone => self.is_gone(),
        }
    }

    /// Writes the events queued now to disk; those that cannot be written are sent.
    fn drain_to_disk(&mut self, writer: &SpoolWriter) {
        let taken = self.write_queued(writer, self.context.queue.depth().events);
        self.schedule.built();
        if taken == 0 {
            // A caller has counted its event and is about to push it.
            std::thread::yield_now();
        }
    }

    fn recycle(&mut self, buffer: Vec<u8>) {
        if buffer.capacity() <= self.limits.bytes.saturating_mul(2) {
            self.recycled = buffer;
        }
    }

    /// Handles an endpoint that is gone for good: the events on disk are removed for all processes, as on a withdrawal.
    fn is_gone(&mut self) {
        self.is_withdrawn = true;
        if let Some(spool) = &self.spool {
            spool.writer().purge();
        }
    }

    /// Keeps a batch until it is retried: on disk if there is a spool, since the process may end first.
    fn wait(&mut self, batch: Batch, until: Instant) {
        let writer = self.writer().filter(|writer| writer.may_keep(&batch));
        if let Some(spool) = &mut self.spool {
            spool.failed_live(&batch, until);
        }
        let left = match writer {
            Some(writer) => writer.keep(batch),
            None => Some(batch),
        };
        if let Some(batch) = left {
            self.schedule.wait(batch, until);
        }
    }

    /// Writes a batch to disk, or reports that it is lost.
    fn keep_or_report(&self, batch: Batch, failure: &DeliveryError) {
        let left = match self.writer().filter(|writer| writer.may_keep(&batch)) {
            Some(writer) => writer.keep(batch),
            None => Some(batch),
        };
        let Some(left) = left else { return };
        let ids = left.ids().to_vec();
        let failure = DeliveryError { count: ids.len() as u64, events: ids, ..failure.clone() };
        self.context.sender.report(&failure);
    }

    /// Sends the next batch from disk.
    fn attempt_spooled(&mut self) {
        let wants_all = self.wants_all();
        let (generation, limits) = (self.context.generation, self.limits);
        let Some(spool) = &mut self.spool else { return };
        let Some(batch) = spool.load(generation, limits, wants_all) else { return };
        let events = batch.len();
        let settled = if limits.are_exceeded(&batch) && events > 1 {
            // Written for an endpoint that accepted larger batches.
            AttemptResult::Halved(batch.halves([Uuid::new_v4(), Uuid::new_v4()]))
        } else if limits.are_exceeded(&batch) {
            let ids = batch.ids().to_vec();
            self.context.sender.report(&DeliveryError::unsent(LossReason::TooLarge, ids.len() as u64, ids));
            AttemptResult::Ended(batch.into_buffer())
        } else {
            self.send_once(batch, false).0
        };
        let now = self.context.clock.now();
        let Some(spool) = &mut self.spool else { return };
        let mut unwritten = Vec::new();
        let lost = match settled {
            AttemptResult::Ended(buffer) => {
                spool.finished();
                spool.release();
                self.recycle(buffer);
                return;
            }
            AttemptResult::Waits(batch, until) if batch.len() == events => {
                spool.failed(&batch, until);
                spool.once(batch)
            }
            AttemptResult::Waits(batch, until) => {
                spool.hold_until(until);
                unwritten = spool.split([batch]);
                Vec::new()
            }
            AttemptResult::Halved(halves) => {
                unwritten = spool.split(halves);
                Vec::new()
            }
            AttemptResult::Deferred(batch) => {
                spool.defer(&batch);
                spool.once(batch)
            }
            AttemptResult::Kept(batch, failure) => {
                if is_refusal(failure.status) {
                    spool.put_back();
                    spool.refuse(failure.status);
                } else {
                    spool.failed(&batch, later(now, self.context.sender.retry.max_delay));
                }
                spool.once(batch)
            }
            AttemptResult::Gone => {
                spool.finished();
                return self.is_gone();
            }
        };
        for batch in unwritten.into_iter().rev() {
            // The parts of a batch from disk that could not be written are kept in memory.
            self.schedule.send_next(batch);
        }
        for batch in lost {
            let ids = batch.ids().to_vec();
            self.report(LossReason::RetriesExhausted, ids.len() as u64, ids);
        }
    }

    fn sleep(&mut self, until: Option<Instant>) {
        if self.context.queue.depth() == QueueDepth::default() {
            self.context.queue.rest();
        }
        let deadlines = self.flushes.iter().map(|flush| flush.deadline).chain(self.stopping);
        let timer = until.into_iter().chain(deadlines).min().map_or_else(never, at);
        select! {
            recv(self.context.commands) -> command => match command {
                Ok(command) => self.obey(command),
                Err(_) => self.all_clients_are_gone(),
            },
            recv(self.context.queue.wake_signal()) -> _ => {}
            recv(timer) -> _ => {}
        }
    }

    /// Handles a command that ends the wait for a response; any other is postponed until after it.
    fn obey_later(&mut self, command: Command) {
        match command {
            Command::Shutdown { .. } | Command::Withdraw => self.obey(command),
            Command::Flush { .. } | Command::Deliver(_) => self.postponed.push(command),
        }
    }

    fn take_commands(&mut self) {
        for command in std::mem::take(&mut self.postponed) {
            self.obey(command);
        }
        loop {
            match self.context.commands.try_recv() {
                Ok(command) => self.obey(command),
                Err(TryRecvError::Empty) => return,
                Err(TryRecvError::Disconnected) => return self.all_clients_are_gone(),
            }
        }
    }

    fn obey(&mut self, command: Command) {
        match command {
            Command::Flush { reply, deadline } => {
                self.backlog.collect(&self.context.queue);
                let target = self.taken + self.backlog.len();
                if let Some(writer) = self.writer().filter(|writer| writer.writes_first()) {
                    // All events are in files by then, even if the process ends first.
                    self.drain_to_disk(&writer);
                }
                self.flush_to = self.flush_to.max(target);
                self.flushes.push(Flush { target, deadline, reply });
            }
            Command::Shutdown { deadline } => {
                self.stopping = Some(self.stopping.map_or(deadline, |known| known.min(deadline)));
            }
            Command::Deliver(batches) => {
                for batch in batches.take().into_iter().rev() {
                    self.schedule.send_next(batch);
                }
            }
            Command::Withdraw => self.is_withdrawn = true,
        }
    }

    /// Handles the drop of the last client without a shutdown: the worker drains the queue for a limited time.
    fn all_clients_are_gone(&mut self) {
        self.context.commands = never();
        let deadline = later(self.context.clock.now(), self.context.drain_timeout);
        self.stopping.get_or_insert(deadline);
    }

    /// Replies to the flushes that are done, and to those that cannot be done by their deadline.
    fn answer_flushes(&mut self, now: Instant) {
        let (taken, schedule, spool) = (self.taken, &self.schedule, &mut self.spool);
        self.flushes.retain(|flush| {
            let is_built = taken >= flush.target;
            let is_settled = schedule.first_waiting().is_none_or(|first| first >= flush.target);
            let is_stuck = !schedule.has_due()
                && (is_built || !schedule.has_room())
                && schedule.next_retry().is_some_and(|retry| retry > flush.deadline);
            let is_sent = spool.as_mut().is_none_or(|spool| spool.is_settled(now, flush.deadline));
            let is_over = is_built && is_settled && is_sent || is_stuck || now >= flush.deadline;
            if is_over {
                // The client may have stopped waiting.
                let _ = flush.reply.try_send(());
            }
            !is_over
        });
    }

    /// Ends the worker, and counts the events left under the reason for its end.
    fn end(&mut self) {
        let WorkerContext { monitor, generation, .. } = &self.context;
        // A missing directory may mean that consent was withdrawn in another process.
        let is_removed = self.spool.as_ref().is_some_and(|spool| spool.writer().is_removed());
        let is_withdrawn = self.is_withdrawn
            || !monitor.gate().may_send(*generation)
            || is_removed && !monitor.may_send(*generation);
        let reason = if is_withdrawn { LossReason::ConsentWithdrawn } else { LossReason::ShuttingDown };
        if let Some(spool) = self.spool.as_ref().filter(|_| is_withdrawn) {
            // Consent that was withdrawn while a process runs stays withdrawn after it, since the process's own
            // variables and flags cannot change.
            spool.writer().purge();
        } else if let Some(writer) = self.writer() {
            self.leave_to_disk(&writer);
        } else if let Some(spool) = &self.spool {
            spool.writer().leave();
        }
        let taken = self.backlog.clear(&self.context.queue);
        self.context.queue.release(taken);
        let ids = self.schedule.clear();
        let mut lost = taken.events + ids.len() as u64;
        // Events pushed later are refused, and counted by the thread that pushes them.
        lost += self.context.queue.close_before(Gate::next_generation(self.context.generation));
        self.report(reason, lost, ids);
        self.context.sender.awaited.end(self.context.generation, reason);
    }

    /// Writes the remaining events to disk.
    fn leave_to_disk(&mut self, writer: &SpoolWriter) {
        let end = |count, ids| DeliveryError::unsent(LossReason::ShuttingDown, count, ids);
        for batch in self.schedule.take_all() {
            self.keep_or_report(batch, &end(0, Vec::new()));
        }
        let mut drain = Drain::default();
        let source = (&mut self.backlog, &*self.context.queue);
        writer.drain(&mut self.builder, source, self.context.generation, u64::MAX, &mut drain);
        for batch in drain.left {
            let ids = batch.ids().to_vec();
            self.context.sender.report(&end(ids.len() as u64, ids));
        }
        writer.leave();
    }

    /// Counts lost events, and calls the application's hook.
    fn report(&self, reason: LossReason, lost: u64, ids: Vec<Uuid>) {
        let mut failure = DeliveryError::unsent(reason, lost, ids);
        if reason == LossReason::ShuttingDown {
            // The events are left because of the last failure.
            let last = self.context.sender.last_failure.borrow().clone().unwrap_or_default();
            (failure.status, failure.detail) = (last.status, last.detail);
        }
        self.context.sender.report(&failure);
    }
}

/// Returns how long a request may take before a nearly full queue is written to disk. Callers that may wait for room do
/// so first, but not for so long that their time is up.
fn may_take(overflow: Overflow) -> Duration {
    match overflow {
        Overflow::DropNewest => Duration::ZERO,
        Overflow::Wait(timeout) => SLOW.min(timeout / 2),
    }
}

#[cfg(test)]
mod tests;
