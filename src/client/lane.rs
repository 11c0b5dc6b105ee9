//! The lanes of a client, and the workers that empty them.

use std::array;
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use once_cell::sync::OnceCell;
use parking_lot::{Mutex, MutexGuard, RwLock};

use super::worker_handle::WorkerHandle;
use crate::capture::Capture;
use crate::config::ClientSettings;
use crate::deliver::SpoolWriter;
use crate::observe::{Counters, LossReason};
use crate::queue::{Limits, Queue};
use crate::settings::{Durability, Overflow};

/// The events that a lane is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// All events except those of [`capture_ai`](super::Client::capture_ai).
    Events,
    /// Large AI events, which have their own route at PostHog.
    Ai,
}

impl Route {
    pub(super) const ALL: [Self; 2] = [Self::Events, Self::Ai];
}

/// One queue, one worker and one route. The lane exists from the first grant on, its worker only while consent is
/// granted.
pub(super) struct Lane {
    pub(super) settings: ClientSettings,
    pub(super) capture: Capture,
    pub(super) queue: Arc<Queue>,
    pub(super) overflow: Overflow,
    /// Whether each capture is written to disk before it returns.
    pub(super) keeps_each: bool,
    /// The writer that keeps events on disk under the current grant.
    pub(super) spool: RwLock<Option<Arc<SpoolWriter>>>,
    /// The generation that a worker was started for, plus one; 0 if there is none.
    serves: AtomicU32,
}

impl Lane {
    fn new(settings: ClientSettings, counters: Arc<Counters>) -> Self {
        let batching = &settings.batching;
        let mut limits = Limits {
            events: batching.queue_events as u64,
            bytes: batching.queue_bytes as u64,
            wake_events: batching.leaves_at_events(),
            wake_bytes: batching.leaves_at_bytes(),
            spill: None,
        };
        let spool = settings.spool.as_ref();
        limits.spill = spool.map(|_| limits.nearly_full());
        let (queue, overflow) = (Arc::new(Queue::new(limits)), batching.overflow);
        let capture = Capture::new(settings.capture.clone(), counters);
        let keeps_each = spool.is_some_and(|spool| spool.durability == Durability::EachEvent);
        let (spool, serves) = (RwLock::new(None), AtomicU32::new(0));
        Self { settings, capture, queue, overflow, keeps_each, spool, serves }
    }

    /// Returns whether a worker was started for this generation.
    pub(super) fn serves(&self, generation: u32) -> bool {
        self.serves.load(Ordering::Acquire) == generation + 1
    }

    pub(super) fn set_serves(&self, generation: u32) {
        self.serves.store(generation + 1, Ordering::Release);
    }
}

/// The lanes of a client, and the single lock under which their workers start and end.
pub(super) struct Lanes {
    routes: [OnceCell<Lane>; 2],
    workers: Mutex<Workers>,
    /// Whether a worker was ever started. Read without the lock, which a fork may have left locked.
    has_worker: AtomicBool,
    owner_pid: u32,
}

/// The workers of the lanes. No code of the application runs while they are locked.
#[derive(Default)]
pub(super) struct Workers {
    /// Whether no more workers may start.
    pub(super) is_shut_down: bool,
    handles: [Option<Arc<WorkerHandle>>; 2],
}

impl Workers {
    /// Returns the existing workers.
    pub(super) fn all(&self) -> Vec<Arc<WorkerHandle>> {
        self.handles.iter().flatten().cloned().collect()
    }

    /// Returns the worker of a route.
    pub(super) fn get(&self, route: Route) -> Option<Arc<WorkerHandle>> {
        self.handles.get(route as usize)?.clone()
    }

    /// Removes and returns all workers.
    pub(super) fn take_all(&mut self) -> Vec<Arc<WorkerHandle>> {
        self.handles.iter_mut().filter_map(Option::take).collect()
    }

    /// Stores a worker and returns the previous one, to be dropped after the lock is released.
    pub(super) fn replace(
        &mut self,
        route: Route,
        handle: Option<Arc<WorkerHandle>>,
    ) -> Option<Arc<WorkerHandle>> {
        let place = self.handles.get_mut(route as usize)?;
        std::mem::replace(place, handle)
    }

    /// Removes a worker that has ended. Its successor, if any, stays.
    pub(super) fn remove(&mut self, ended: &Arc<WorkerHandle>) {
        for place in &mut self.handles {
            if place.as_ref().is_some_and(|handle| Arc::ptr_eq(handle, ended)) {
                *place = None;
            }
        }
    }
}

impl Lanes {
    pub(super) fn new() -> Self {
        Self {
            routes: array::from_fn(|_| OnceCell::new()),
            workers: Mutex::default(),
            has_worker: AtomicBool::new(false),
            owner_pid: process::id(),
        }
    }

    /// Returns the lane of a route if it exists.
    #[inline]
    pub(super) fn get(&self, route: Route) -> Option<&Lane> {
        self.routes.get(route as usize)?.get()
    }

    /// Returns the lane of a route, and creates it if necessary.
    pub(super) fn get_or_make(
        &self,
        route: Route,
        settings: &ClientSettings,
        counters: &Arc<Counters>,
    ) -> Option<&Lane> {
        let make = || {
            let settings = if route == Route::Ai { settings.for_ai() } else { settings.clone() };
            Lane::new(settings, Arc::clone(counters))
        };
        Some(self.routes.get(route as usize)?.get_or_init(make))
    }

    /// Returns the existing lanes.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Lane> {
        Route::ALL.into_iter().filter_map(|route| self.get(route))
    }

    /// Returns whether this process created the client, and not the parent of a fork.
    pub(super) fn is_ours(&self) -> bool {
        self.owner_pid == process::id()
    }

    pub(super) fn has_worker(&self) -> bool {
        self.has_worker.load(Ordering::Acquire)
    }

    pub(super) fn note_worker(&self) {
        self.has_worker.store(true, Ordering::Release);
    }

    /// Locks the workers; `None` in a forked child, where a thread of the parent may hold the lock forever.
    pub(super) fn workers(&self) -> Option<MutexGuard<'_, Workers>> {
        self.is_ours().then(|| self.workers.lock())
    }

    /// Locks the workers if that is possible without waiting.
    pub(super) fn try_workers(&self) -> Option<MutexGuard<'_, Workers>> {
        self.workers.try_lock().filter(|_| self.is_ours())
    }

    /// Drops what was captured before a generation. A later push under an older generation is rejected.
    pub(super) fn close_before(&self, generation: u32, counters: &Counters) {
        for lane in self.iter() {
            counters.lost(LossReason::ConsentWithdrawn, lane.queue.close_before(generation));
        }
    }

    /// Makes callers that wait for room check the gate again.
    pub(super) fn notify_waiters(&self) {
        for lane in self.iter() {
            lane.queue.notify_waiters();
        }
    }
}
