//! The allow-list: the parts of an object that may be stored. A name that the catalogue does not list is removed.

use candor::schema::{FieldSchema, FieldType, TextPolicy};
use serde_json::{Map, Value};

/// An object after cleaning.
#[derive(Debug, Default)]
pub struct Cleaned {
    pub object: Map<String, Value>,
    /// The names that were removed.
    pub dropped: Vec<String>,
}

/// Cleans an object: removes unknown names, and truncates long text. A word that is not in its set refuses the whole
/// object.
pub fn clean<'f>(
    fields: impl Iterator<Item = &'f FieldSchema> + Clone,
    object: Map<String, Value>,
) -> Result<Cleaned, String> {
    let mut cleaned = Cleaned::default();
    for (name, value) in object {
        let Some(field) = fields.clone().find(|field| field.name() == name) else {
            cleaned.dropped.push(name);
            continue;
        };
        match fit(field.kind(), value, &mut cleaned.dropped) {
            Some(value) => {
                cleaned.object.insert(name, value);
            }
            None if field.is_required() || is_word(field.kind()) => {
                return Err(format!("{name} is not one of its values"));
            }
            None => cleaned.dropped.push(name),
        }
    }
    match fields.into_iter().find(|field| field.is_required() && !cleaned.object.contains_key(field.name())) {
        Some(field) => Err(format!("{} is missing", field.name())),
        None => Ok(cleaned),
    }
}

fn is_word(kind: &FieldType) -> bool {
    matches!(kind, FieldType::Label(_) | FieldType::Bucket { .. } | FieldType::ZeroOrOne)
}

/// Makes a value fit its type by truncating and cleaning it. Returns `None` if it still does not fit.
fn fit(kind: &FieldType, value: Value, dropped: &mut Vec<String>) -> Option<Value> {
    let value = match (kind, value) {
        (
            FieldType::Text(TextPolicy::Raw { max, .. } | TextPolicy::Pattern { max, .. }),
            Value::String(text),
        ) => Value::String(text.chars().take(*max).collect()),
        (FieldType::List { of, max }, Value::Array(items)) => {
            Value::Array(items.into_iter().filter_map(|item| fit(of, item, dropped)).take(*max).collect())
        }
        (FieldType::Object(fields), Value::Object(object)) => {
            let inner = clean(fields.iter(), object).ok()?;
            dropped.extend(inner.dropped);
            Value::Object(inner.object)
        }
        (_, value) => value,
    };
    kind.admits(&value).then_some(value)
}
