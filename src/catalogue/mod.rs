//! The catalogue: the public list of everything that a program sends, generated from its types.

mod registry;
pub use registry::Catalogue;
mod example;
mod json;
mod json_schema;
mod markdown;
mod notice;
mod page;
mod words;

pub(crate) use page::Drift;

use crate::schema::{FieldSchema, Schema};

impl Catalogue {
    /// Returns the page for people, in Markdown: what is sent and why, each field, an example of each event,
    /// where events go, and how to turn telemetry off. Commit it as `TELEMETRY.md`, and call
    /// `candor::testing::assert_catalogue` in a test.
    pub fn markdown(&self) -> String {
        markdown::write(self)
    }

    /// Returns the short text of the notice.
    pub fn notice(&self) -> String {
        notice::write(self)
    }

    /// Returns the JSON Schema of one event as it appears in a batch; `None` if there is no such event.
    pub fn event_schema(&self, name: &str) -> Option<String> {
        let schema = self.event(name)?;
        Some(json_schema::event(self, schema, json_schema::Detail::Described).pretty())
    }

    /// Returns the JSON Schema of the body of a request to `/batch/`.
    pub fn batch_schema(&self) -> String {
        json_schema::batch(self).pretty()
    }

    /// Returns 16 hexadecimal digits that change if what is sent, why, or to whom changes, and stay the same if
    /// only descriptions change. The page contains them, so a change without a new version of the notice is detected.
    pub fn fingerprint(&self) -> String {
        page::fingerprint(self)
    }

    /// Returns an example of an event, as JSON with an indent of 2 spaces.
    pub(crate) fn example(&self, schema: &Schema) -> String {
        markdown::example(self, schema).pretty()
    }

    /// Returns whether the notice says where the events go.
    pub(crate) fn names_endpoint(&self) -> bool {
        self.endpoint.is_some()
    }

    /// Returns how long events are kept, if the catalogue states it.
    pub(crate) fn retention_text(&self) -> Option<&'static str> {
        self.retention
    }

    /// Returns the address at which the page is published, if any.
    pub(crate) fn page_link(&self) -> Option<&'static str> {
        self.link
    }

    /// Checks that a page agrees with the code.
    pub(crate) fn check(&self, page: Option<&str>) -> Result<(), Drift> {
        page::check(self, page)
    }
}

impl Schema {
    /// Returns why the event is sent: its own explanation, or that of its purpose.
    pub(crate) fn reason(&self) -> &'static str {
        markdown::why(self)
    }
}

impl FieldSchema {
    /// Describes the values of the field, and how they are made safe.
    pub(crate) fn in_words(&self) -> (String, String) {
        (words::values(&self.kind), words::policy(self))
    }
}
