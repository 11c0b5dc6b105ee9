//! Parses JSON into a tree, with limits.
//!
//! Never keeps lists. A duplicate key is an error.

use std::collections::BTreeMap;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::document::{DEPTH_LIMIT, Node};

pub(super) fn read(text: &str) -> Result<Node, &'static str> {
    let mut reader = serde_json::Deserializer::from_str(text);
    let node = Value { depth: 0 }.deserialize(&mut reader).map_err(|error| describe(&error))?;
    reader.end().map_err(|_| "has text after its JSON value")?;
    Ok(node)
}

fn describe(error: &serde_json::Error) -> &'static str {
    let text = error.to_string();
    if text.starts_with(DUPLICATE) {
        "has a key twice"
    } else if text.starts_with(DEEP) {
        "is nested too deeply"
    } else {
        "is not well-formed JSON"
    }
}

const DUPLICATE: &str = "duplicate key";
const DEEP: &str = "nested too deeply";

struct Value {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Value {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        if self.depth > DEPTH_LIMIT {
            return Err(D::Error::custom(DEEP));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Number)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Number)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Number)
    }

    fn visit_str<E>(self, value: &str) -> Result<Node, E> {
        Ok(Node::Text(value.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Node, A::Error> {
        while list.next_element_seed(Value { depth: self.depth + 1 })?.is_some() {}
        Ok(Node::List)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let mut entries = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            if entries.contains_key(&key) {
                map.next_value::<IgnoredAny>()?;
                return Err(A::Error::custom(DUPLICATE));
            }
            let node = map.next_value_seed(Value { depth: self.depth + 1 })?;
            entries.insert(key, node);
        }
        Ok(Node::map(entries))
    }
}
