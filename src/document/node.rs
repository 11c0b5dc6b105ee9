//! The tree that a file is read into, and the value at a key of it.

use std::collections::BTreeMap;

/// The maximum nesting depth. People write four or five levels.
pub(crate) const DEPTH_LIMIT: usize = 32;

/// A value in a file, as far as a switch needs it. Lists are checked but not kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Node {
    /// A key without a value, in YAML.
    #[allow(dead_code, reason = "never created in a build without the feature `yaml`")]
    Nothing,
    Null,
    Bool(bool),
    Number,
    Text(String),
    List,
    /// A map, and whether it merges other maps, which are not followed.
    Map {
        entries: BTreeMap<String, Node>,
        merges: bool,
    },
    /// A YAML alias or a tagged value, neither of which is followed.
    #[allow(dead_code, reason = "never created in a build without the feature `yaml`")]
    Opaque,
}

/// The value at a key.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Found<'a> {
    Missing,
    Value(&'a Node),
    /// The path to the key leads through something that is not a map.
    Wrong(&'static str),
}

impl Node {
    pub(crate) fn map(entries: BTreeMap<String, Self>) -> Self {
        Self::Map { entries, merges: false }
    }

    /// Finds the value at a dotted key, whether its parts are nested or written as one dotted name.
    pub(crate) fn at(&self, key: &str) -> Found<'_> {
        let (entries, merges) = match self {
            Self::Map { entries, merges } => (entries, *merges),
            Self::Nothing => return Found::Missing,
            Self::Opaque => {
                return Found::Wrong("is reached through an alias or a tag, which are not followed");
            }
            _ => return Found::Wrong("has a value that is not a map on its path"),
        };
        let first = key.split('.').next().unwrap_or_default();
        let mut found = Found::Missing;
        for end in key.match_indices('.').map(|(at, _)| at).chain([key.len()]) {
            let Some(node) = key.get(..end).and_then(|name| entries.get(name)) else { continue };
            let here = key.get(end + 1..).map_or(Found::Value(node), |rest| node.at(rest));
            found = found.and(here);
        }
        if found == Found::Missing && merges && !entries.contains_key(first) {
            return Found::Wrong("may be in a merged map, which is not followed");
        }
        found
    }
}

impl Found<'_> {
    /// Combines the values at two forms of the same key.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Missing, found) | (found, Self::Missing) => found,
            (Self::Wrong(reason), _) | (_, Self::Wrong(reason)) => Self::Wrong(reason),
            (Self::Value(_), Self::Value(_)) => Self::Wrong("is set twice: nested, and as one dotted name"),
        }
    }
}
