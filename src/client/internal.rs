//! What the public calls of a client do: start, capture, keep and withdraw.

use std::cell::{Cell, RefCell};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use log::Level;
use uuid::Uuid;

use super::awaiting::{Begun, Named};
use super::flushed::forked;
use super::lane::{Lane, Lanes, Route};
use super::spool::{COUNTS, LONG_WAIT, NO_WAIT, WRITES, drain};
use super::worker_handle::{CUT, WorkerHandle, commands};
use super::{Client, Flushed, Inner, disabled_reason, on_disk};
use crate::clock::{Clock, later};
use crate::config::ClientSettings;
use crate::consent::{ConsentMonitor, Facts, Gate, GateState, Granted, Layer, SpoolStatus, origin};
use crate::deliver::{BatchSender, Halving, Secrets, Unwritten, Worker, WorkerContext};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{EncodedEvent, Event, reserved};
use crate::observe::sent_log::SentLog;
use crate::observe::{Counters, LossReason, Stats, print_disabled};
use crate::panic::catch_panic;
use crate::queue::Refused;
use crate::queue::spool::{Purged, purge_all};
use crate::settings::{Env, Overflow};
use crate::timestamp::Timestamp;
use crate::transport::{HttpTransport, Transport};

impl Client {
    /// Creates a client that only decides and stores the user's answers, and never starts a worker.
    pub(crate) fn unstarted(facts: Facts, env: Env) -> Self {
        Self::with(None, ConsentMonitor::new(facts, env, Clock::System), disabled_reason)
    }

    /// Creates a client that is permanently off, because of this error.
    pub(crate) fn failed(facts: Facts, env: Env, error: String) -> Self {
        let facts = Facts { error: Some(error.clone()), ..facts };
        Self::with(None, ConsentMonitor::failed(facts, env), |_| Some(error))
    }

    /// Logs why the client starts disabled, if it does.
    pub(super) fn announce_disabled(&self) {
        let decision = self.decision();
        let Some(settings) = self.inner.settings.as_ref().filter(|_| decision.granted().is_none()) else {
            return;
        };
        let Some(report) = decision.deciding_report() else { return };
        let (layer, source) = (report.layer.name(), report.source.escape_debug());
        let reason = format!("decided by {layer}: {source}: {}", report.reason);
        let is_debugging = settings.prints || decision.debug_print();
        // A developer's omission, not somebody's decision.
        let is_omission = report.layer == Layer::Mode && !self.monitor.declares_consent();
        let level = if is_omission { Level::Warn } else { Level::Info };
        print_disabled(self.monitor.app(), level, &reason, is_debugging, report.malformed);
    }

    /// Creates a client that is off until it is started.
    pub(super) fn with(
        settings: Option<ClientSettings>,
        monitor: ConsentMonitor,
        disabled_reason: impl FnOnce(&ConsentMonitor) -> Option<String>,
    ) -> Self {
        let counters: Arc<Counters> = Arc::default();
        let monitor = monitor.with_counters(Arc::clone(&counters));
        counters.fields(settings.as_ref().map_or(0, |settings| settings.undeclared), 0);
        let inner = Inner {
            counters,
            awaited: Arc::default(),
            clock: Clock::System,
            shutdown_timeout: settings.as_ref().map_or(Duration::ZERO, |settings| settings.shutdown_timeout),
            disabled_reason: disabled_reason(&monitor),
            settings,
            lanes: Lanes::new(),
            is_shut_down: AtomicBool::new(false),
            has_warned_of_name: AtomicBool::new(false),
        };
        Self { monitor: Arc::new(monitor), inner: Arc::new(inner) }
    }

    pub(crate) fn shutdown_timeout(&self) -> Duration {
        self.inner.shutdown_timeout
    }

    /// Returns whether another client may replace this one: it was shut down, or belongs to the parent process.
    pub(crate) fn is_replaceable(&self) -> bool {
        !self.inner.lanes.is_ours() || self.inner.is_shut_down()
    }

