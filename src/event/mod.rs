//! What an event is, and how it becomes bytes on the caller's thread.
//!
//! Never reads a clock, a file or the environment.

mod admit;
mod aggregate;
mod allow;
mod catalogue;
mod common_properties;
mod context;
#[cfg(feature = "derive")]
mod derives;
mod dynamic;
mod encoded;
mod encoder;
mod field;
mod field_type;
mod finite;
mod flaw;
mod hashed;
mod label;
mod list;
mod macros;
mod measure;
mod outgoing;
mod pattern;
#[doc(hidden)]
pub mod private;
mod properties;
mod pseudonym;
mod registry;
mod rules;
mod schema;
mod special;
mod text;
mod timestamp;
mod values;

pub use aggregate::{Count, Histogram};
pub(crate) use allow::Allowed;
pub(crate) use catalogue::Drift;
pub(crate) use common_properties::{CommonProperties, MAX as MAX_COMMON, write_string};
pub(crate) use context::ActiveContext;
pub use context::Context;
#[cfg(feature = "derive")]
pub use derives::{Event, Label, Properties};
pub use dynamic::DynamicEvent;
pub use encoded::EncodedEvent;
pub(crate) use encoder::Buffers;
pub use encoder::Encoder;
pub(crate) use field::FieldLosses;
pub use field::{Field, Identifier};
pub use field_type::{FieldType, TextPolicy};
pub(crate) use finite::to_json;
pub use flaw::Flaw;
pub use hashed::Hashed;
pub use label::{ClosedLabel, Label, Labels, Word};
pub use measure::Unit;
pub use outgoing::OutgoingEvent;
pub use pattern::Pattern;
pub use properties::Properties;
pub use pseudonym::PseudonymKey;
pub use registry::{Catalogue, Catalogued};
pub(crate) use rules::Rules;
pub use schema::{FieldSchema, Purpose, Schema};
pub(crate) use timestamp::Rfc3339;
pub use timestamp::Timestamp;

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

    /// Returns what the event sends, where that is declared: a derived event's schema.
    fn schema(&self) -> Option<&'static Schema> {
        None
    }
}

impl<E: Event + ?Sized> Event for &E {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn encode(&self, event: &mut Encoder<'_>) {
        (**self).encode(event);
    }

    fn schema(&self) -> Option<&'static Schema> {
        (**self).schema()
    }
}

impl<E: Event + ?Sized> Event for Box<E> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn encode(&self, event: &mut Encoder<'_>) {
        (**self).encode(event);
    }

    fn schema(&self) -> Option<&'static Schema> {
        (**self).schema()
    }
}

#[cfg(all(test, feature = "derive"))]
mod tests;
