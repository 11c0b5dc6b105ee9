//! Encodes an event on the caller's thread, or counts why it was lost.
//!
//! Never blocks and never panics.

mod hooks;
mod sampling;
mod scope;

use std::cell::{Cell, RefCell};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use log::Level;

use crate::event::{Allowed, Buffers, CommonProperties, EncodedEvent, Encoder, Event, OutgoingEvent};
use crate::field::{FieldLosses, PseudonymKey};
use crate::observe::{Counters, LossReason, print_line};
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
    /// Whether every event that is dropped, and every property that is left out, is printed.
    pub(crate) is_debugging: bool,
}

/// Turns an event of the application into bytes.
#[derive(Debug)]
pub(crate) struct Capture {
    settings: CaptureSettings,
    counters: Arc<Counters>,
    logged: Logged,
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

/// The warnings that were logged: one for each reason and event name, and no more than the limit.
#[derive(Debug, Default)]
struct Logged {
    /// A bit for each reason.
    reasons: AtomicU64,
    /// A hash of each reason and event name; zero while it is free. They are taken in order, and never freed.
    names: [AtomicU64; NAMES],
}

/// The maximum number of event names in warnings. Beyond it, only a reason that was not logged yet is.
const NAMES: usize = 16;

/// The bit for a property that could not be sent, above the bits of the reasons.
const PROPERTY_LEFT_OUT: u64 = 1 << 63;

impl Logged {
    /// Returns whether this reason is to be logged for this event name. `reason` has one bit.
    fn is_first(&self, reason: u64, name: &[u8]) -> bool {
        let mut hasher = DefaultHasher::new();
        (reason, name).hash(&mut hasher);
        let hash = hasher.finish().max(1);
        let is_new_reason = self.reasons.fetch_or(reason, Ordering::Relaxed) & reason == 0;
        for slot in &self.names {
            match slot.compare_exchange(0, hash, Ordering::Relaxed, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(known) if known == hash => return false,
                Err(_) => {}
            }
        }
        is_new_reason
    }
}

/// What to do about a loss, for a warning.
fn advice(reason: LossReason) -> &'static str {
    match reason {
        LossReason::EmptyDistinctId => "; pass `distinct_id = ..` or enter a `Context`",
        LossReason::LongName | LossReason::LongDistinctId => {
            "; at most 200 characters are allowed (200 bytes with PostHog's v1)"
        }
        LossReason::TooLarge => "; see `Config::event_bytes`",
        LossReason::Undeclared => "; add it to the catalogue, or do without `Config::strict`",
        _ => "",
    }
}

impl Capture {
    pub(crate) fn new(settings: CaptureSettings, counters: Arc<Counters>) -> Self {
        Self { settings, counters, logged: Logged::default(), is_preview: false }
    }

