//! A protocol as a value: what the rest of the crate has to know of it, declared in the protocol's own file.

use std::sync::Arc;

use super::{Envelope, EnvelopeLimits};
use crate::event::Rules;

/// A protocol of PostHog's.
#[derive(Debug)]
pub(crate) struct ProtocolSpec {
    /// Where its requests go, under the endpoint.
    pub(crate) path: &'static str,
    pub(crate) limits: EnvelopeLimits,
    pub(crate) conventions: Conventions,
    /// Creates its envelope.
    pub(crate) envelope: fn(&EnvelopeSettings<'_>) -> Arc<dyn Envelope>,
}

/// What a protocol's envelope needs of the configuration.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EnvelopeSettings<'a> {
    pub(crate) api_key: Option<&'a str>,
    pub(crate) historical_migration: bool,
    /// The name and the version of the library that events name.
    pub(crate) library: (&'a str, &'a str),
}

/// What holds for the events of a protocol before its envelope has them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Conventions {
    /// The protocol's name in the log of what was sent.
    pub(crate) name: &'static str,
    /// What the receiver does with names and ids.
    pub(crate) rules: Rules,
    pub(crate) library: LibraryPlace,
    /// Whether events say that they come from a server (`$is_server`).
    pub(crate) names_server: bool,
}

impl Conventions {
    /// Those of an application's own envelope.
    pub(crate) const CUSTOM: Self =
        Self { name: "custom", rules: Rules::LENIENT, library: LibraryPlace::Properties, names_server: true };
}

/// Where a protocol names the library that has captured an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LibraryPlace {
    /// In the properties of each event.
    Properties,
    /// At the root of each event, and in its properties.
    RootAndProperties,
    /// In a header of each request, and in no event.
    Header,
}
