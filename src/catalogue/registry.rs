//! The list of all events of a program, as a constant.

use crate::field::Properties;
use crate::schema::{Declarations, FieldSchema, FieldType, Schema, TextPolicy};

/// Lists the events of a program as a [`Catalogue`].
///
/// ```
/// # #[cfg(feature = "derive")] {
/// /// A scan ended.
/// #[derive(candor::Event)]
/// #[event(name = "scan ended", distinct_id = "tool")]
/// struct ScanEnded {
///     /// How many files were read.
///     files: u32,
/// }
///
/// const EVENTS: candor::Catalogue = candor::events![ScanEnded].product("Scanner").notice_version(1);
/// assert!(EVENTS.markdown().contains("### scan ended"));
/// # }
/// ```
///
/// `..` and a library's catalogue at the end add all of the library's events:
/// `events![ScanEnded, ..search::EVENTS]`. Product, notice, super properties and groups are the application's. Two
/// events of one name fail in [`testing::assert_catalogue`](crate::testing::assert_catalogue), which names them.
#[macro_export]
macro_rules! events {
    ($($event:ty),* $(,)?) => {
        $crate::Catalogue::new(&[$(<$event as $crate::schema::Catalogued>::SCHEMA),*])
    };
    ($($event:ty,)* $(.. $library:expr),+ $(,)?) => {
        $crate::Catalogue::new(const {
            &$crate::Catalogue::joined::<{
                let libraries = 0 $(+ $library.events().len())+;
                let own: &[&$crate::schema::Schema] = &[$(<$event as $crate::schema::Catalogued>::SCHEMA),*];
                own.len() + libraries
            }>(&[&[$(<$event as $crate::schema::Catalogued>::SCHEMA),*], $($library.events()),+])
        })
    };
}

/// Everything that a program sends, and what people must know about it.
///
/// Created by [`events!`](crate::events). Everything is known at compile time, so a catalogue can be a `const`. It
/// generates a page for people ([`markdown`](Self::markdown)), a JSON Schema for each event and for the batch, and
/// the short text of the notice.
#[derive(Clone, Copy, Debug)]
pub struct Catalogue {
    pub(crate) events: &'static [&'static Schema],
    pub(crate) common: &'static [FieldSchema],
    pub(crate) groups: &'static [(&'static str, &'static str)],
    pub(crate) product: &'static str,
    pub(crate) endpoint: Option<&'static str>,
    pub(crate) recipients: &'static [(&'static str, &'static str)],
    pub(crate) retention: Option<&'static str>,
    pub(crate) turn_off: &'static [&'static str],
    pub(crate) link: Option<&'static str>,
    pub(crate) notice_version: u32,
    pub(crate) identified: Option<&'static str>,
    pub(crate) beside: Option<&'static [(&'static str, &'static str)]>,
    pub(crate) is_flat: bool,
    pub(crate) is_kept_on_disk: bool,
    pub(crate) is_server: bool,
}

/// The name of a product in a catalogue that does not set one.
pub(crate) const UNNAMED: &str = "this program";

/// Stands in each place of a joined list until the list's schema does.
const PLACE: &Schema = {
    let id = FieldSchema::new("distinct_id", "", FieldType::Text(TextPolicy::Constant("")), true);
    &Schema::new("", "", "", id, &[], &[])
};

