//! Events, and their encoding to bytes on the caller's thread.

mod allow;
mod common_properties;
mod context;
mod dynamic;
mod encoded;
mod encoder;
mod inline;
mod macros;
mod outgoing;
mod parsable;
#[doc(hidden)]
pub mod private;
pub(crate) mod reserved;
mod rules;
mod special;

use crate::schema::Schema;
pub(crate) use allow::Allowed;
pub(crate) use common_properties::{CommonProperties, MAX_COMMON};
pub(crate) use context::ActiveContext;
pub use context::Context;
pub use dynamic::DynamicEvent;
pub use encoded::EncodedEvent;
pub(crate) use encoder::Buffers;
pub use encoder::Encoder;
pub use outgoing::OutgoingEvent;
pub(crate) use parsable::to_json;
pub(crate) use rules::{MaxLength, Rules};

/// An event that encodes itself directly to JSON bytes.
///
/// Derive it with `#[derive(candor::Event)]`, or implement it by hand:
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
///     fn encode(&self, event: &mut candor::encode::Encoder<'_>) {
///         event.distinct_id(self.requested_by);
///         event.group("deployment", "dep_123");
///         event.property("has_reason", &self.has_reason);
///     }
/// }
/// ```
///
/// `encode` runs on the thread that captures, and only while the consent gate is open. A panic in it is caught: the
/// event is dropped and counted.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event",
    label = "expected an event",
    note = "for a name with properties, use `candor::event!(\"server started\", distinct_id = \"node-7\", replicas = 3)` or capture a `candor::DynamicEvent`",
    note = "for a typed event, define a struct with `#[derive(candor::Event)]`"
)]
pub trait Event {
    /// Returns the name of the event: not blank, and at most 200 characters (bytes with PostHog's v1 protocol).
    fn name(&self) -> &str;

    /// Writes the distinct id, the properties and the other parts of the event.
    fn encode(&self, event: &mut Encoder<'_>);

    /// Returns the event's schema, if it has one. Derived events do.
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
