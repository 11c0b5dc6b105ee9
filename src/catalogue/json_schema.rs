//! JSON Schemas (draft 2020-12) of what is sent. A member that the catalogue does not name is not allowed.

use crate::catalogue::json::Json;
use crate::catalogue::registry::Catalogue;
use crate::event::reserved;
use crate::schema::{FieldSchema, FieldType, Labels, Schema, TextPolicy};

const DIALECT: &str = "https://json-schema.org/draft/2020-12/schema";
const INSTANT: &str = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.([0-9]{3}){1,2}Z$";
const UUID: &str = "^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$";

/// The properties that the library adds to events: name, type and description.
pub(super) const LIBRARY: [(&str, &str, &str); 5] = [
    (reserved::LIB, "string", "The library that sent the event."),
    (reserved::LIB_VERSION, "string", "The version of that library."),
    (reserved::IS_SERVER, "boolean", "Whether the program is a server."),
    (
        reserved::GEOIP_DISABLE,
        "boolean",
        "Asks the receiver not to derive a location from the sender's IP address.",
    ),
    (
        reserved::PROCESS_PERSON_PROFILE,
        "boolean",
        "`false` if the receiver must not store a person, because many people share the distinct id.",
    ),
];

/// What a schema contains besides the rules for values.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Detail {
    /// Descriptions for people.
    Described,
    /// How each text is made safe, and nothing that can change while what is sent stays the same.
    Bare,
}

/// Returns the schema of one event as it appears in a batch.
pub(super) fn event(catalogue: &Catalogue, schema: &Schema, detail: Detail) -> Json {
    let mut out = Json::object([]);
    if detail == Detail::Described {
        out = out.with("$schema", Json::string(DIALECT));
    }
    embedded(catalogue, schema, detail, out)
}

/// Returns the schema of the body of a request: any number of the catalogue's events.
pub(super) fn batch(catalogue: &Catalogue) -> Json {
    let events = catalogue
        .events
        .iter()
        .map(|schema| embedded(catalogue, schema, Detail::Described, Json::object([])));
    let text = || Json::object([("type", Json::string("string"))]);
    let members = Json::object([
        ("api_key", text()),
        ("historical_migration", Json::object([("type", Json::string("boolean"))])),
        (
            "batch",
            Json::object([
                ("type", Json::string("array")),
                ("items", Json::object([("oneOf", Json::Array(events.collect()))])),
            ]),
        ),
        ("sent_at", Json::object([("type", Json::string("string")), ("pattern", Json::string(INSTANT))])),
    ]);
    Json::object([
        ("$schema", Json::string(DIALECT)),
        ("title", Json::string(&format!("A batch of {}", catalogue.product))),
        ("type", Json::string("object")),
        ("properties", members),
        ("required", Json::strings(["batch"])),
        ("additionalProperties", Json::plain(false)),
    ])
}

fn embedded(catalogue: &Catalogue, schema: &Schema, detail: Detail, mut out: Json) -> Json {
    if detail == Detail::Described {
        out = out
            .with("title", Json::string(schema.name))
            .with("description", Json::string(schema.description));
    }
    let instant = Json::object([("type", Json::string("string")), ("pattern", Json::string(INSTANT))]);
    let uuid = Json::object([("type", Json::string("string")), ("pattern", Json::string(UUID))]);
    let members = Json::object([
        ("uuid", uuid),
        ("event", Json::object([("const", Json::string(schema.name))])),
        ("distinct_id", distinct_id(schema, detail)),
        ("timestamp", instant),
        ("properties", properties(catalogue, schema, detail)),
    ]);
    out.with("type", Json::string("object"))
        .with("properties", members)
        .with("required", Json::strings(["uuid", "event", "distinct_id", "timestamp", "properties"]))
        .with("additionalProperties", Json::plain(false))
}

fn distinct_id(schema: &Schema, detail: Detail) -> Json {
    let id = &schema.distinct_id;
    let own = match id.kind {
        FieldType::Text(_) | FieldType::Label(_) => field(id, detail),
        // A distinct id of any type is sent as text.
        _ => Json::object([("type", Json::string("string"))]),
    };
    if !schema.or_id_of_context {
        return own;
    }
    let of_context = text(&TextPolicy::Context, detail, Json::object([]));
    Json::object([("anyOf", Json::Array(vec![own, of_context]))])
}

fn properties(catalogue: &Catalogue, schema: &Schema, detail: Detail) -> Json {
    let own = schema.fields.iter();
    let common = catalogue.common.iter().filter(|common| own.clone().all(|field| field.name != common.name));
    let mut members: Vec<_> =
        own.clone().chain(common).map(|each| (each.name.to_owned(), field(each, detail))).collect();
    members.push((reserved::GROUPS.to_owned(), groups(catalogue, schema, detail)));
    if detail == Detail::Described {
        members.extend(LIBRARY.iter().map(|(name, kind, description)| {
            let described =
                Json::object([("description", Json::string(description)), ("type", Json::string(kind))]);
            ((*name).to_owned(), described)
        }));
    }
    closed_object(members, required(schema.fields))
}