impl Catalogue {
    /// Creates a catalogue from schemas; [`events!`](crate::events) is shorter.
    pub const fn new(events: &'static [&'static Schema]) -> Self {
        Self {
            events,
            common: &[],
            groups: &[],
            product: UNNAMED,
            endpoint: None,
            recipients: &[],
            retention: None,
            turn_off: &["Set the environment variable `DO_NOT_TRACK=1`."],
            link: None,
            notice_version: 1,
            identified: None,
            beside: None,
            is_flat: false,
            is_kept_on_disk: false,
            is_server: true,
        }
    }

    /// Joins lists of schemas, `N` in all; [`events!`](crate::events) passes that number.
    #[doc(hidden)]
    pub const fn joined<const N: usize>(lists: &[&[&'static Schema]]) -> [&'static Schema; N] {
        let mut all = [PLACE; N];
        let (mut rest, mut len) = (lists, 0);
        while let [list, others @ ..] = rest {
            let mut schemas = *list;
            while let [schema, after @ ..] = schemas {
                all[len] = *schema;
                len += 1;
                schemas = after;
            }
            rest = others;
        }
        assert!(len == N, "the number of events differs from the length of the lists");
        all
    }

    /// Declares the super properties, which every event carries, as a struct that derives `Properties`.
    #[must_use]
    pub const fn super_properties<P: Properties>(mut self) -> Self {
        self.common = P::FIELDS;
        self
    }

    /// Declares the groups of the client, each with what its key means and why it is sent as it is.
    #[must_use]
    pub const fn groups(mut self, groups: &'static [(&'static str, &'static str)]) -> Self {
        self.groups = groups;
        self
    }

    /// Sets the name of the product. Default: `this program`.
    #[must_use]
    pub const fn product(mut self, name: &'static str) -> Self {
        self.product = name;
        self
    }

    /// States the address that events are sent to.
    #[must_use]
    pub const fn endpoint(mut self, endpoint: &'static str) -> Self {
        self.endpoint = Some(endpoint);
        self
    }

    /// Names everyone who processes the events, each with the purpose.
    #[must_use]
    pub const fn recipients(mut self, recipients: &'static [(&'static str, &'static str)]) -> Self {
        self.recipients = recipients;
        self
    }

    /// States how long events are kept.
    #[must_use]
    pub const fn retention(mut self, text: &'static str) -> Self {
        self.retention = Some(text);
        self
    }

    /// States that events are kept on this machine until they are sent, as with
    /// [`Config::spool`](crate::Config::spool). The page and the notice then say so, and
    /// [`cli::Telemetry`](crate::cli::Telemetry) keeps them with [`Spool::cli`](crate::Spool::cli).
    #[must_use]
    pub const fn kept_on_disk(mut self) -> Self {
        self.is_kept_on_disk = true;
        self
    }

    /// States the value of `$is_server` on every event, as [`Config::is_server`](crate::Config::is_server) sets it.
    /// Default: true. [`cli::Telemetry`](crate::cli::Telemetry) sends false.
    #[must_use]
    pub const fn is_server(mut self, is_server: bool) -> Self {
        self.is_server = is_server;
        self
    }

    /// States how to turn telemetry off, one sentence for each way. Default: `DO_NOT_TRACK=1`.
    #[must_use]
    pub const fn turn_off(mut self, ways: &'static [&'static str]) -> Self {
        self.turn_off = ways;
        self
    }

    /// States the address at which the page is published.
    #[must_use]
    pub const fn link(mut self, address: &'static str) -> Self {
        self.link = Some(address);
        self
    }

    /// Sets the version of the notice. Default: 1. Raise it with every change in what is sent.
    #[must_use]
    pub const fn notice_version(mut self, version: u32) -> Self {
        self.notice_version = version;
        self
    }

    /// Declares that the receiver can identify the sender, and how. The page and the notice then say that the events
    /// are not anonymous.
    #[must_use]
    pub const fn identified(mut self, by: &'static str) -> Self {
        self.identified = Some(by);
        self
    }

    /// Describes the fields that are sent with every event besides its own, if they differ from those of PostHog's
    /// batch, as names and descriptions. Include the fields that the receiver adds.
    #[must_use]
    pub const fn sent_beside(mut self, fields: &'static [(&'static str, &'static str)]) -> Self {
        self.beside = Some(fields);
        self
    }

    /// Declares that each event is sent as a flat record, as [`FlatRecord`](crate::wire::FlatRecord) writes it. The page
    /// then shows only the event's own fields. The JSON Schemas still describe PostHog's batch.
    #[must_use]
    pub const fn flat_records(mut self) -> Self {
        self.is_flat = true;
        self
    }

    /// Returns the schemas of all events, in the order of the list.
    pub const fn events(&self) -> &'static [&'static Schema] {
        self.events
    }

    /// Returns the declared super properties.
    pub const fn common_fields(&self) -> &'static [FieldSchema] {
        self.common
    }

    /// Returns the version of the notice.
    pub const fn version(&self) -> u32 {
        self.notice_version
    }

    /// Returns the declarations that strict mode compares events with.
    pub(crate) const fn declarations(&self) -> Declarations {
        Declarations { events: self.events, super_properties: self.common, groups: self.groups }
    }

    /// Returns the groups of the client that an event carries, as types and descriptions of their keys.
    pub(crate) fn groups_of(&self, schema: &Schema) -> impl Iterator<Item = (&'static str, &'static str)> {
        let all = if schema.has_client_groups { self.groups } else { &[] };
        let own = schema.groups;
        all.iter().copied().filter(|(kind, _)| own.iter().all(|group| group.name != *kind))
    }

    /// Returns the schema of the event with this name.
    pub fn event(&self, name: &str) -> Option<&'static Schema> {
        self.events.iter().find(|schema| schema.name() == name).copied()
    }
}