    /// Starts the worker of a lane if consent is granted and no other thread was faster. The worker of ordinary
    /// events is started together with opening the gate, that of AI events under the generation that is already
    /// open.
    pub(super) fn start(&self, route: Route) -> Result<()> {
        let inner = &self.inner;
        let Some(settings) = &inner.settings else { return Ok(()) };
        let Some(granted) = self.monitor.decision().granted() else { return Ok(()) };
        if !inner.lanes.is_ours() {
            return Err(forked());
        }
        let Some(lane) = inner.lanes.get_or_make(route, settings, &inner.counters) else { return Ok(()) };
        // Code of the application runs before the lock is taken, and leftovers are dropped after it was released.
        let transport = transport(&lane.settings, granted)?;
        let spool =
            on_disk::open(&lane.settings, &self.monitor, &inner.counters, &inner.awaited, &inner.clock);
        let (sender, receiver) = commands();
        let worker = Worker::new(WorkerContext {
            queue: Arc::clone(&lane.queue),
            monitor: Arc::clone(&self.monitor),
            generation: 0,
            common: Arc::clone(&lane.settings.capture.common),
            commands: receiver,
            held: Arc::default(),
            batching: lane.settings.batching.clone(),
            clock: inner.clock.clone(),
            sender: self.sender(&lane.settings, Arc::clone(&transport), spool.is_some()),
            drain_timeout: inner.shutdown_timeout,
            spool: spool.clone(),
        });
        let mut is_withdrawn = false;
        let predecessor = {
            let Some(mut workers) = inner.lanes.workers() else { return Err(forked()) };
            if workers.is_shut_down || !self.needs_worker(route, lane) {
                None
            } else {
                let (handle, begin) = WorkerHandle::start(worker, sender, Arc::clone(&transport))?;
                (*lane.spool.write()).clone_from(&spool);
                let predecessor = workers.replace(route, Some(Arc::clone(&handle)));
                if let Some(generation) = self.begin_generation(route) {
                    lane.set_serves(generation);
                    inner.lanes.note_worker();
                    // The thread is waiting for it.
                    let _ = begin.send(generation);
                } else {
                    workers.remove(&handle);
                    is_withdrawn = true;
                }
                predecessor
            }
        };
        drop(predecessor);
        if let Some(writer) = spool.filter(|_| is_withdrawn) {
            // The writer was created after a refusal had removed the existing files.
            writer.purge();
        } else if route == Route::Events {
            self.drain_ai(settings);
        }
        Ok(())
    }

    /// Starts the lane of AI events if an earlier run has left some on disk: this one may capture none.
    fn drain_ai(&self, settings: &ClientSettings) {
        let has_left = settings.spool.is_some()
            && !settings.is_dry_run
            && self.is_enabled()
            && on_disk::holds_events(&settings.for_ai(), &self.monitor);
        if let Some(Err(error)) = has_left.then(|| self.start(Route::Ai)) {
            catch_panic(|| log::debug!(target: "candor", "AI events on disk wait for a later run: {error}"));
        }
    }

    fn needs_worker(&self, route: Route, lane: &Lane) -> bool {
        match (route, self.monitor.gate().state()) {
            (Route::Events, state) => state == GateState::Closed,
            (Route::Ai, GateState::Open(generation)) => !lane.serves(generation),
            (Route::Ai, _) => false,
        }
    }

    /// Returns the generation for a worker that already exists, or `None` if consent was withdrawn in the meantime.
    fn begin_generation(&self, route: Route) -> Option<u32> {
        match (route, self.monitor.gate().state()) {
            (Route::Events, _) => self.monitor.open(),
            (Route::Ai, GateState::Open(generation)) => Some(generation),
            (Route::Ai, _) => None,
        }
    }

    fn sender(&self, settings: &ClientSettings, transport: Arc<dyn Transport>, keeps: bool) -> BatchSender {
        let path = settings.envelope.path();
        let url = settings.endpoint.as_ref().map_or_else(|| path.to_owned(), |endpoint| endpoint.join(path));
        BatchSender {
            envelope: Arc::clone(&settings.envelope),
            transport,
            url,
            timeout: settings.http.total,
            compression: settings.compression,
            retry: settings.retry.clone(),
            on_error: settings.on_error.clone(),
            prints: settings.prints || self.monitor.decision().debug_print(),
            is_dry_run: settings.is_dry_run,
            secrets: Secrets {
                api_key: settings.hide.clone(),
                headers: settings.http.headers.iter().map(|(_, value)| value.clone()).collect(),
            },
            last_failure: RefCell::default(),
            keeps,
            halving: Cell::new(Halving::default()),
            monitor: Arc::clone(&self.monitor),
            counters: Arc::clone(&self.inner.counters),
            awaited: Arc::clone(&self.inner.awaited),
            clock: self.inner.clock.clone(),
            sent_log: sent_log(settings),
        }
    }

