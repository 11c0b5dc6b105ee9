//! Files that people write, as one small tree, whatever their format.
//!
//! Never reads a file, and never guesses: what is not plain is an error.

mod json;
mod json_edit;
mod toml;
mod yaml;

use std::collections::BTreeMap;
use std::path::Path;

pub(crate) use json_edit::set_bool;

/// The deepest nest that is read. People write four or five levels.
pub(crate) const DEPTH_LIMIT: usize = 32;

/// A value of a file, as far as a switch needs it. Lists are read through and not kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    /// A key with nothing behind it, in YAML.
    #[allow(dead_code, reason = "never made in a build without the feature `yaml`")]
    Nothing,
    Null,
    Bool(bool),
    Number,
    Text(String),
    List,
    /// A map, and whether it merges others, which are not followed.
    Map {
        entries: BTreeMap<String, Node>,
        merges: bool,
    },
    /// A YAML alias or a tagged value, neither of which is followed.
    #[allow(dead_code, reason = "never made in a build without the feature `yaml`")]
    Opaque,
}

/// What is at a key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Found<'a> {
    Missing,
    Value(&'a Node),
    /// The way there leads through something that is not a map.
    Wrong(&'static str),
}

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Toml,
    Yaml,
}

impl Format {
    /// Tells the format from the name of the file.
    pub(crate) fn of(path: &Path, otherwise: Self) -> Self {
        let extension = path.extension().and_then(|text| text.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "json" => Self::Json,
            "toml" => Self::Toml,
            "yml" | "yaml" => Self::Yaml,
            _ => otherwise,
        }
    }
}

/// Reads a file's bytes into a tree, or says in a few words why it cannot be read.
pub(crate) fn read(format: Format, bytes: &[u8]) -> Result<Node, &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8")?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match format {
        Format::Json => json::read(text),
        Format::Toml => toml::read(text),
        Format::Yaml => yaml::read(text),
    }
}

impl Node {
    pub(crate) fn map(entries: BTreeMap<String, Self>) -> Self {
        Self::Map { entries, merges: false }
    }

    /// Finds what is at a dotted key.
    pub(crate) fn at(&self, key: &str) -> Found<'_> {
        let mut node = self;
        for part in key.split('.') {
            match node {
                Self::Map { entries, merges } => match entries.get(part) {
                    Some(next) => node = next,
                    None if *merges => return Found::Wrong("merges another map, which is not followed"),
                    None => return Found::Missing,
                },
                Self::Nothing => return Found::Missing,
                Self::Opaque => {
                    return Found::Wrong("leads through an alias or a tag, which are not followed");
                }
                _ => return Found::Wrong("does not hold a map on the way to the key"),
            }
        }
        Found::Value(node)
    }
}

#[cfg(test)]
mod tests;
