//! Made-up examples of events, for the page.

use crate::catalogue::json::Json;
use crate::catalogue::registry::Catalogue;
use crate::event::reserved;
use crate::field::{Hashed, PseudonymKey, write_hash, write_hex};
use crate::schema::{FieldSchema, FieldType, Labels, Schema, TextPolicy};
use crate::timestamp::Timestamp;

const INSTANT: &str = "2026-01-31T12:00:00.000Z";
const UUID: &str = "019c1417-8a00-7000-8000-000000000000";

/// Returns an example of an event as it appears in a batch.
pub(super) fn event(catalogue: &Catalogue, schema: &Schema) -> Json {
    let mut properties = fields(schema.fields);
    let mut groups = fields(schema.groups);
    for (kind, _) in catalogue.groups_of(schema) {
        groups.push((kind.to_owned(), Json::string("example")));
    }
    if !groups.is_empty() {
        properties.push((reserved::GROUPS.to_owned(), Json::Object(groups)));
    }
    for common in fields(catalogue.common) {
        if properties.iter().all(|(name, _)| *name != common.0) {
            properties.push(common);
        }
    }
    properties.push((reserved::LIB.to_owned(), Json::string("candor")));
    properties.push((reserved::LIB_VERSION.to_owned(), Json::string("0.1.0")));
    properties.push((reserved::IS_SERVER.to_owned(), Json::plain(catalogue.is_server)));
    properties.push((reserved::GEOIP_DISABLE.to_owned(), Json::plain(true)));
    Json::object([
        ("uuid", Json::string(UUID)),
        ("event", Json::string(schema.name)),
        ("distinct_id", field(&schema.distinct_id)),
        ("timestamp", Json::string(INSTANT)),
        ("properties", Json::Object(properties)),
    ])
}

/// Returns an example of an event's own fields, for a catalogue of flat records.
pub(super) fn record(schema: &Schema) -> Json {
    Json::Object(fields(schema.fields))
}

fn fields(fields: &[FieldSchema]) -> Vec<(String, Json)> {
    fields.iter().map(|each| (each.name.to_owned(), field(each))).collect()
}

fn field(field: &FieldSchema) -> Json {
    value(&field.kind, field.example)
}

fn value(kind: &FieldType, given: Option<&'static str>) -> Json {
    if let FieldType::List { of, max } = kind {
        let one = value(of, given);
        return Json::Array(if *max > 0 { vec![one] } else { Vec::new() });
    }
    if let (Some(given), false) = (given, is_hashed(kind)) {
        return Json::Text(given.to_owned());
    }
    match kind {
        FieldType::Boolean => Json::plain(true),
        FieldType::ZeroOrOne => Json::plain(1),
        FieldType::Integer { max, .. } => Json::plain(3.min(*max)),
        FieldType::Number => Json::plain(1.5),
        FieldType::Count | FieldType::Duration { .. } => Json::plain(12),
        FieldType::Bucket { labels, .. } => Json::string(labels.get(1).copied().unwrap_or_default()),
        FieldType::Timestamp => Json::string(INSTANT),
        FieldType::Label(labels) => Json::string(&word(labels)),
        FieldType::Text(policy) => text(policy, given),
        FieldType::Object(inner) => Json::Object(fields(inner)),
        FieldType::Map { keys, values, .. } => Json::Object(vec![(word(keys), value(values, None))]),
        FieldType::Histogram { keys, .. } => Json::Object(vec![(word(keys), Json::plain(12))]),
        FieldType::List { .. } => Json::Array(Vec::new()),
    }
}

fn is_hashed(kind: &FieldType) -> bool {
    matches!(
        kind,
        FieldType::Text(TextPolicy::Hashed { .. } | TextPolicy::Hex { .. } | TextPolicy::Keyed { .. })
    )
}

fn word(labels: &Labels) -> String {
    match labels {
        Labels::Closed { words, .. } => words.first().map_or("", |word| word.name).to_owned(),
        Labels::Pattern { pattern, .. } => pattern.example(),
    }
}

fn text(policy: &TextPolicy, given: Option<&'static str>) -> Json {
    let given: String =
        given.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_else(|| "example".to_owned());
    let json = |bytes: Vec<u8>| Json::Text(String::from_utf8(bytes).unwrap_or_default());
    let mut out = Vec::new();
    match policy {
        TextPolicy::Hashed { prefix } => {
            Json::string(&Hashed::new(prefix.unwrap_or("id"), &given).to_string())
        }
        TextPolicy::Hex { digits } => {
            write_hex(&given, *digits, &mut out);
            json(out)
        }
        TextPolicy::Keyed { prefix } => {
            let epoch = PseudonymKey::new([0; 32]).epoch(Timestamp::from_unix_millis(0));
            write_hash(prefix, &epoch.pseudonym(prefix, &given), &mut out);
            json(out)
        }
        TextPolicy::Pattern { pattern, .. } | TextPolicy::Raw { pattern: Some(pattern), .. } => {
            Json::string(&pattern.example())
        }
        TextPolicy::Context => Json::string(&given),
        TextPolicy::Constant(text) => Json::string(text),
        TextPolicy::Raw { pattern: None, .. } => Json::string("text"),
    }
}
