//! From a grant to a running worker.
//!
//! Never starts anything without the token.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::consent::ClientOverseer;
use super::worker_handle::{WorkerHandle, commands};
use super::{Client, Live};
use crate::capture::Capture;
use crate::config::ClientSettings;
use crate::consent::Granted;
use crate::deliver::{BatchSender, Halving, Overseer, Worker, WorkerContext};
use crate::error::{Error, ErrorKind, Result};
use crate::observe::Counters;
use crate::queue::{Limits, Queue};
use crate::transport::{HttpTransport, Transport};

impl Client {
    /// Creates the transport, the queue and the worker, then opens the gate.
    pub(super) fn start(&self, granted: Granted) -> Result<()> {
        self.start_worker(granted, None).inspect_err(|_| {
            self.gate.close();
            // What was captured between the opening and the failure has nobody who would take it.
            self.end_worker();
        })
    }

    /// Creates the transport, the queue and the worker, for a generation under way or a new one.
    pub(super) fn start_worker(&self, granted: Granted, generation: Option<u32>) -> Result<()> {
        let inner = &self.inner;
        let Some(settings) = &inner.settings else { return Ok(()) };
        let transport = transport(settings, granted)?;
        let live = inner.live.get_or_init(|| Live::new(settings, Arc::clone(&inner.counters)));
        let (sender, receiver) = commands();
        let overseer = ClientOverseer {
            gate: Arc::clone(&self.gate),
            monitor: inner.monitor.clone(),
            clock: inner.clock.clone(),
        };
        let debug = inner.monitor.as_ref().is_some_and(|monitor| monitor.decision().debug_print());
        let generation = generation.unwrap_or_else(|| self.gate.open());
        let worker = Worker::new(WorkerContext {
            queue: Arc::clone(&live.queue),
            gate: Arc::clone(&self.gate),
            generation,
            counters: Arc::clone(&inner.counters),
            common: Arc::clone(&settings.capture.common),
            commands: receiver,
            batching: settings.batching.clone(),
            clock: inner.clock.clone(),
            sending: sending(settings, debug, Arc::clone(&transport), Box::new(overseer)),
            drain_timeout: settings.shutdown_timeout,
        });
        let handle = WorkerHandle::start(worker, sender, transport)?;
        *inner.worker.lock() = Some(handle);
        inner.has_worker.store(true, Ordering::Release);
        Ok(())
    }
}

impl Live {
    pub(super) fn new(settings: &ClientSettings, counters: Arc<Counters>) -> Self {
        let batching = &settings.batching;
        let limits = Limits {
            events: batching.queue_events as u64,
            bytes: batching.queue_bytes as u64,
            wake_events: batching.leaves_at_events(),
            wake_bytes: batching.leaves_at_bytes(),
        };
        let capture = Capture::new(settings.capture.clone(), counters);
        Self { capture, queue: Arc::new(Queue::new(limits)), overflow: batching.overflow }
    }
}

/// Creates the transport; only a granted decision gets this far.
fn transport(settings: &ClientSettings, granted: Granted) -> Result<Arc<dyn Transport>> {
    match (&settings.transport, &settings.endpoint) {
        (Some(factory), _) => Ok(Arc::from(factory(granted)?)),
        (None, Some(endpoint)) => Ok(Arc::new(HttpTransport::new(granted, &settings.http, endpoint)?)),
        (None, None) => Err(Error::new(ErrorKind::Config, "endpoint: none was set")),
    }
}

fn sending(
    settings: &ClientSettings,
    debug: bool,
    transport: Arc<dyn Transport>,
    overseer: Box<dyn Overseer>,
) -> BatchSender {
    let path = settings.envelope.path();
    let url = settings.endpoint.as_ref().map_or_else(|| path.to_owned(), |endpoint| endpoint.join(path));
    BatchSender {
        envelope: Arc::clone(&settings.envelope),
        transport,
        overseer,
        url,
        timeout: settings.http.total,
        compression: settings.http.compression,
        retry: settings.retry.clone(),
        on_error: settings.on_error.clone(),
        prints: settings.prints || debug,
        is_dry_run: settings.is_dry_run,
        hide: settings.hide.clone(),
        halving: Cell::new(Halving::default()),
    }
}
