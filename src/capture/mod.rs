//! The caller's thread: an event becomes a record, or is lost for a counted reason.
//!
//! Never blocks, never panics, and allocates the record's one box.

mod hooks;
mod sampling;
mod scope;

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::event::{
    Allowed, Buffers, CommonProperties, EncodedEvent, Encoder, Event, FieldLosses, Flaw, PseudonymKey,
    Schema, Timestamp,
};
use crate::observe::{Counters, LossReason};

pub(crate) use hooks::Hooks;
pub use sampling::Sampling;
pub use scope::ContextGuard;
#[cfg(feature = "tower")]
pub use scope::{ContextLayer, ContextService};

/// What every capture of a client has in common.
#[derive(Clone, Debug)]
pub(crate) struct CaptureSettings {
    pub(crate) common: Arc<CommonProperties>,
    pub(crate) hooks: Hooks,
    pub(crate) sampling: Option<Arc<Sampling>>,
    pub(crate) allowed: Arc<Allowed>,
    pub(crate) pseudonyms: Option<PseudonymKey>,
    pub(crate) event_bytes: usize,
}

/// The way of an event from the application's types to a record.
#[derive(Debug)]
pub(crate) struct Capture {
    settings: CaptureSettings,
    counters: Arc<Counters>,
    /// One bit for each reason that was logged.
    logged: AtomicU64,
}

thread_local! {
    static BUFFERS: RefCell<Buffers> = RefCell::new(Buffers::default());
}

impl Capture {
    pub(crate) fn new(settings: CaptureSettings, counters: Arc<Counters>) -> Self {
        Self { settings, counters, logged: AtomicU64::new(0) }
    }

    /// Encodes, samples and runs the hooks, in that order.
    #[inline]
    pub(crate) fn prepare<E: Event + ?Sized>(
        &self,
        event: &E,
        now: Timestamp,
        generation: u32,
    ) -> Result<EncodedEvent, LossReason> {
        let encoded = self.encode(event, now, generation).map_err(|flaw| self.invalid(flaw));
        let encoded = encoded?;
        if self.settings.sampling.as_ref().is_some_and(|sampling| !sampling.keeps(&encoded)) {
            return Err(LossReason::SampledOut);
        }
        if self.settings.hooks.is_empty() {
            Ok(encoded)
        } else {
            self.run_hooks(&encoded, generation, event.schema())
        }
    }

    #[inline]
    fn encode<E: Event + ?Sized>(
        &self,
        event: &E,
        now: Timestamp,
        generation: u32,
    ) -> Result<EncodedEvent, Flaw> {
        // The event's code is the application's: a panic in it costs the event, not the caller.
        let encoded = catch_unwind(AssertUnwindSafe(|| {
            let active = scope::current();
            let in_buffers = |buffers: &mut Buffers| {
                let settings = &self.settings;
                let mut encoder = Encoder::new(buffers, &settings.common, event.name())
                    .within(active.as_deref())
                    .keyed(settings.pseudonyms.as_ref().map(|key| key.epoch(now)))
                    .allowed(&settings.allowed, event.name(), event.schema());
                event.encode(&mut encoder);
                encoder.complete();
                self.note(encoder.losses());
                encoder.finish(now, generation, settings.event_bytes)
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
        encoded: &EncodedEvent,
        generation: u32,
        schema: Option<&'static Schema>,
    ) -> Result<EncodedEvent, LossReason> {
        let settings = &self.settings;
        let view = settings.hooks.run(encoded, &settings.common).map_err(|reason| self.refused(reason))?;
        // A list of names for events without a schema has done its work: a hook is the application's own code.
        let none = Allowed::default();
        let allowed = if settings.allowed.is_strict { &*settings.allowed } else { &none };
        // A hook may have turned the event into another.
        let schema = schema.filter(|schema| schema.name() == view.name);
        let (now, everything) = (view.timestamp, settings.common.bare());
        // The view holds the common properties already: what a hook took out stays out.
        let encoded = catch_unwind(AssertUnwindSafe(|| {
            let mut buffers = Buffers::default();
            let mut encoder =
                Encoder::new(&mut buffers, &everything, &view.name).allowed(allowed, &view.name, schema);
            view.encode(&mut encoder);
            encoder.override_all();
            self.note(encoder.losses());
            encoder.finish(now, generation, settings.event_bytes)
        }));
        encoded.unwrap_or(Err(Flaw::Panicked)).map_err(|flaw| self.invalid(flaw))
    }

    /// Counts what an event has left out or replaced.
    #[inline]
    fn note(&self, losses: FieldLosses) {
        if losses.dropped | losses.clamped != 0 {
            self.note_losses(losses);
        }
    }

    #[cold]
    fn note_losses(&self, losses: FieldLosses) {
        self.counters.fields(losses.dropped, losses.clamped);
        let field = losses.field.unwrap_or("an undeclared property");
        log::debug!(
            target: "candor",
            "fields left out: {}, replaced: {}; the last one: {field}",
            losses.dropped,
            losses.clamped
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
