//! The caller's thread: an event becomes a record, or is lost for a counted reason.
//! Takes an event, the time and the generation; gives a record for the queue.
//! Never blocks, never panics, and allocates the record's one box.

mod hooks;
mod sampling;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::event::{Buffers, Common, Encoder, Event, Flaw, Record, Timestamp};
use crate::observe::LossReason;

pub(crate) use hooks::Hooks;
pub use sampling::Sampling;

/// The way of an event from the host's types to a record.
#[derive(Debug)]
pub(crate) struct Capture {
    common: Arc<Common>,
    hooks: Hooks,
    sampling: Option<Arc<Sampling>>,
    event_bytes: usize,
    /// One bit for each reason that was logged.
    logged: AtomicU64,
}

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::new(Buffers::default());
}

impl Capture {
    pub(crate) fn new(
        common: Arc<Common>,
        hooks: Hooks,
        sampling: Option<Arc<Sampling>>,
        event_bytes: usize,
    ) -> Self {
        Self { common, hooks, sampling, event_bytes, logged: AtomicU64::new(0) }
    }

    /// Encodes, samples and runs the hooks, in that order.
    #[inline]
    pub(crate) fn record<E: Event + ?Sized>(
        &self,
        event: &E,
        now: Timestamp,
        generation: u32,
    ) -> Result<Record, LossReason> {
        let encoded = self.encode(event, now, generation).map_err(|flaw| self.invalid(flaw));
        let record = encoded?;
        if self.sampling.as_ref().is_some_and(|sampling| !sampling.keeps(&record)) {
            return Err(LossReason::SampledOut);
        }
        if self.hooks.is_empty() { Ok(record) } else { self.run_hooks(&record, generation) }
    }

    #[inline]
    fn encode<E: Event + ?Sized>(&self, event: &E, now: Timestamp, generation: u32) -> Result<Record, Flaw> {
        // The event's code is the host's: a panic in it costs the event, not the caller.
        let encoded = catch_unwind(AssertUnwindSafe(|| {
            let in_buffers = |buffers: &mut Buffers| {
                let mut encoder = Encoder::new(buffers, &self.common, event.name());
                event.encode(&mut encoder);
                encoder.finish(now, generation, self.event_bytes)
            };
            // Busy where an event captures another while it is encoded; gone while a thread ends.
            let reused = BUFFERS.try_with(|buffers| match buffers.try_borrow_mut() {
                Ok(mut buffers) => in_buffers(&mut buffers),
                Err(_) => in_buffers(&mut Buffers::default()),
            });
            reused.unwrap_or_else(|_| in_buffers(&mut Buffers::default()))
        }));
        encoded.unwrap_or(Err(Flaw::Panicked))
    }

    #[cold]
    fn run_hooks(&self, record: &Record, generation: u32) -> Result<Record, LossReason> {
        let view = self.hooks.run(record, &self.common).map_err(|reason| self.refused(reason))?;
        let (now, everything) = (view.timestamp, self.common.bare());
        // The view holds the common properties already: what a hook took out stays out.
        let encoded = catch_unwind(AssertUnwindSafe(|| {
            let mut buffers = Buffers::default();
            let mut encoder = Encoder::new(&mut buffers, &everything, &view.name);
            view.encode(&mut encoder);
            encoder.override_all();
            encoder.finish(now, generation, self.event_bytes)
        }));
        encoded.unwrap_or(Err(Flaw::Panicked)).map_err(|flaw| self.invalid(flaw))
    }

    /// Names the reason for a flaw, and logs it the first time.
    #[cold]
    fn invalid(&self, flaw: Flaw) -> LossReason {
        let reason = match flaw {
            Flaw::EmptyName => LossReason::EmptyName,
            Flaw::LongName => LossReason::LongName,
            Flaw::EmptyDistinctId => LossReason::EmptyDistinctId,
            Flaw::LongDistinctId => LossReason::LongDistinctId,
            Flaw::SharedDistinctId => LossReason::SharedDistinctId,
            Flaw::EmptyGroup => LossReason::EmptyGroup,
            Flaw::Malformed => LossReason::Malformed,
            Flaw::NotFinite => LossReason::NotFinite,
            Flaw::Unserializable => LossReason::Unserializable,
            Flaw::TooLarge => LossReason::TooLarge,
            Flaw::Panicked => LossReason::EventPanicked,
        };
        if reason == LossReason::TooLarge {
            // What made the event large may have grown the buffers.
            let _ = BUFFERS.try_with(|buffers| buffers.try_borrow_mut().map(|mut b| b.shrink()));
        }
        self.log_once(reason);
        reason
    }

    /// Logs the first event that the hooks cost for other reasons than their own wish.
    #[cold]
    fn refused(&self, reason: LossReason) -> LossReason {
        if reason != LossReason::DroppedByHook {
            self.log_once(reason);
        }
        reason
    }

    fn log_once(&self, reason: LossReason) {
        let bit = 1 << (reason as u64);
        if self.logged.fetch_or(bit, Ordering::Relaxed) & bit == 0 {
            log::warn!(target: "candor", "an event was dropped: {reason} (logged once, counted always)");
        }
    }
}
