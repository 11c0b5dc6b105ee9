//! The caller's thread: an event becomes a record, or is lost for a counted reason.
//! Takes an event, the time and the generation; gives a record for the queue.
//! Never blocks, never panics, and allocates the record's one box.

mod hooks;
mod sampling;
mod scope;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::event::{
    Allowed, Buffers, Common, Encoder, Event, Flaw, PseudonymKey, Record, Schema, Tally, Timestamp,
};
use crate::observe::{Counters, LossReason};

pub(crate) use hooks::Hooks;
pub use sampling::Sampling;
pub use scope::ContextGuard;
#[cfg(feature = "tower")]
pub use scope::{ContextLayer, ContextService};

/// What every capture of a client has in common.
#[derive(Clone, Debug)]
pub(crate) struct Terms {
    pub(crate) common: Arc<Common>,
    pub(crate) hooks: Hooks,
    pub(crate) sampling: Option<Arc<Sampling>>,
    pub(crate) allowed: Arc<Allowed>,
    pub(crate) pseudonyms: Option<PseudonymKey>,
    pub(crate) event_bytes: usize,
}

/// The way of an event from the host's types to a record.
#[derive(Debug)]
pub(crate) struct Capture {
    terms: Terms,
    counters: Arc<Counters>,
    /// One bit for each reason that was logged.
    logged: AtomicU64,
}

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::new(Buffers::default());
}

impl Capture {
    pub(crate) fn new(terms: Terms, counters: Arc<Counters>) -> Self {
        Self { terms, counters, logged: AtomicU64::new(0) }
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
        if self.terms.sampling.as_ref().is_some_and(|sampling| !sampling.keeps(&record)) {
            return Err(LossReason::SampledOut);
        }
        if self.terms.hooks.is_empty() {
            Ok(record)
        } else {
            self.run_hooks(&record, generation, event.schema())
        }
    }

    #[inline]
    fn encode<E: Event + ?Sized>(&self, event: &E, now: Timestamp, generation: u32) -> Result<Record, Flaw> {
        // The event's code is the host's: a panic in it costs the event, not the caller.
        let encoded = catch_unwind(AssertUnwindSafe(|| {
            let scene = scope::current();
            let in_buffers = |buffers: &mut Buffers| {
                let terms = &self.terms;
                let mut encoder = Encoder::new(buffers, &terms.common, event.name())
                    .within(scene.as_deref())
                    .keyed(terms.pseudonyms.as_ref().map(|key| key.epoch(now)))
                    .allowed(&terms.allowed, event.name(), event.schema());
                event.encode(&mut encoder);
                encoder.complete();
                self.note(encoder.tally());
                encoder.finish(now, generation, terms.event_bytes)
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
    fn run_hooks(
        &self,
        record: &Record,
        generation: u32,
        schema: Option<&'static Schema>,
    ) -> Result<Record, LossReason> {
        let terms = &self.terms;
        let view = terms.hooks.run(record, &terms.common).map_err(|reason| self.refused(reason))?;
        // A list of names for events without a schema has done its work: a hook is the host's own code.
        let none = Allowed::default();
        let allowed = if terms.allowed.is_strict { &*terms.allowed } else { &none };
        // A hook may have turned the event into another.
        let schema = schema.filter(|schema| schema.name() == view.name);
        let (now, everything) = (view.timestamp, terms.common.bare());
        // The view holds the common properties already: what a hook took out stays out.
        let encoded = catch_unwind(AssertUnwindSafe(|| {
            let mut buffers = Buffers::default();
            let mut encoder =
                Encoder::new(&mut buffers, &everything, &view.name).allowed(allowed, &view.name, schema);
            view.encode(&mut encoder);
            encoder.override_all();
            self.note(encoder.tally());
            encoder.finish(now, generation, terms.event_bytes)
        }));
        encoded.unwrap_or(Err(Flaw::Panicked)).map_err(|flaw| self.invalid(flaw))
    }

    /// Counts what an event has left out or replaced.
    #[inline]
    fn note(&self, tally: Tally) {
        if tally.dropped | tally.clamped != 0 {
            self.note_losses(tally);
        }
    }

    #[cold]
    fn note_losses(&self, tally: Tally) {
        self.counters.fields(tally.dropped, tally.clamped);
        let field = tally.field.unwrap_or("an undeclared property");
        log::debug!(
            target: "candor",
            "fields left out: {}, replaced: {}; the last one: {field}",
            tally.dropped,
            tally.clamped
        );
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
            Flaw::Undeclared => LossReason::Undeclared,
        };
        if reason == LossReason::TooLarge {
            // What made the event large may have grown the buffers.
            let _ = BUFFERS.try_with(|buffers| {
                let Ok(mut buffers) = buffers.try_borrow_mut() else { return };
                let (name, bytes) = buffers.name_and_size();
                log::debug!(target: "candor", "{name} has {bytes} bytes, which is too large");
                buffers.shrink();
            });
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