fn groups(catalogue: &Catalogue, schema: &Schema, detail: Detail) -> Json {
    let mut members: Vec<_> =
        schema.groups.iter().map(|group| (group.name.to_owned(), field(group, detail))).collect();
    for (kind, _) in catalogue.groups_of(schema) {
        members.push((kind.to_owned(), Json::object([("type", Json::string("string"))])));
    }
    closed_object(members, Json::Array(Vec::new()))
}

fn closed_object(members: Vec<(String, Json)>, required: Json) -> Json {
    Json::object([
        ("type", Json::string("object")),
        ("properties", Json::Object(members)),
        ("required", required),
        ("additionalProperties", Json::plain(false)),
    ])
}

fn required(fields: &[FieldSchema]) -> Json {
    Json::strings(fields.iter().filter(|field| field.is_required()).map(|field| field.name))
}

pub(super) fn field(field: &FieldSchema, detail: Detail) -> Json {
    let mut out = Json::object([]);
    if detail == Detail::Described && !field.description.is_empty() {
        out = out.with("description", Json::string(field.description));
    }
    kind(&field.kind, detail, out)
}

fn kind(of: &FieldType, detail: Detail, out: Json) -> Json {
    let bare = |of: &FieldType| kind(of, detail, Json::object([]));
    let typed = |name: &str| out.clone().with("type", Json::string(name));
    match of {
        FieldType::Boolean => typed("boolean"),
        FieldType::ZeroOrOne => out.with("enum", Json::Array(vec![Json::plain(0), Json::plain(1)])),
        FieldType::Integer { min, max } => {
            typed("integer").with("minimum", Json::plain(min)).with("maximum", Json::plain(max))
        }
        FieldType::Number => typed("number"),
        FieldType::Count | FieldType::Duration { .. } => typed("integer").with("minimum", Json::plain(0)),
        FieldType::Bucket { labels, .. } => out.with("enum", Json::strings(labels.iter().copied())),
        FieldType::Timestamp => typed("string").with("pattern", Json::string(INSTANT)),
        FieldType::Label(labels) => label(labels, out),
        FieldType::Text(policy) => text(policy, detail, out),
        FieldType::Object(fields) => {
            let members = fields.iter().map(|each| (each.name.to_owned(), field(each, detail))).collect();
            merge(out, closed_object(members, required(fields)))
        }
        FieldType::List { of, max } => {
            typed("array").with("items", bare(of)).with("maxItems", Json::plain(max))
        }
        FieldType::Map { keys, values, max } => map(keys, bare(values), *max, out),
        FieldType::Histogram { keys, max } => map(keys, bare(&FieldType::Count), *max, out),
    }
}

fn map(keys: &Labels, values: Json, max: u32, out: Json) -> Json {
    out.with("type", Json::string("object"))
        .with("propertyNames", label(keys, Json::object([])))
        .with("additionalProperties", values)
        .with("maxProperties", Json::plain(max))
}

fn label(labels: &Labels, out: Json) -> Json {
    match labels {
        Labels::Closed { words, .. } => out.with("enum", Json::strings(words.iter().map(|word| word.name))),
        Labels::Pattern { pattern, max } => matching(pattern.source(), Some(*max), out),
    }
}

fn text(policy: &TextPolicy, detail: Detail, out: Json) -> Json {
    let hash = |prefix: &str| format!("({prefix}_[A-Za-z0-9_-]{{43}})?");
    let named = |name: &str| {
        // Very different policies can produce text of the same form.
        if detail == Detail::Bare { out.clone().with("policy", Json::string(name)) } else { out.clone() }
    };
    match policy {
        TextPolicy::Hashed { prefix } => {
            matching(&hash(prefix.unwrap_or("[A-Za-z0-9]*")), None, named("hashed"))
        }
        TextPolicy::Keyed { prefix } => matching(&hash(prefix), None, named("keyed")),
        TextPolicy::Hex { digits } => matching(&format!("([0-9a-f]{{{digits}}})?"), None, named("hex")),
        TextPolicy::Pattern { pattern, max, other: None } => matching(pattern.source(), Some(*max), out),
        TextPolicy::Pattern { pattern, max, other: Some(other) } => {
            let matching = matching(pattern.source(), Some(*max), Json::object([]));
            let other = Json::object([("const", Json::string(other))]);
            out.with("anyOf", Json::Array(vec![matching, other]))
        }
        TextPolicy::Context => named("context")
            .with("type", Json::string("string"))
            .with("minLength", Json::plain(1))
            .with("maxLength", Json::plain(200)),
        TextPolicy::Constant(text) => out.with("const", Json::string(text)),
        TextPolicy::Raw { max, pattern: Some(pattern) } => {
            matching(pattern.source(), Some(*max), named("raw"))
        }
        TextPolicy::Raw { max, pattern: None } => {
            named("raw").with("type", Json::string("string")).with("maxLength", Json::plain(max))
        }
    }
}

fn matching(pattern: &str, max: Option<usize>, out: Json) -> Json {
    let out =
        out.with("type", Json::string("string")).with("pattern", Json::string(&format!("^(?:{pattern})$")));
    match max {
        Some(max) => out.with("maxLength", Json::plain(max)),
        None => out,
    }
}

fn merge(one: Json, two: Json) -> Json {
    match (one, two) {
        (Json::Object(mut one), Json::Object(two)) => {
            one.extend(two);
            Json::Object(one)
        }
        (one, _) => one,
    }
}
