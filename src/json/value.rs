//! Parses JSON text into a tree as its receiver would, or rejects it.

use std::fmt;

use serde::de::{Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Deserializer, Map, Value};

/// The maximum nesting depth of a value. Receivers stop at 128, of which the surrounding body takes a few.
pub(crate) const MAX_DEPTH: usize = 120;

/// Parses a whole text. Returns `None` if a receiver could not: the text is not JSON, a number is too large for an
/// `f64`, a string contains half of a surrogate pair, or the nesting exceeds `max_depth`.
///
/// Unlike [`Value`]'s own `Deserialize`, this treats every key as data, including those with a special meaning in
/// `serde_json`.
pub(crate) fn parse(text: &[u8], max_depth: usize) -> Option<Value> {
    // This scans the text with no depth limit, and without looking into numbers and escapes.
    let raw: &RawValue = serde_json::from_slice(text).ok()?;
    tree(raw, max_depth)
}

fn tree(raw: &RawValue, depth: usize) -> Option<Value> {
    let text = raw.get();
    match text.as_bytes().first()? {
        b'{' => {
            let members = parse_members(text.as_bytes())?;
            let inner = depth.checked_sub(1)?;
            let pairs = members.into_iter().map(|(key, value)| Some((key, tree(value, inner)?)));
            pairs.collect::<Option<Map<_, _>>>().map(Value::Object)
        }
        b'[' => {
            let items = Deserializer::from_str(text).deserialize_seq(Items).ok()?;
            let inner = depth.checked_sub(1)?;
            items.into_iter().map(|item| tree(item, inner)).collect::<Option<Vec<_>>>().map(Value::Array)
        }
        // A build of `serde_json` that keeps numbers as text would also accept numbers that no receiver can hold.
        b'-' | b'0'..=b'9' if !text.parse::<f64>().is_ok_and(f64::is_finite) => None,
        _ => serde_json::from_str(text).ok(),
    }
}

/// Returns the members of an object with their names decoded, in order, including several with the same name. Returns
/// `None` if the text does not begin with an object.
pub(crate) fn parse_members(object: &[u8]) -> Option<Vec<(String, &RawValue)>> {
    Deserializer::from_slice(object).deserialize_map(DecodedMembers).ok()
}

struct DecodedMembers;

impl<'de> Visitor<'de> for DecodedMembers {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}

struct Items;

impl<'de> Visitor<'de> for Items {
    type Value = Vec<&'de RawValue>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(items)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::{MAX_DEPTH, parse, parse_members};

    fn nested(depth: usize) -> String {
        format!("{}{}", "[".repeat(depth), "]".repeat(depth))
    }

    #[test]
    fn members_keep_their_order_and_the_text_of_their_values() {
        let read = parse_members(br#"{"b":1.0, "a":{"x": []},"b":null,"\u0061":"A"}"#).unwrap();
        let read: Vec<_> = read.iter().map(|(key, value)| (key.as_str(), value.get())).collect();
        assert_eq!(read, [("b", "1.0"), ("a", r#"{"x": []}"#), ("b", "null"), ("a", r#""A""#)]);
        assert!(parse_members(b"{}").unwrap().is_empty());
        for wrong in ["", "[]", "{", r#"{"a"}"#, r#"{"a":1"#] {
            assert!(parse_members(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }

    #[test]
    fn rejects_what_a_receiver_could_not_read() {
        let too_deep = nested(MAX_DEPTH + 1);
        let far_too_deep = nested(100_000);
        for text in [
            "",
            "{",
            "1 2",
            "1e999",
            "-1e999",
            "[1,{\"a\":1e400}]",
            r#""\ud800""#,
            r#""\udc00\ud800""#,
            r#"{"\ud800":1}"#,
            r#"["\ud83d!"]"#,
            "\"\u{1}\"",
            &too_deep,
            &far_too_deep,
        ] {
            assert_eq!(parse(text.as_bytes(), MAX_DEPTH), None, "{}", &text[..text.len().min(40)]);
        }
        assert_eq!(parse(b"\"\xff\"", MAX_DEPTH), None);
    }

    #[test]
    fn reads_everything_else_unchanged() {
        for text in [
            "1e308",
            "-0",
            "18446744073709551616",
            r#""\ud83d\ude00""#,
            " [ true , null ] ",
            &nested(MAX_DEPTH),
        ] {
            assert_eq!(parse(text.as_bytes(), MAX_DEPTH), serde_json::from_str(text).ok(), "{text}");
        }
    }

    #[test]
    fn a_key_with_a_special_meaning_is_data() {
        for key in ["$serde_json::private::RawValue", "$serde_json::private::Number"] {
            for value in [json!("{\"a\":1}"), json!("1"), json!("no JSON {"), json!(1)] {
                let text = format!("{{{}:{value}}}", json!(key));
                let Some(Value::Object(object)) = parse(text.as_bytes(), MAX_DEPTH) else { panic!("{text}") };
                assert_eq!(object.into_iter().collect::<Vec<_>>(), [(key.to_owned(), value)]);
            }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_serde_json(text in "[\\[\\]{}:,0-9eE.\"a\\\\ud8c -]{0,24}") {
            prop_assert_eq!(parse(text.as_bytes(), MAX_DEPTH), serde_json::from_str::<Value>(&text).ok());
        }
    }
}
