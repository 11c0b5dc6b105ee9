//! From a grant to a running worker.
//! Takes the token of a grant; gives a transport, a queue and a thread, then opens the gate.
//! Never starts anything without the token.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::config::Split;
use super::consent::ClientOverseer;
use super::worker_handle::{WorkerHandle, commands};
use super::{Client, Live};
use crate::capture::Capture;
use crate::consent::Granted;
use crate::deliver::{Limits, Overseer, Parts, Queue, Sending, Worker};
use crate::error::{Error, ErrorKind, Result};
use crate::observe::Counters;
use crate::transport::{HttpTransport, Transport};

impl Client {
    /// Makes the transport, the queue and the worker, then opens the gate.
    pub(super) fn start(&self, granted: Granted) -> Result<()> {
        self.start_worker(granted, None).inspect_err(|_| {
            self.gate.close();
            // What was captured between the opening and the failure has nobody who would take it.
            self.end_worker();
        })
    }

    /// Makes the transport, the queue and the worker, for a generation under way or a new one.
    pub(super) fn start_worker(&self, granted: Granted, generation: Option<u32>) -> Result<()> {
        let inner = &self.inner;
        let Some(split) = &inner.settings else { return Ok(()) };
        let transport = transport(split, granted)?;
        let live = inner.live.get_or_init(|| Live::new(split, Arc::clone(&inner.counters)));
        live.queue.set_closed(false);
        let (sender, receiver) = commands();
        let overseer = ClientOverseer {
            gate: Arc::clone(&self.gate),
            oversight: inner.oversight.clone(),
            clock: inner.clock.clone(),
        };
        let debug = inner.oversight.as_ref().is_some_and(|oversight| oversight.decision().debug_print());
        let generation = generation.unwrap_or_else(|| self.gate.open());
        let worker = Worker::new(Parts {
            queue: Arc::clone(&live.queue),
            gate: Arc::clone(&self.gate),
            generation,
            counters: Arc::clone(&inner.counters),
            common: Arc::clone(&split.terms.common),
            commands: receiver,
            batching: split.batching.clone(),
            clock: inner.clock.clone(),
            sending: sending(split, debug, Arc::clone(&transport), Box::new(overseer)),
            farewell: split.shutdown_timeout,
        });
        let handle = WorkerHandle::start(worker, sender, transport)?;
        *inner.worker.lock() = Some(handle);
        inner.has_worker.store(true, Ordering::Release);
        Ok(())
    }
}

impl Live {
    pub(super) fn new(split: &Split, counters: Arc<Counters>) -> Self {
        let batching = &split.batching;
        let limits = Limits {
            events: batching.queue_events as u64,
            bytes: batching.queue_bytes as u64,
            wake_events: batching.leaves_at_events(),
            wake_bytes: batching.leaves_at_bytes(),
        };
        let capture = Capture::new(split.terms.clone(), counters);
        Self { capture, queue: Arc::new(Queue::new(limits)), overflow: batching.overflow }
    }
}

/// Makes the transport; only a granted decision gets this far.
fn transport(split: &Split, granted: Granted) -> Result<Arc<dyn Transport>> {
    match (&split.transport, &split.endpoint) {
        (Some(factory), _) => Ok(Arc::from(factory(granted)?)),
        (None, Some(endpoint)) => Ok(Arc::new(HttpTransport::new(granted, &split.http, endpoint)?)),
        (None, None) => Err(Error::new(ErrorKind::Config, "endpoint: none was set")),
    }
}

fn sending(
    split: &Split,
    debug: bool,
    transport: Arc<dyn Transport>,
    overseer: Box<dyn Overseer>,
) -> Sending {
    let path = split.envelope.path();
    let url = split.endpoint.as_ref().map_or_else(|| path.to_owned(), |endpoint| endpoint.join(path));
    Sending {
        envelope: Arc::clone(&split.envelope),
        transport,
        overseer,
        url,
        timeout: split.http.total,
        compression: split.http.compression,
        retry: split.retry.clone(),
        on_error: split.on_error.clone(),
        prints: split.prints || debug,
        is_dry_run: split.is_dry_run,
        hide: split.hide.clone(),
    }
}
