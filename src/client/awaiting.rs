//! Waits for the delivery of a single event.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use uuid::Uuid;

use super::Client;
use super::lane::Route;
use super::shutdown::forked;
use super::worker_handle::WorkerHandle;
use crate::clock::later;
use crate::consent::GateState;
use crate::deliver::Delivered;
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Encoder, Event};
use crate::observe::LossReason;
use crate::schema::Schema;
use crate::timestamp::Timestamp;

impl Client {
    /// Captures an event, sends it at once, and waits for at most `timeout` until the receiver has accepted it or
    /// it is lost.
    ///
    /// This is for the few events whose delivery a program must confirm, such as an audit record. Each call makes
    /// its own request, which also carries what is queued. If the receiver asks for the event to be sent again, it
    /// is retried as usual during the wait.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # fn archive(client: &candor::Client) -> candor::Result<()> {
    /// let event = candor::DynamicEvent::new("access granted", "usr_123");
    /// if !client.deliver(event, Duration::from_secs(5))?.is_accepted() {
    ///     eprintln!("the record was not delivered");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns [`ErrorKind::Timeout`] if the timeout expires: the event may still be delivered, or may have been.
    /// Returns [`ErrorKind::NotRunning`] while telemetry is off, after a shutdown, in a forked child, and in a hook
    /// on the worker's own thread; the event is then not captured.
    pub fn deliver<E: Event>(&self, event: E, timeout: Duration) -> Result<Delivered> {
        let deadline = later(Instant::now(), timeout);
        self.begin(&event, deadline)?.wait(self, deadline)
    }

    /// Captures an event and requests its delivery.
    fn begin<E: Event>(&self, event: &E, deadline: Instant) -> Result<Begun> {
        let GateState::Open(generation) = self.monitor.gate().state() else { return Err(self.off()) };
        let wall = self.inner.clock.wall();
        let now = Timestamp::of_clock(wall);
        let lane = self.inner.lanes.get(Route::Events).filter(|_| self.holds_at(wall, now));
        let Some(lane) = lane else { return Err(self.off()) };
        let workers = self.workers()?;
        let event = Named { event, id: Uuid::now_v7() };
        let mut waiting = None;
        let queued = self.capture_with(lane, &event, now, generation, |encoded| {
            let id = encoded.uuid().unwrap_or(event.id);
            waiting = Some((id, self.inner.awaited.wait_for(id, generation)));
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
    fn workers(&self) -> Result<Vec<Arc<WorkerHandle>>> {
        let Some(workers) = self.inner.lanes.workers() else { return Err(forked()) };
        if workers.is_shut_down {
            return Err(self.off());
        }
        let handles = workers.all();
        drop(workers);
        if handles.iter().any(|handle| handle.is_current()) {
            return Err(Error::new(ErrorKind::NotRunning, "the worker cannot wait for itself"));
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
}

/// An event that was captured for delivery.
enum Begun {
    Queued(Uuid, Receiver<Delivered>),
    Lost(LossReason),
}

impl Begun {
    fn wait(self, client: &Client, deadline: Instant) -> Result<Delivered> {
        match self {
            Self::Lost(reason) => Ok(Delivered::Lost(reason)),
            Self::Queued(id, fate) => fate.recv_deadline(deadline).map_err(|_| {
                client.inner.awaited.give_up(id);
                Error::new(
                    ErrorKind::Timeout,
                    "the event was not delivered in time; it may still be delivered later",
                )
            }),
        }
    }
}

/// An event with an id from the start, by which its delivery is reported.
struct Named<'e, E> {
    event: &'e E,
    id: Uuid,
}

impl<E: Event> Event for Named<'_, E> {
    fn name(&self) -> &str {
        self.event.name()
    }

    fn encode(&self, event: &mut Encoder<'_>) {
        self.event.encode(event);
        event.uuid_unless_set(self.id);
    }

    fn schema(&self) -> Option<&'static Schema> {
        self.event.schema()
    }
}

/// Asynchronous forms of the blocking calls. They wait on a thread of the runtime's blocking pool, so no thread
/// that runs tasks is blocked.
#[cfg(feature = "tokio")]
impl Client {
    /// Does the same as [`flush`](Self::flush) without blocking the task's thread. Requires the feature `tokio`.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`flush`](Self::flush), and [`ErrorKind::NotRunning`] outside a Tokio runtime.
    pub async fn flush_async(&self, timeout: Duration) -> Result<super::Flushed> {
        let client = self.clone();
        blocking(move || client.flush(timeout)).await
    }

    /// Does the same as [`shutdown`](Self::shutdown) without blocking the task's thread. Requires the feature
    /// `tokio`.
    ///
    /// The shutdown continues even if the future is dropped.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`shutdown`](Self::shutdown), and [`ErrorKind::NotRunning`] outside a Tokio runtime.
    pub async fn shutdown_async(&self, timeout: Duration) -> Result<super::Flushed> {
        let client = self.clone();
        blocking(move || client.shutdown(timeout)).await
    }

    /// Does the same as [`deliver`](Self::deliver) without blocking the task's thread. Requires the feature
    /// `tokio`.
    ///
    /// The event is captured by the call itself, in the caller's context; the future only waits.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`deliver`](Self::deliver), and [`ErrorKind::NotRunning`] outside a Tokio runtime.
    pub fn deliver_async<E: Event>(
        &self,
        event: E,
        timeout: Duration,
    ) -> impl Future<Output = Result<Delivered>> + Send + use<E> {
        let deadline = later(Instant::now(), timeout);
        let begun = self.begin(&event, deadline);
        drop(event);
        let client = self.clone();
        async move {
            match begun? {
                Begun::Lost(reason) => Ok(Delivered::Lost(reason)),
                queued @ Begun::Queued(..) => blocking(move || queued.wait(&client, deadline)).await,
            }
        }
    }
}

#[cfg(feature = "tokio")]
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let runtime = tokio::runtime::Handle::try_current().map_err(|cause| {
        Error::new(ErrorKind::NotRunning, "no Tokio runtime is running here; use the blocking call")
            .caused_by(cause)
    })?;
    runtime.spawn_blocking(work).await.unwrap_or_else(|cause| {
        Err(Error::new(ErrorKind::NotRunning, "the Tokio runtime was shut down during the wait")
            .caused_by(cause))
    })
}
