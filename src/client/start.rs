//! Starts a worker under a grant.
//!
//! Never starts anything without the token of consent.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use super::lane::{Lane, Route};
use super::shutdown::forked;
use super::worker_handle::{WorkerHandle, commands};
use super::{Client, on_disk};
use crate::config::ClientSettings;
use crate::consent::{GateState, Granted, origin};
use crate::deliver::{BatchSender, Halving, Secrets, Worker, WorkerContext};
use crate::error::{Error, ErrorKind, Result};
use crate::observe::sent_log::SentLog;
use crate::panic::catch_panic;
use crate::transport::{HttpTransport, Transport};

impl Client {
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
        let spool = on_disk::open(&lane.settings, &self.monitor, &inner.counters, &inner.clock);
        let (sender, receiver) = commands();
        let worker = Worker::new(WorkerContext {
            queue: Arc::clone(&lane.queue),
            monitor: Arc::clone(&self.monitor),
            generation: 0,
            common: Arc::clone(&lane.settings.capture.common),
            commands: receiver,
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
        (None, None) => Err(Error::new(ErrorKind::Config, "endpoint: not set")),
    }
}