    /// Creates a capture for events that are only shown: nothing is counted where anyone sees it, and no warning is
    /// used up.
    pub(crate) fn preview(settings: CaptureSettings) -> Self {
        let settings = CaptureSettings { is_debugging: false, ..settings };
        Self { is_preview: true, ..Self::new(settings, Arc::default()) }
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
                .preview(self.is_preview)
                .debugging(settings.is_debugging);
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
            return Err(self.discarded(LossReason::SampledOut, &encoded));
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
                .preview(self.is_preview)
                .debugging(settings.is_debugging);
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
    fn note_losses(&self, losses: &FieldLosses, encoder: &Encoder<'_>) {
        let FieldLosses { dropped, clamped, field, ref names, .. } = *losses;
        self.counters.fields(dropped, clamped);
        // Nothing is formatted unless it is printed: an event may lose a field each time.
        let (what, is_debugging, left_out) =
            (Named(encoder.name()), self.settings.is_debugging, encoder.left_out());
        let refused = encoder.refused();
        if !is_debugging || clamped > 0 || dropped as usize > left_out.len() {
            let last = refused.map(|(key, _)| key).or(field).unwrap_or("an undeclared property");
            let (open, reason, close) =
                refused.map_or(("", "", ""), |(_, reason)| (" (", reason.as_str(), ")"));
            let counts = format_args!("{dropped} fields left out, {clamped} replaced");
            match names.list() {
                Some(names) => print_line(Level::Info, true, format_args!("{what}: {counts}: {names}")),
                None => print_line(
                    Level::Debug,
                    is_debugging,
                    format_args!("{what}: {counts}; among them: {last}{open}{reason}{close}"),
                ),
            }
        }
        if is_debugging {
            for (key, reason) in left_out {
                let text = format_args!("{what}: the property {key:?} was left out: {reason}");
                print_line(Level::Info, true, text);
            }
        }
        if let Some((key, reason)) = refused.filter(|_| self.warns(PROPERTY_LEFT_OUT, encoder.name())) {
            log_warning(format_args!(
                "{what}: the property {key:?} was left out: {reason} (logged once for this event, counted always)"
            ));
        }
    }

    /// Logs why an event is lost that cannot be sent as it is.
    #[cold]
    fn invalid(&self, reason: LossReason, buffers: &Buffers) -> LossReason {
        if reason == LossReason::TooLarge {
            let text = format_args!("{} is too large: {} bytes", Named(buffers.name()), buffers.size());
            print_line(Level::Debug, self.settings.is_debugging, text);
        }
        self.log_dropped(reason, buffers.name());
        reason
    }

    /// Logs why the hooks lost an event, unless they dropped it.
    #[cold]
    fn refused(&self, reason: LossReason, encoded: &EncodedEvent<'_>) -> LossReason {
        if reason == LossReason::DroppedByHook {
            return self.discarded(reason, encoded);
        }
        self.log_dropped(reason, encoded.name());
        reason
    }

    /// Prints with debugging why an event was dropped that could have been sent.
    #[cold]
    pub(crate) fn discarded(&self, reason: LossReason, encoded: &EncodedEvent<'_>) -> LossReason {
        if self.settings.is_debugging {
            print_line(Level::Info, true, format_args!("{} was dropped: {reason}", Named(encoded.name())));
        }
        reason
    }

    fn log_dropped(&self, reason: LossReason, name: &[u8]) {
        let (what, todo) = (Named(name), advice(reason));
        if self.settings.is_debugging {
            print_line(Level::Info, true, format_args!("{what} was dropped: {reason}{todo}"));
        }
        if self.warns(1 << (reason as u64), name) {
            log_warning(format_args!(
                "{what} was dropped: {reason}{todo} (logged once for this event, counted always)"
            ));
        }
    }

    /// Returns whether to log a warning, which is so the first time for each reason and event name.
    fn warns(&self, reason: u64, name: &[u8]) -> bool {
        !self.is_preview && self.logged.is_first(reason, name)
    }
}

/// Logs a warning. A panic of the application's logger is caught.
fn log_warning(text: fmt::Arguments<'_>) {
    print_line(Level::Warn, false, text);
}

/// An event with its name, already in quotes, if it has a valid one.
struct Named<'a>(&'a [u8]);

impl fmt::Display for Named<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            [] => f.write_str("event with no usable name"),
            name => write!(f, "event {}", String::from_utf8_lossy(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Logged, NAMES};

    #[test]
    fn a_warning_is_logged_once_per_reason_and_name_up_to_the_limit() {
        let logged = Logged::default();
        for name in 0..NAMES {
            let name = name.to_string();
            assert!(logged.is_first(1, name.as_bytes()), "{name}");
            assert!(!logged.is_first(1, name.as_bytes()), "{name}");
        }
        assert!(!logged.is_first(1, b"one more name"));
        assert!(logged.is_first(2, b"0"), "a reason that was not logged yet");
        assert!(!logged.is_first(2, b"1"));
    }

    #[test]
    fn another_reason_for_the_same_name_is_another_warning() {
        let logged = Logged::default();
        assert!(logged.is_first(1, b"name") && logged.is_first(2, b"name"));
    }
}
