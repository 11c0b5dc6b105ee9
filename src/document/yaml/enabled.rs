//! Parses YAML into a tree, from a stream of events.
//!
//! Never expands an alias, and rejects more than one document.

use std::collections::BTreeMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};

use crate::document::{DEPTH_LIMIT, Node};

pub(crate) fn read(text: &str) -> Result<Node, &'static str> {
    let mut parser = Parser::new_from_str(text);
    let mut builder = Builder::default();
    while let Some(next) = parser.next_event() {
        let (event, _) = next.map_err(|_| "is not well-formed YAML")?;
        builder.take(event)?;
    }
    Ok(builder.root.unwrap_or(Node::Nothing))
}

/// An open list or map.
enum Open {
    List,
    Map { entries: BTreeMap<String, Node>, key: Option<String>, merges: bool },
}

#[derive(Default)]
struct Builder {
    open: Vec<Open>,
    root: Option<Node>,
    documents: usize,
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), &'static str> {
        match event {
            Event::DocumentStart(_) => {
                self.documents += 1;
                if self.documents > 1 { Err("holds more than one document") } else { Ok(()) }
            }
            Event::Alias(_) => self.put(Node::Opaque),
            Event::Scalar(text, style, _, tag) => self.scalar(&text, style, tag.as_deref()),
            Event::SequenceStart(..) => self.enter(Open::List),
            Event::MappingStart(..) => {
                self.enter(Open::Map { entries: BTreeMap::new(), key: None, merges: false })
            }
            Event::SequenceEnd => {
                self.open.pop();
                self.put(Node::List)
            }
            Event::MappingEnd => match self.open.pop() {
                Some(Open::Map { entries, merges, .. }) => self.put(Node::Map { entries, merges }),
                _ => Err("is not well-formed YAML"),
            },
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => Ok(()),
        }
    }

    fn enter(&mut self, open: Open) -> Result<(), &'static str> {
        if self.open.len() >= DEPTH_LIMIT {
            return Err("is nested too deeply");
        }
        self.open.push(open);
        Ok(())
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Result<(), &'static str> {
        if let Some(Open::Map { key: key @ None, .. }) = self.open.last_mut() {
            *key = Some(text.to_owned());
            return Ok(());
        }
        self.put(resolve(text, style, tag))
    }

    fn put(&mut self, node: Node) -> Result<(), &'static str> {
        match self.open.last_mut() {
            None => self.root = Some(node),
            Some(Open::List) => {}
            Some(Open::Map { entries, key, merges }) => match key.take() {
                None => return Err("has a key that is not text"),
                Some(name) if name == "<<" => *merges = true,
                Some(name) => {
                    if entries.insert(name, node).is_some() {
                        return Err("has a key twice");
                    }
                }
            },
        }
        Ok(())
    }
}

/// Resolves a scalar by the core schema of YAML 1.2: a plain word is a null, a boolean, a number or text; a quoted
/// one is text.
fn resolve(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Node {
    if tag.is_some() {
        // A tag could change the type of the value. No switch needs one, so none is trusted.
        return Node::Opaque;
    }
    if style != ScalarStyle::Plain {
        return Node::Text(text.to_owned());
    }
    match text {
        "" => Node::Nothing,
        "~" | "null" | "Null" | "NULL" => Node::Null,
        "true" | "True" | "TRUE" => Node::Bool(true),
        "false" | "False" | "FALSE" => Node::Bool(false),
        _ if is_number(text) => Node::Number,
        _ => Node::Text(text.to_owned()),
    }
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let special = matches!(digits, ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN");
    let based = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0o"));
    let starts = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
    special
        || based.is_some_and(|rest| u128::from_str_radix(rest, 16).is_ok())
        || (starts && digits.parse::<f64>().is_ok())
}