    /// Captures an event that is created only if the gate is open.
    pub(super) fn capture_made<E: Event>(&self, make: impl FnOnce() -> E) {
        match self.monitor.gate().state() {
            GateState::Open(generation) => self.capture_open(&make(), generation),
            GateState::Closed => {}
            GateState::Stopped => self.capture_stopped(),
        }
    }

    #[inline(never)]
    pub(super) fn capture_open<E: Event>(&self, event: &E, generation: u32) {
        let wall = self.inner.clock.wall();
        let now = Timestamp::of_clock(wall);
        if self.holds_at(wall, now) {
            self.capture_at(event, now, generation);
        }
    }

    #[inline]
    fn capture_at<E: Event>(&self, event: &E, now: Timestamp, generation: u32) {
        if let Some(lane) = self.inner.lanes.get(Route::Events) {
            let keep = |encoded: &EncodedEvent<'_>| self.push(lane, encoded, generation, || lane.overflow);
            // Losses have been counted already.
            let _ = self.capture_with(lane, event, now, keep);
        }
    }

    /// Encodes an event and keeps it with `keep`, which [`push`](Self::push)es it, or counts and returns the reason why
    /// it is lost.
    #[inline]
    fn capture_with<E: Event>(
        &self,
        lane: &Lane,
        event: &E,
        now: Timestamp,
        keep: impl FnOnce(&EncodedEvent<'_>) -> Result<(), LossReason>,
    ) -> Result<(), LossReason> {
        let inner = &*self.inner;
        let lost = match lane.capture.encode(event, now, keep) {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(reason)) => reason,
            Err(reason) => {
                inner.counters.captured();
                reason
            }
        };
        inner.counters.lost(lost, 1);
        Err(lost)
    }

    /// Queues an encoded event, or returns the reason why it is lost. If the queue is full, `overflow` says what
    /// happens.
    fn push(
        &self,
        lane: &Lane,
        event: &EncodedEvent<'_>,
        generation: u32,
        overflow: impl FnOnce() -> Overflow,
    ) -> Result<(), LossReason> {
        // Counted next to the queue's own addition: two locked instructions in a row wait only once for earlier
        // writes to memory.
        self.inner.counters.captured();
        if lane.keeps_each && lane.append(event) {
            return Ok(());
        }
        match lane.queue.push(event, generation) {
            Ok(()) => Ok(()),
            Err(Refused::Closed) => Err(lane.capture.discarded(self.closed(), event)),
            Err(Refused::Full) => self
                .overflow(lane, event, generation, overflow())
                .map_err(|reason| lane.capture.discarded(reason, event)),
        }
    }

    /// Handles a full queue: drops the event, or waits for room.
    #[cold]
    fn overflow(
        &self,
        lane: &Lane,
        event: &EncodedEvent<'_>,
        generation: u32,
        overflow: Overflow,
    ) -> Result<(), LossReason> {
        let result = match overflow {
            Overflow::Wait(timeout) => self.wait_and_push(lane, event, timeout, generation),
            Overflow::DropNewest => Err(LossReason::QueueFull),
        };
        if result == Err(LossReason::QueueFull) && lane.queue.mark_full() {
            catch_panic(
                || log::warn!(target: "candor", "the queue is full: new events are dropped until half of it is free; see Config::queue_events and Config::overflow"),
            );
        }
        result
    }

