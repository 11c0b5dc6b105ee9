//! Whether a value fits its declaration.

use serde_json::Value;

use crate::schema::field::{FieldSchema, FieldType, TextPolicy};
use crate::schema::labels::Labels;

impl FieldType {
    /// Returns whether a JSON value is of this type, as its JSON Schema would decide.
    pub fn admits(&self, value: &Value) -> bool {
        match self {
            Self::Boolean => value.is_boolean(),
            Self::ZeroOrOne => value.as_u64().is_some_and(|number| number < 2),
            Self::Integer { min, max } => match (value.as_u64(), value.as_i64()) {
                (Some(number), _) => number <= *max && i128::from(number) >= i128::from(*min),
                (None, Some(negative)) => negative >= *min,
                (None, None) => false,
            },
            Self::Number => value.is_number(),
            Self::Count | Self::Duration { .. } => value.is_u64(),
            Self::Bucket { labels, .. } => value.as_str().is_some_and(|text| labels.contains(&text)),
            Self::Timestamp => value.as_str().is_some_and(is_instant),
            Self::Label(labels) => value.as_str().is_some_and(|text| labels.admits(text)),
            Self::Text(policy) => value.as_str().is_some_and(|text| policy.admits(text)),
            Self::Object(fields) => is_object_of(fields, value),
            Self::List { of, max } => value
                .as_array()
                .is_some_and(|items| items.len() <= *max && items.iter().all(|item| of.admits(item))),
            Self::Map { keys, values, max } => is_map(value, keys, *max, |value| values.admits(value)),
            Self::Histogram { keys, max } => is_map(value, keys, *max, Value::is_u64),
        }
    }
}

fn is_object_of(fields: &[FieldSchema], value: &Value) -> bool {
    let Some(members) = value.as_object() else { return false };
    let is_known = |(name, value): (&String, &Value)| {
        fields.iter().any(|field| field.name == *name && field.kind.admits(value))
    };
    members.iter().all(is_known)
        && fields.iter().filter(|field| field.is_required()).all(|field| members.contains_key(field.name))
}

fn is_map(value: &Value, keys: &Labels, max: u32, is_value: impl Fn(&Value) -> bool) -> bool {
    value.as_object().is_some_and(|members| {
        members.len() <= max as usize
            && members.iter().all(|(key, value)| keys.admits(key) && is_value(value))
    })
}

impl TextPolicy {
    /// Returns whether this policy could have produced the text.
    pub fn admits(&self, text: &str) -> bool {
        match self {
            Self::Hashed { prefix } => is_hash(text, *prefix),
            Self::Keyed { prefix } => is_hash(text, Some(prefix)),
            Self::Hex { digits } => {
                let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
                text.is_empty() || text.len() == *digits && text.bytes().all(is_digit)
            }
            Self::Pattern { pattern, max, other } => {
                text.len() <= *max && pattern.matches(text) || *other == Some(text)
            }
            Self::Context => is_context_id(text),
            Self::Constant(constant) => text == *constant,
            Self::Raw { max, pattern } => {
                text.chars().count() <= *max && pattern.is_none_or(|pattern| pattern.matches(text))
            }
        }
    }
}

/// Returns whether text can be the distinct id of a context, which has the limits of every distinct id.
pub(crate) fn is_context_id(text: &str) -> bool {
    !text.trim().is_empty() && text.chars().count() <= 200
}

/// Returns whether text is a prefix, an underscore and 32 bytes in base64url, or is empty.
fn is_hash(text: &str, prefix: Option<&str>) -> bool {
    let Some(split) = text.len().checked_sub(44) else { return text.is_empty() };
    let Some((front, hash)) = text.split_at_checked(split) else { return false };
    let is_front = match prefix {
        Some(prefix) => front == prefix,
        None => front.bytes().all(|byte| byte.is_ascii_alphanumeric()),
    };
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    is_front && hash.strip_prefix('_').is_some_and(|hash| hash.bytes().all(is_base64))
}

fn is_instant(text: &str) -> bool {
    let is_like = |form: &str| {
        let mut pairs = text.bytes().zip(form.bytes());
        let same = |(byte, form): (u8, u8)| if form == b'0' { byte.is_ascii_digit() } else { byte == form };
        text.len() == form.len() && pairs.all(same)
    };
    is_like("0000-00-00T00:00:00.000Z") || is_like("0000-00-00T00:00:00.000000Z")
}
