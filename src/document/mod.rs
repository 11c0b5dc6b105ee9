//! Files that people write, as one small tree, whatever their format.
//!
//! Never reads a file, and never guesses: what is not plain is an error.

mod json;
mod json_edit;
mod near_miss;
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

    /// Finds what is at a dotted key, whether its parts are nested or written as one dotted name.
    pub(crate) fn at(&self, key: &str) -> Found<'_> {
        let (entries, merges) = match self {
            Self::Map { entries, merges } => (entries, *merges),
            Self::Nothing => return Found::Missing,
            Self::Opaque => return Found::Wrong("leads through an alias or a tag, which are not followed"),
            _ => return Found::Wrong("does not hold a map on the way to the key"),
        };
        let first = key.split('.').next().unwrap_or_default();
        let mut found = Found::Missing;
        for end in key.match_indices('.').map(|(at, _)| at).chain([key.len()]) {
            let Some(node) = key.get(..end).and_then(|name| entries.get(name)) else { continue };
            let here = key.get(end + 1..).map_or(Found::Value(node), |rest| node.at(rest));
            found = found.and(here);
        }
        if found == Found::Missing && merges && !entries.contains_key(first) {
            return Found::Wrong("merges another map, which is not followed");
        }
        found
    }
}

impl Found<'_> {
    /// Joins what stands at two forms of one key.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Missing, found) | (found, Self::Missing) => found,
            (Self::Wrong(reason), _) | (_, Self::Wrong(reason)) => Self::Wrong(reason),
            (Self::Value(_), Self::Value(_)) => Self::Wrong("is there twice: nested, and as one dotted name"),
        }
    }
}

#[cfg(test)]
mod tests;
