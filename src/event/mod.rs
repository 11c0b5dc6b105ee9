//! What an event is, and how it becomes bytes on the caller's thread.
//! Takes the host's values; gives records: exactly sized JSON fragments with a time.
//! Never reads a clock, a file or the environment.

mod common;
mod dynamic;
mod encoder;
mod finite;
mod macros;
mod record;
mod rules;
mod special;
mod timestamp;
mod view;

pub(crate) use common::{Common, MOST as MOST_COMMON, write_string};
pub use dynamic::DynamicEvent;
pub(crate) use encoder::Buffers;
pub use encoder::{Encoder, Flaw};
pub(crate) use finite::to_json;
pub use record::Record;
pub(crate) use rules::Rules;
pub(crate) use timestamp::Rfc3339;
pub use timestamp::Timestamp;
pub use view::EventView;

/// An event that encodes itself straight to JSON bytes.
///
/// Derive it with `#[derive(candor::Event)]`, or write it by hand:
///
/// ```
/// struct RequestCreated<'a> {
///     requested_by: &'a str,
///     has_reason: bool,
/// }
///
/// impl candor::Event for RequestCreated<'_> {
///     fn name(&self) -> &str {
///         "cf:request.created"
///     }
///
///     fn encode(&self, event: &mut candor::Encoder<'_>) {
///         event.distinct_id(self.requested_by);
///         event.group("deployment", "dep_123");
///         event.property("has_reason", &self.has_reason);
///     }
/// }
/// ```
///
/// `encode` runs on the thread that captures, and only while the consent gate is open. A panic in
/// it is caught: the event is dropped and counted as invalid.
pub trait Event {
    /// Returns the name of the event: not blank, at most 200 characters (bytes with PostHog's v1 protocol).
    fn name(&self) -> &str;

    /// Writes the distinct id, the properties and what else the event has.
    fn encode(&self, event: &mut Encoder<'_>);
}

impl<E: Event + ?Sized> Event for &E {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn encode(&self, event: &mut Encoder<'_>) {
        (**self).encode(event);
    }
}

impl<E: Event + ?Sized> Event for Box<E> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn encode(&self, event: &mut Encoder<'_>) {
        (**self).encode(event);
    }
}
