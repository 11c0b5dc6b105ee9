//! Encodes an event on the caller's thread, or counts why it was lost.
//!
//! Never blocks and never panics.

mod hooks;
mod sampling;
mod scope;

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::event::{Allowed, Buffers, CommonProperties, EncodedEvent, Encoder, Event, OutgoingEvent};
use crate::field::{FieldLosses, PseudonymKey};
use crate::observe::{Counters, LossReason};
use crate::panic::catch_panic;
use crate::timestamp::Timestamp;

pub(crate) use hooks::Hooks;
pub use sampling::Sampling;
pub use scope::ContextGuard;
#[cfg(feature = "tower")]
pub use scope::{ContextLayer, ContextService};

/// The settings that all captures of a client share.
#[derive(Clone, Debug)]
pub(crate) struct CaptureSettings {
    pub(crate) common: Arc<CommonProperties>,
    pub(crate) hooks: Hooks,
    pub(crate) sampling: Option<Arc<Sampling>>,
    pub(crate) allowed: Arc<Allowed>,
    pub(crate) pseudonyms: Option<PseudonymKey>,
    pub(crate) event_bytes: usize,
}

/// Turns an event of the application into bytes.
#[derive(Debug)]
pub(crate) struct Capture {
    settings: CaptureSettings,
    counters: Arc<Counters>,
    /// A bit for each reason that was logged.
    logged: AtomicU64,
    is_preview: bool,
}

thread_local! {
    /// One for an event, and one for an event that the code of the first captures.
    static BUFFERS: [RefCell<Buffers>; 2] = const { [const { RefCell::new(Buffers::new()) }; 2] };
    /// Whether an event is being captured while the thread ends, when the buffers no longer exist.
    static IS_ENDING: Cell<bool> = const { Cell::new(false) };
}

/// Lends the buffers in which an event is encoded; `None` too deep inside other captures.
///
/// An event's own code, a hook and a logger may capture events themselves, and so may code that runs for those
/// events. The second level is captured as usual; deeper levels might never end.
#[inline]
fn with_buffers<T>(work: impl FnOnce(&mut Buffers) -> T) -> Option<T> {
    let mut work = Some(work);
    let reused = BUFFERS.try_with(|[outer, inner]| {
        let mut buffers = outer.try_borrow_mut().or_else(|_| inner.try_borrow_mut()).ok()?;
        Some(work.take()?(&mut buffers))
    });
    reused.unwrap_or_else(|_| {
        if IS_ENDING.replace(true) {
            return None;
        }
        let done = work.take().map(|work| work(&mut Buffers::new()));
        IS_ENDING.set(false);
        done
    })
}

/// The bit for a property that could not be sent, above the bits of the reasons.
const PROPERTY_LEFT_OUT: u64 = 1 << 63;

impl Capture {
    pub(crate) fn new(settings: CaptureSettings, counters: Arc<Counters>) -> Self {
        Self { settings, counters, logged: AtomicU64::new(0), is_preview: false }
    }

    /// Creates a capture for events that are only shown: nothing is counted where anyone sees it, and no warning is
    /// used up.
    pub(crate) fn preview(settings: CaptureSettings) -> Self {
        Self { logged: AtomicU64::new(u64::MAX), is_preview: true, ..Self::new(settings, Arc::default()) }
    }

