//! An event whose delivery somebody waits for.

use std::time::Instant;

use crossbeam_channel::Receiver;
use uuid::Uuid;

use crate::deliver::{Awaited, Delivered};
use crate::error::{Error, ErrorKind, Result};
use crate::event::{Encoder, Event};
use crate::observe::LossReason;
use crate::schema::Schema;

/// An event that was captured for delivery.
pub(super) enum Begun {
    Queued(Uuid, Receiver<Delivered>),
    Lost(LossReason),
}

impl Begun {
    pub(super) fn wait(self, awaited: &Awaited, deadline: Instant) -> Result<Delivered> {
        match self {
            Self::Lost(reason) => Ok(Delivered::Lost(reason)),
            Self::Queued(id, fate) => fate.recv_deadline(deadline).map_err(|_| {
                awaited.give_up(id);
                Error::new(
                    ErrorKind::Timeout,
                    "the event was not delivered in time; it may still be delivered later",
                )
            }),
        }
    }
}

/// An event with an id from the start, by which its delivery is reported.
pub(super) struct Named<'e, E> {
    pub(super) event: &'e E,
    pub(super) id: Uuid,
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

#[cfg(feature = "tokio")]
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let runtime = tokio::runtime::Handle::try_current().map_err(|cause| {
        Error::new(ErrorKind::NotRunning, "no Tokio runtime is running here; use the blocking call")
            .caused_by(cause)
    })?;
    runtime.spawn_blocking(work).await.unwrap_or_else(|cause| {
        Err(Error::new(ErrorKind::NotRunning, "the Tokio runtime was shut down during the wait")
            .caused_by(cause))
    })
}
