//! Reads files that people write into a small tree, whatever their format.
//!
//! Never opens a file, and never guesses: anything unclear is an error.

mod json;
mod json_edit;
mod near_miss;
mod node;
mod toml;
mod yaml;

use std::path::Path;

pub(crate) use json_edit::set_bool;
pub(crate) use node::{DEPTH_LIMIT, Found, Node};

/// The format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    Json,
    Toml,
    Yaml,
}

impl Format {
    /// Returns the format that the file's extension names, or `otherwise`.
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

/// Parses a file's bytes into a tree, or returns a short reason why they cannot be read.
pub(crate) fn read(format: Format, bytes: &[u8]) -> Result<Node, &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| "is not UTF-8")?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match format {
        Format::Json => json::read(text),
        Format::Toml => toml::read(text),
        Format::Yaml => yaml::read(text),
    }
}

#[cfg(test)]
mod tests;
