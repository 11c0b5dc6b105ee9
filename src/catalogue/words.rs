//! Descriptions of values and policies for the page and the notice.

use crate::catalogue::registry::{Catalogue, UNNAMED};
use crate::schema::{FieldSchema, FieldType, Labels, Purpose, TextPolicy, Word};

/// The policies that a catalogue uses.
#[derive(Clone, Copy, Default)]
pub(super) struct Uses {
    pub(super) hashed: bool,
    pub(super) keyed: bool,
    pub(super) raw: bool,
}

impl Uses {
    /// Collects the policies of everything that the catalogue sends.
    pub(super) fn of(catalogue: &Catalogue) -> Self {
        let mut uses = Self { raw: !catalogue.groups.is_empty(), ..Self::default() };
        for schema in catalogue.events {
            uses.raw |= schema.takes_id_of_context();
            uses.look(&schema.distinct_id);
            schema.groups.iter().chain(schema.fields).for_each(|field| uses.look(field));
        }
        catalogue.common.iter().for_each(|field| uses.look(field));
        uses
    }

    fn look(&mut self, field: &FieldSchema) {
        self.raw |= field.raw.is_some();
        self.look_kind(&field.kind);
    }

    fn look_kind(&mut self, kind: &FieldType) {
        match kind {
            FieldType::Text(TextPolicy::Hashed { .. } | TextPolicy::Hex { .. }) => self.hashed = true,
            FieldType::Text(TextPolicy::Keyed { .. }) => self.keyed = true,
            FieldType::Object(fields) => fields.iter().for_each(|field| self.look(field)),
            FieldType::List { of: inner, .. } | FieldType::Map { values: inner, .. } => self.look_kind(inner),
            _ => {}
        }
    }
}

/// Describes the values of a type.
pub(super) fn values(kind: &FieldType) -> String {
    match kind {
        FieldType::Boolean => "`true` or `false`".to_owned(),
        FieldType::ZeroOrOne => "`0` or `1`".to_owned(),
        FieldType::Integer { min: 0, .. } => "whole number, 0 or more".to_owned(),
        FieldType::Integer { .. } => "whole number".to_owned(),
        FieldType::Number => "number".to_owned(),
        FieldType::Count => "count".to_owned(),
        FieldType::Duration { unit } => format!("duration in whole {}", unit.name()),
        FieldType::Bucket { labels, unit: None } => format!("range: {}", list(labels.iter().copied())),
        FieldType::Bucket { labels, unit: Some(unit) } => {
            format!("range in {}: {}", unit.name(), list(labels.iter().copied()))
        }
        FieldType::Timestamp => "timestamp in UTC".to_owned(),
        FieldType::Label(labels) => label(labels),
        FieldType::Text(policy) => text(policy),
        FieldType::Object(_) => "object, see below".to_owned(),
        FieldType::List { of, max } => format!("list of at most {max} items: {}", values(of)),
        FieldType::Map { keys, values: inner, max } => {
            format!("for each of up to {max} names ({}): {}", label(keys), values(inner))
        }
        FieldType::Histogram { keys, max } => {
            format!("count for each of up to {max} names ({})", label(keys))
        }
    }
}

fn label(labels: &Labels) -> String {
    match labels {
        Labels::Closed { words, .. } => {
            let words: Vec<_> = words.iter().map(word).collect();
            format!("one of {}", words.join(", "))
        }
        Labels::Pattern { pattern, max } => {
            format!("a word that matches `{}`, at most {max} characters", pattern.source())
        }
    }
}

fn word(word: &Word) -> String {
    match word.description.trim_end_matches('.') {
        "" => format!("`{}`", word.name),
        meaning => format!("`{}` ({meaning})", word.name),
    }
}

