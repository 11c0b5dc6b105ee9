//! What the page and the notice say about kinds and policies.
//! Takes schemas; gives phrases.
//! Never calls a hash anonymous.

use crate::event::kind::{Kind, TextPolicy};
use crate::event::label::{Labels, Word};
use crate::event::registry::Catalogue;
use crate::event::schema::FieldSchema;

/// Which ways of making text safe a catalogue uses.
#[derive(Clone, Copy, Default)]
pub(super) struct Uses {
    pub(super) hashed: bool,
    pub(super) keyed: bool,
    pub(super) raw: bool,
}

impl Uses {
    /// Looks through everything that the catalogue sends.
    pub(super) fn of(catalogue: &Catalogue) -> Self {
        let mut uses = Self { raw: !catalogue.groups.is_empty(), ..Self::default() };
        for schema in catalogue.events {
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

    fn look_kind(&mut self, kind: &Kind) {
        match kind {
            Kind::Text(TextPolicy::Hashed { .. } | TextPolicy::Hex { .. }) => self.hashed = true,
            Kind::Text(TextPolicy::Keyed { .. }) => self.keyed = true,
            Kind::Object(fields) => fields.iter().for_each(|field| self.look(field)),
            Kind::List { of: inner, .. } | Kind::Map { values: inner, .. } => self.look_kind(inner),
            _ => {}
        }
    }
}

/// Says what values a kind has.
pub(super) fn values(kind: &Kind) -> String {
    match kind {
        Kind::Boolean => "`true` or `false`".to_owned(),
        Kind::ZeroOrOne => "`0` or `1`".to_owned(),
        Kind::Integer { least: 0, .. } => "whole number, not negative".to_owned(),
        Kind::Integer { .. } => "whole number".to_owned(),
        Kind::Number => "number".to_owned(),
        Kind::Count => "count".to_owned(),
        Kind::Duration { unit } => format!("duration in whole {}", unit.name()),
        Kind::Bucket { labels, unit: None } => format!("range: {}", list(labels.iter().copied())),
        Kind::Bucket { labels, unit: Some(unit) } => {
            format!("range in {}: {}", unit.name(), list(labels.iter().copied()))
        }
        Kind::Timestamp => "instant in UTC".to_owned(),
        Kind::Label(labels) => label(labels),
        Kind::Text(policy) => text(policy),
        Kind::Object(_) => "object, see below".to_owned(),
        Kind::List { of, most } => format!("list of at most {most}: {}", values(of)),
        Kind::Map { keys, values: inner, most } => {
            format!("for each of at most {most} names ({}): {}", label(keys), values(inner))
        }
        Kind::Histogram { keys, most } => format!("count for each of at most {most} names ({})", label(keys)),
    }
}

fn label(labels: &Labels) -> String {
    match labels {
        Labels::Closed { words, .. } => {
            let words: Vec<_> = words.iter().map(word).collect();
            format!("one of {}", words.join(", "))
        }
        Labels::Pattern { pattern, most } => {
            format!("a word that matches `{}`, at most {most} characters", pattern.source())
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
        TextPolicy::Pattern { pattern, most, other } => {
            let other = other.map(|other| format!(", otherwise `{other}`")).unwrap_or_default();
            format!("text that matches `{}`, at most {most} characters{other}", pattern.source())
        }
        TextPolicy::Constant(text) => format!("always `{text}`"),
        TextPolicy::Raw { most, pattern: None } => format!("text, at most {most} characters"),
        TextPolicy::Raw { most, pattern: Some(pattern) } => {
            format!("text that matches `{}`, at most {most} characters", pattern.source())
        }
    }
}

/// Says how a value is made safe.
pub(super) fn policy(field: &FieldSchema) -> String {
    if let Some(reason) = field.raw {
        return format!("**sent as it is**: {reason}");
    }
    match innermost(&field.kind) {
        Kind::Text(TextPolicy::Hashed { .. }) => "SHA-256 without a secret: pseudonymous".to_owned(),
        Kind::Text(TextPolicy::Hex { .. }) => "part of SHA-256 without a secret: pseudonymous".to_owned(),
        Kind::Text(TextPolicy::Keyed { .. }) => "HMAC-SHA256 with a secret that stays here".to_owned(),
        Kind::Text(TextPolicy::Pattern { other: None, .. }) => "other text is dropped".to_owned(),
        Kind::Text(TextPolicy::Pattern { other: Some(_), .. }) => "other text is replaced".to_owned(),
        Kind::Label(Labels::Pattern { .. })
        | Kind::Histogram { keys: Labels::Pattern { .. }, .. }
        | Kind::Map { keys: Labels::Pattern { .. }, .. } => "other words are dropped".to_owned(),
        Kind::Label(_) | Kind::Histogram { .. } | Kind::Map { .. } => "known words only".to_owned(),
        Kind::Bucket { .. } => "only the range is sent".to_owned(),
        Kind::Text(_) => "fixed".to_owned(),
        Kind::Object(_) => String::new(),
        _ => "no text".to_owned(),
    }
}

fn innermost(kind: &Kind) -> &Kind {
    match kind {
        Kind::List { of, .. } => innermost(of),
        kind => kind,
    }
}

fn list<'a>(texts: impl Iterator<Item = &'a str>) -> String {
    texts.map(|text| format!("`{text}`")).collect::<Vec<_>>().join(", ")
}
