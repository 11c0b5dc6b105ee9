//! Parses TOML into a tree, with `toml-span`.
//!
//! Recursion is limited: the parser rejects more than 128 levels, and this reader more than 32.

use std::collections::BTreeMap;

use toml_span::value::{Value, ValueInner};

use crate::document::{DEPTH_LIMIT, Node};

pub(crate) fn read(text: &str) -> Result<Node, &'static str> {
    let mut value = toml_span::parse(text).map_err(|error| match error.kind {
        toml_span::ErrorKind::DuplicateKey { .. } | toml_span::ErrorKind::DuplicateTable { .. } => {
            "has a key twice"
        }
        _ => "is not well-formed TOML",
    })?;
    convert(&mut value, 0)
}

fn convert(value: &mut Value<'_>, depth: usize) -> Result<Node, &'static str> {
    if depth > DEPTH_LIMIT {
        return Err("is nested too deeply");
    }
    match value.take() {
        ValueInner::Boolean(value) => Ok(Node::Bool(value)),
        ValueInner::Integer(_) | ValueInner::Float(_) => Ok(Node::Number),
        ValueInner::String(text) => Ok(Node::Text(text.into_owned())),
        ValueInner::Array(mut list) => {
            for item in &mut list {
                convert(item, depth + 1)?;
            }
            Ok(Node::List)
        }
        ValueInner::Table(table) => {
            let mut entries = BTreeMap::new();
            for (key, mut value) in table {
                entries.insert(key.name.into_owned(), convert(&mut value, depth + 1)?);
            }
            Ok(Node::map(entries))
        }
    }
}