fn text(policy: &TextPolicy) -> String {
    match policy {
        TextPolicy::Hashed { prefix: Some(prefix) } => format!("pseudonym: `{prefix}_` and a hash"),
        TextPolicy::Hashed { prefix: None } => "pseudonym: a hash".to_owned(),
        TextPolicy::Hex { digits } => format!("pseudonym: {digits} hexadecimal digits of a hash"),
        TextPolicy::Keyed { prefix } => format!("rotating pseudonym: `{prefix}_` and a keyed hash"),
        TextPolicy::Pattern { pattern, max, other } => {
            let other = other.map(|other| format!(", otherwise `{other}`")).unwrap_or_default();
            format!("text that matches `{}`, at most {max} characters{other}", pattern.source())
        }
        TextPolicy::Context => CONTEXT_ID.to_owned(),
        TextPolicy::Constant(text) => format!("always `{text}`"),
        TextPolicy::Raw { max, pattern: None } => format!("text, at most {max} characters"),
        TextPolicy::Raw { max, pattern: Some(pattern) } => {
            format!("text that matches `{}`, at most {max} characters", pattern.source())
        }
    }
}

/// What the distinct id of a context is.
pub(super) const CONTEXT_ID: &str = "the id that the program sets for the request, at most 200 characters";

/// How the distinct id of a context is made safe: it is not.
pub(super) const CONTEXT_ID_POLICY: &str = "**sent as it is**: the program chooses the id";

/// Describes how a value is made safe.
pub(super) fn policy(field: &FieldSchema) -> String {
    if let Some(reason) = field.raw {
        return format!("**sent as it is**: {reason}");
    }
    match innermost(&field.kind) {
        FieldType::Text(TextPolicy::Hashed { .. }) => "SHA-256 without a secret: pseudonymous".to_owned(),
        FieldType::Text(TextPolicy::Hex { .. }) => {
            "part of SHA-256 without a secret: pseudonymous".to_owned()
        }
        FieldType::Text(TextPolicy::Keyed { .. }) => {
            "HMAC-SHA256 with a secret that stays on the machine".to_owned()
        }
        FieldType::Text(TextPolicy::Pattern { other: None, .. }) => "other text is dropped".to_owned(),
        FieldType::Text(TextPolicy::Pattern { other: Some(_), .. }) => "other text is replaced".to_owned(),
        FieldType::Label(Labels::Pattern { .. })
        | FieldType::Histogram { keys: Labels::Pattern { .. }, .. }
        | FieldType::Map { keys: Labels::Pattern { .. }, .. } => "other words are dropped".to_owned(),
        FieldType::Label(_) | FieldType::Histogram { .. } | FieldType::Map { .. } => {
            "known words only".to_owned()
        }
        FieldType::Bucket { .. } => "only the range is sent".to_owned(),
        FieldType::Text(TextPolicy::Context) => CONTEXT_ID_POLICY.to_owned(),
        FieldType::Text(_) => "fixed".to_owned(),
        FieldType::Object(_) => String::new(),
        _ => "no text".to_owned(),
    }
}

fn innermost(kind: &FieldType) -> &FieldType {
    match kind {
        FieldType::List { of, .. } => innermost(of),
        kind => kind,
    }
}

fn list<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")
}

/// What people are told about the spool. The age is the maximum that can be configured.
pub(super) const KEPT_ON_DISK: &str = "Until they are sent, events are kept on this machine for up to 7 days. Turning \
                            telemetry off removes them.";

/// Returns the product's name for the start of a sentence.
pub(super) fn subject(catalogue: &Catalogue) -> &'static str {
    if catalogue.product == UNNAMED { "This program" } else { catalogue.product }
}

pub(super) fn counted(events: usize) -> String {
    match events {
        0 => "no events".to_owned(),
        1 => "one kind of event".to_owned(),
        _ => format!("{events} kinds of events"),
    }
}

/// Returns what a purpose is for, as part of a sentence.
pub(super) fn aim(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Usage => "to see how it is used",
        Purpose::Error => "to see what fails",
        Purpose::UpdateCheck => "to see which versions are in use",
    }
}

/// Returns why events of a purpose are sent, for those that do not explain it themselves.
pub(super) fn reason(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Usage => "To see how the software is used.",
        Purpose::Error => "To see what fails.",
        Purpose::UpdateCheck => "To see which versions are in use, and whether there is a newer one.",
    }
}
