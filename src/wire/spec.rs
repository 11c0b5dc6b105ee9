//! The declaration of a protocol; each protocol's file has one.

use std::sync::Arc;

use super::{Envelope, EnvelopeLimits};
use crate::event::Rules;

/// The declaration of one of PostHog's protocols.
#[derive(Debug)]
pub(crate) struct ProtocolSpec {
    /// The path of its requests, under the endpoint.
    pub(crate) path: &'static str,
    pub(crate) limits: EnvelopeLimits,
    pub(crate) conventions: Conventions,
    /// Creates its envelope.
    pub(crate) envelope: fn(&EnvelopeSettings<'_>) -> Arc<dyn Envelope>,
}

/// The settings that a protocol's envelope needs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EnvelopeSettings<'a> {
    pub(crate) api_key: Option<&'a str>,
    pub(crate) historical_migration: bool,
    /// The name and version of the library that is reported with events.
    pub(crate) library: (&'a str, &'a str),
}

/// The rules of a protocol that apply when an event is encoded, before its envelope writes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conventions {
    /// The protocol's name in the log of sent batches.
    pub(crate) name: &'static str,
    /// How the endpoint treats names and ids.
    pub(crate) rules: Rules,
    pub(crate) library: LibraryPlace,
    /// Whether events say that they come from a server (`$is_server`).
    pub(crate) names_server: bool,
}

impl Conventions {
    /// The conventions of an application's own envelope.
    pub(crate) const CUSTOM: Self =
        Self { name: "custom", rules: Rules::LENIENT, library: LibraryPlace::Properties, names_server: true };
}

/// Where a protocol names the library that captured an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LibraryPlace {
    /// In the properties of each event.
    Properties,
    /// At the root of each event, and in its properties.
    RootAndProperties,
    /// In a header of each request, and in no event.
    Header,
}