    /// Encodes and samples the event and runs the hooks, in that order, then passes it to `keep` in this thread's
    /// buffers.
    #[inline]
    pub(crate) fn encode<E: Event + ?Sized, T>(
        &self,
        event: &E,
        now: Timestamp,
        keep: impl FnOnce(&EncodedEvent<'_>) -> T,
    ) -> Result<T, LossReason> {
        let kept = with_buffers(|buffers| {
            let kept = self.encode_in(buffers, event, now, keep);
            buffers.shrink();
            kept
        });
        kept.unwrap_or(Err(LossReason::Recursion))
    }

    #[inline]
    fn encode_in<E: Event + ?Sized, T>(
        &self,
        buffers: &mut Buffers,
        event: &E,
        now: Timestamp,
        keep: impl FnOnce(&EncodedEvent<'_>) -> T,
    ) -> Result<T, LossReason> {
        let settings = &self.settings;
        let active = scope::current();
        buffers.forget_name();
        let (active, reused) = (active.as_deref(), &mut *buffers);
        // The event's code belongs to the application: a panic in it loses the event, but does not reach the
        // caller.
        let encoded = catch_panic(move || {
            let mut encoder = Encoder::new(reused, &settings.common, event.name())
                .within(active)
                .keyed(settings.pseudonyms.as_ref().map(|key| key.epoch(now)))
                .allowed(&settings.allowed, event.name(), event.schema())
                .preview(self.is_preview);
            event.encode(&mut encoder);
            encoder.complete();
            self.note(&encoder);
            encoder.finish(now, settings.event_bytes)
        });
        let encoded = match encoded.unwrap_or(Err(LossReason::EventPanicked)) {
            Ok(encoded) => encoded,
            Err(reason) => return Err(self.invalid(reason, buffers)),
        };
        if settings.sampling.as_ref().is_some_and(|sampling| !sampling.keeps(&encoded)) {
            return Err(LossReason::SampledOut);
        }
        if settings.hooks.is_empty() {
            return Ok(keep(&encoded));
        }
        let view = settings
            .hooks
            .run(&encoded, &settings.common)
            .map_err(|reason| self.refused(reason, &encoded))?;
        self.encode_view(buffers, &view, event, keep)
    }

    /// Encodes an event as the hooks left it.
    #[cold]
    fn encode_view<E: Event + ?Sized, T>(
        &self,
        buffers: &mut Buffers,
        view: &OutgoingEvent,
        event: &E,
        keep: impl FnOnce(&EncodedEvent<'_>) -> T,
    ) -> Result<T, LossReason> {
        let settings = &self.settings;
        // The list of allowed names has already been applied. A hook is the application's own code, so it may add
        // others.
        let none = Allowed::default();
        let allowed = if settings.allowed.is_strict { &*settings.allowed } else { &none };
        let everything = settings.common.bare();
        let (everything, reused) = (&everything, &mut *buffers);
        // The view already contains the common properties, so one that a hook removed stays removed.
        let encoded = catch_panic(move || {
            // A hook may have turned the event into a different one.
            let schema = event.schema().filter(|schema| schema.name() == view.name);
            let mut encoder = Encoder::new(reused, everything, &view.name)
                .allowed(allowed, &view.name, schema)
                .view()
                .preview(self.is_preview);
            view.encode(&mut encoder);
            encoder.override_all();
            self.note(&encoder);
            encoder.finish(view.timestamp, settings.event_bytes)
        });
        match encoded.unwrap_or(Err(LossReason::EventPanicked)) {
            Ok(encoded) => Ok(keep(&encoded)),
            Err(reason) => Err(self.invalid(reason, buffers)),
        }
    }

    /// Counts the fields that an event has left out or replaced.
    #[inline]
    fn note(&self, encoder: &Encoder<'_>) {
        let losses = encoder.losses();
        if losses.dropped | losses.clamped != 0 {
            self.note_losses(losses, encoder);
        }
    }

    #[cold]
    fn note_losses(&self, losses: FieldLosses, encoder: &Encoder<'_>) {
        self.counters.fields(losses.dropped, losses.clamped);
        let field = losses.field.unwrap_or("an undeclared property");
        log::debug!(
            target: "candor",
            "event {}: {} fields left out, {} replaced; the last one: {field}",
            encoder.quoted_name(),
            losses.dropped,
            losses.clamped
        );
        if let Some((key, reason)) = encoder.refused().filter(|_| self.is_first(PROPERTY_LEFT_OUT)) {
            log::warn!(
                target: "candor",
                "event {}: the property {key:?} was left out: {reason} (logged once, counted always)",
                encoder.quoted_name()
            );
        }
    }

    /// Logs the reason the first time it occurs.
    #[cold]
    fn invalid(&self, reason: LossReason, buffers: &Buffers) -> LossReason {
        if reason == LossReason::TooLarge {
            let (name, bytes) = buffers.name_and_size();
            catch_panic(|| log::debug!(target: "candor", "event {name} is too large: {bytes} bytes"));
        }
        self.log_once(reason, &buffers.quoted_name());
        reason
    }

    /// Logs the first event that the hooks lost other than by dropping it.
    #[cold]
    fn refused(&self, reason: LossReason, encoded: &EncodedEvent<'_>) -> LossReason {
        if reason != LossReason::DroppedByHook {
            self.log_once(reason, &String::from_utf8_lossy(encoded.name()));
        }
        reason
    }

    fn log_once(&self, reason: LossReason, name: &str) {
        if self.is_first(1 << (reason as u64)) {
            catch_panic(|| {
                log::warn!(target: "candor", "event {name} was dropped: {reason} (logged once, counted always)");
            });
        }
    }

    /// Returns whether a bit is set for the first time.
    fn is_first(&self, bit: u64) -> bool {
        self.logged.fetch_or(bit, Ordering::Relaxed) & bit == 0
    }
}