    /// Waits for room and queues the event, or returns the reason why it is lost.
    #[cold]
    fn wait_and_push(
        &self,
        lane: &Lane,
        event: &EncodedEvent<'_>,
        timeout: Duration,
        generation: u32,
    ) -> Result<(), LossReason> {
        let deadline = later(Instant::now(), timeout);
        let still_wanted = || self.monitor.gate().state() == GateState::Open(generation);
        while still_wanted() && lane.queue.may_wait() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            lane.queue.wait_for_room(left, still_wanted);
            match lane.queue.push(event, generation) {
                Ok(()) => return Ok(()),
                Err(Refused::Closed) => return Err(self.closed()),
                Err(Refused::Full) => {}
            }
        }
        Err(LossReason::QueueFull)
    }

    /// Returns why an event is lost whose generation ended before it reached the queue.
    #[cold]
    fn closed(&self) -> LossReason {
        match self.monitor.gate().state() {
            GateState::Stopped => LossReason::ShuttingDown,
            GateState::Closed | GateState::Open(_) => LossReason::ConsentWithdrawn,
        }
    }

    #[cold]
    pub(super) fn capture_stopped(&self) {
        self.inner.counters.captured();
        self.inner.counters.lost(LossReason::ShuttingDown, 1);
    }

    /// Captures an event, and returns whether it was kept. If the queue is full, waits for room until the deadline.
    pub(super) fn capture_waiting<E: Event>(&self, event: &E, generation: u32, deadline: Instant) -> bool {
        let wall = self.inner.clock.wall();
        let now = Timestamp::of_clock(wall);
        let lane = self.inner.lanes.get(Route::Events).filter(|_| self.holds_at(wall, now));
        lane.is_some_and(|lane| {
            let left = || Overflow::Wait(deadline.saturating_duration_since(Instant::now()));
            let keep = |encoded: &EncodedEvent<'_>| self.push(lane, encoded, generation, left);
            self.capture_with(lane, event, now, keep).is_ok()
        })
    }

    pub(super) fn capture_ai_open<E: Event>(&self, event: &E, generation: u32) {
        let wall = self.inner.clock.wall();
        let now = Timestamp::of_clock(wall);
        if !self.holds_at(wall, now) {
            return;
        }
        match self.ai_lane(generation) {
            Ok(lane) => {
                let keep = |encoded: &EncodedEvent<'_>| {
                    self.warn_of_name(encoded.name());
                    self.push(lane, encoded, generation, || lane.overflow)
                };
                let _ = self.capture_with(lane, event, now, keep);
            }
            Err(reason) => {
                self.inner.counters.captured();
                self.inner.counters.lost(reason, 1);
            }
        }
    }

    /// Warns once about a name, in JSON, that does not belong on this route.
    fn warn_of_name(&self, name: &[u8]) {
        if !name.get(1..).is_some_and(|name| name.starts_with(reserved::AI_PREFIX.as_bytes()))
            && !self.inner.has_warned_of_name.swap(true, Ordering::Relaxed)
        {
            let name = String::from_utf8_lossy(name);
            catch_panic(
                || log::warn!(target: "candor", "capture_ai: {name} does not start with $ai_; use capture for it (logged once)"),
            );
        }
    }

    /// Returns the lane with a worker for this generation, which is started if necessary, or the reason why an
    /// event is lost.
    fn ai_lane(&self, generation: u32) -> Result<&Lane, LossReason> {
        let lane = || self.inner.lanes.get(Route::Ai).filter(|lane| lane.serves(generation));
        if let Some(lane) = lane() {
            return Ok(lane);
        }
        if let Err(error) = self.start(Route::Ai) {
            catch_panic(|| log::warn!(target: "candor", "capture_ai: {error}"));
            // No thread could take the event, so the queue has no room.
            return Err(LossReason::QueueFull);
        }
        lane().ok_or_else(|| self.closed())
    }

    /// Captures an event and requests its delivery.
    pub(super) fn begin<E: Event>(&self, event: &E, deadline: Instant) -> Result<Begun> {
        let GateState::Open(generation) = self.monitor.gate().state() else { return Err(self.off()) };
        let wall = self.inner.clock.wall();
        let now = Timestamp::of_clock(wall);
        let lane = self.inner.lanes.get(Route::Events).filter(|_| self.holds_at(wall, now));
        let Some(lane) = lane else { return Err(self.off()) };
        let workers = self.workers()?;
        let event = Named { event, id: Uuid::now_v7() };
        let mut waiting = None;
        let queued = self.capture_with(lane, &event, now, |encoded| {
            let id = encoded.uuid().unwrap_or(event.id);
            waiting = Some((id, self.inner.awaited.wait_for(id, generation)));
            self.push(lane, encoded, generation, || lane.overflow)
        });
        match (queued, waiting) {
            (Ok(()), Some((id, fate))) => {
                // The flush makes the workers send it at once. Nothing waits for the flush to end.
                for worker in &workers {
                    drop(worker.flush(deadline));
                }
                Ok(Begun::Queued(id, fate))
            }
            (result, waiting) => {
                if let Some((id, _)) = waiting {
                    self.inner.awaited.give_up(id);
                }
                Ok(Begun::Lost(result.err().unwrap_or(LossReason::ConsentWithdrawn)))
            }
        }
    }

    /// Returns the workers, or an error if none would deliver the event or this thread is one of them.
    pub(super) fn workers(&self) -> Result<Vec<Arc<WorkerHandle>>> {
        let Some(workers) = self.inner.lanes.workers() else { return Err(forked()) };
        if workers.is_shut_down {
            return Err(self.off());
        }
        let handles = workers.all();
        drop(workers);
        if handles.iter().any(|handle| handle.is_current()) {
            return Err(Error::new(
                ErrorKind::NotRunning,
                "this is the worker's own thread, which would wait for itself; call it on another thread",
            ));
        }
        Ok(handles)
    }

    fn off(&self) -> Error {
        let text = match self.monitor.gate().state() {
            GateState::Stopped => "the client was shut down",
            GateState::Closed => "telemetry is off",
            GateState::Open(_) => "the client has no worker",
        };
        Error::new(ErrorKind::NotRunning, text)
    }

    /// Ends all workers at once, cuts off their requests and empties the queues. The gate is already closed.
    ///
    /// Does nothing if the gate was opened again: whoever opened it has ended the earlier workers.
    pub(super) fn withdraw(&self) {
        let lanes = &self.inner.lanes;
        let Some(mut workers) = lanes.workers() else {
            // A forked child has its own queue, but no worker.
            return lanes.close_before(self.monitor.gate().generation(), &self.inner.counters);
        };
        if self.is_enabled() {
            return;
        }
        let handles = workers.take_all();
        lanes.close_before(self.monitor.gate().generation(), &self.inner.counters);
        drop(workers);
        lanes.notify_waiters();
        for handle in &handles {
            handle.withdraw();
        }
        let until = Instant::now() + CUT;
        for handle in handles.iter().filter(|handle| !handle.wait(until)) {
            self.inner.counters.lost(LossReason::ConsentWithdrawn, handle.leave_behind());
        }
    }

    /// Turns telemetry off in this process, and drops what was captured. No answer is stored, and events on disk stay.
    pub(crate) fn turn_off(&self) {
        self.monitor.turn_off();
        self.withdraw();
    }

    /// Tells the workers that consent has ended, without waiting. They count and drop what is left.
    #[cold]
    pub(super) fn tell_withdrawn(&self) {
        let handles = self.inner.lanes.try_workers().map(|workers| workers.all()).unwrap_or_default();
        for handle in &handles {
            handle.withdraw();
        }
        for lane in self.inner.lanes.iter() {
            lane.queue.wake();
        }
    }

    pub(super) fn flushed_since(&self, before: &Stats) -> Flushed {
        let stats = self.stats().since(before);
        Flushed { delivered: stats.sent, waiting: stats.queued + stats.spooled, stats }
    }

    /// Describes the events on disk; `None` if the client is disabled or keeps none there.
    pub(super) fn spool_status(&self) -> Option<SpoolStatus> {
        let lane = self.inner.lanes.get(Route::Events).filter(|_| self.is_enabled())?;
        lane.spool().map(|writer| on_disk::describe(writer.dir()))
    }

    /// Returns whether this run, which has ended, must start the process that sends the events on disk.
    pub(crate) fn leaves_events_to_sender(&self) -> bool {
        let writers: Vec<_> = self.inner.lanes.iter().filter_map(Lane::spool).collect();
        !writers.is_empty()
            && self.monitor.still_granted()
            && writers.iter().any(|writer| writer.has_events_for_sender())
    }

    /// Renames all buckets, including those of other runs, so no process can use them. They still have to be removed.
    pub(super) fn purge_spool(&self) -> Option<io::Result<Purged>> {
        let purged = self.monitor.spool_dir().map(|dir| purge_all(&dir));
        for writer in self.inner.lanes.iter().filter_map(Lane::spool) {
            writer.forget();
        }
        purged
    }

    /// Limits the time for writing events to disk, in a shutdown that ends by `deadline`.
    pub(super) fn limit_writes(&self, deadline: Instant) {
        for writer in self.inner.lanes.iter().filter_map(Lane::spool) {
            writer.write_until(later(deadline, WRITES));
        }
    }

    /// Returns how long a worker may take to write the remaining events to disk, or to count them.
    pub(super) fn time_to_write(&self) -> Duration {
        let writes = self.inner.lanes.iter().filter_map(Lane::spool).any(|writer| writer.can_write());
        if writes { WRITES + COUNTS } else { Duration::ZERO }
    }

    /// Writes to disk what is in the queue of a worker that is stuck in the application's code. Without a spool, counts
    /// it as lost.
    pub(super) fn keep_the_rest(&self) {
        let Some(generation) = self.monitor.gate().sendable_generation() else { return };
        for lane in self.inner.lanes.iter() {
            let spool = lane.spool();
            if spool.as_ref().is_some_and(|writer| writer.is_stuck()) {
                // The worker had its time. Once it goes on, it writes or counts what is left.
                continue;
            }
            if let Some(writer) = spool.as_ref().filter(|writer| writer.is_on()) {
                writer.write_until(Instant::now() + WRITES);
                for batch in drain(lane, writer, generation) {
                    writer.report_lost(LossReason::ShuttingDown, &batch);
                }
            } else {
                let left = lane.queue.close_before(Gate::next_generation(generation));
                self.inner.counters.lost(LossReason::ShuttingDown, left);
            }
            if let Some(writer) = spool {
                writer.leave();
            }
        }
    }

    /// Ends a run that leaves its events to the next: this thread writes all queued events to disk, and waits only for
    /// a worker that is writing to disk, and for events that are long overdue. Returns `false` if events cannot be kept
    /// on disk and have to be sent now.
    pub(super) fn leave_to_next_run(&self, handles: &[Arc<WorkerHandle>], deadline: Instant) -> bool {
        let lanes = &self.inner.lanes;
        let Some(generation) = self.monitor.gate().sendable_generation() else { return false };
        // Checked only once: the worker may find meanwhile that nothing can be written, and queued events must not stay
        // in the queue.
        let writers: Vec<_> = Route::ALL
            .into_iter()
            .filter_map(|route| lanes.get(route).map(|lane| (route, lane, lane.spool())))
            .filter_map(|(route, lane, writer)| Some((route, lane, writer?)))
            .filter(|(_, _, writer)| writer.leaves_events())
            .collect();
        if handles.is_empty() || writers.len() != lanes.iter().count() {
            return false;
        }
        if writers.iter().any(|(_, _, writer)| writer.is_long_overdue()) {
            let until = deadline.min(Instant::now() + LONG_WAIT);
            for done in handles.iter().map(|handle| handle.flush(until)).collect::<Vec<_>>() {
                let _ = done.recv_deadline(until);
            }
        }
        self.limit_writes(deadline);
        let mut has_kept_all = true;
        for (route, lane, writer) in &writers {
            let left = drain(lane, writer, generation);
            // The worker may hold events that it could not write.
            has_kept_all &= left.is_empty() && writer.can_write();
            let left = Unwritten::new(left, Arc::clone(writer), Arc::clone(&self.monitor));
            // Counted if there is no worker.
            if let Some(handle) = lanes.workers().and_then(|workers| workers.get(*route)) {
                handle.deliver(left);
            }
        }
        if has_kept_all {
            let until = Instant::now() + NO_WAIT;
            for handle in handles {
                handle.ask_to_end(until);
                handle.cut();
            }
            for handle in handles {
                handle.wait(until);
            }
            for (_, _, writer) in &writers {
                writer.leave();
            }
            if self.stats().queued > 0 {
                // A worker holds events that it has taken from the queue and not yet written.
                let until = later(deadline, WRITES + COUNTS);
                for handle in handles {
                    handle.wait(until);
                }
            }
        }
        has_kept_all
    }

    /// Returns the monitor, unless the client was created disabled.
    pub(super) fn configured(&self) -> Result<&ConsentMonitor> {
        if self.monitor.is_disabled() {
            let reason = self.disabled_reason().unwrap_or("no reason is known");
            let text = format!("consent cannot be changed through this client, which is disabled: {reason}");
            return Err(Error::new(ErrorKind::NotRunning, text));
        }
        Ok(&self.monitor)
    }
}

/// Creates the writer of the log of sent requests, if one is kept. No file is opened yet.
fn sent_log(settings: &ClientSettings) -> Option<SentLog> {
    let endpoint = settings.endpoint.as_ref().map_or_else(String::new, |endpoint| origin(endpoint.as_str()));
    let path = settings.sent_log.clone()?;
    Some(SentLog::new(path, endpoint, settings.protocol, settings.hide.clone()))
}

/// Creates the transport, which requires the token of a granted decision.
fn transport(settings: &ClientSettings, granted: Granted) -> Result<Arc<dyn Transport>> {
    match (&settings.transport, &settings.endpoint) {
        (Some(factory), _) => {
            let panicked = || {
                Error::new(ErrorKind::Transport, "the application's transport panicked when it was created")
            };
            Ok(Arc::from(catch_panic(|| factory(granted)).ok_or_else(panicked)??))
        }
        (None, Some(endpoint)) => Ok(Arc::new(HttpTransport::new(granted, &settings.http, endpoint)?)),
        (None, None) => Err(Error::new(ErrorKind::Config, "endpoint: not set; call Config::endpoint")),
    }
}
