//! The user's stored choice and the receipt of the notice: two small JSON files.
//!
//! A file with an unknown field or another schema version is rejected, which denies.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

/// The schema version of both files. A file of any other version is rejected.
const SCHEMA: u32 = 1;

/// The number of refusals assumed for an empty file, which has lost its own: higher than any real count.
const UNKNOWN_REFUSALS: u64 = 1 << 32;

/// The user's answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    Granted,
    Denied,
}

/// The user's stored answer, with everything that a grant is bound to. A refusal is bound to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Choice {
    schema: u32,
    pub(crate) answer: Answer,
    /// Seconds since 1970.
    pub(crate) at: u64,
    /// Incremented by every answer, so two answers in the same second differ.
    pub(crate) generation: u64,
    /// Incremented by every refusal, so a later grant reveals a refusal that a running process has missed.
    #[serde(default)]
    pub(crate) refusals: u64,
    pub(crate) notice_version: u32,
    pub(crate) endpoint: Option<String>,
    pub(crate) catalogue: Option<String>,
}

impl Choice {
    pub(crate) fn new(answer: Answer, at: u64, generation: u64) -> Self {
        Self {
            schema: SCHEMA,
            answer,
            at,
            generation,
            refusals: 0,
            notice_version: 0,
            endpoint: None,
            catalogue: None,
        }
    }

    /// Parses a choice. An empty file is a refusal: it is what remains when nothing more can be written.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        if bytes.trim_ascii().is_empty() {
            return Ok(Self { refusals: UNKNOWN_REFUSALS, ..Self::new(Answer::Denied, 0, 0) });
        }
        check_schema(bytes)?;
        serde_json::from_slice(bytes).map_err(|_| "is not a valid choice")
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        to_lines(self)
    }
}

/// The record that a notice was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Receipt {
    schema: u32,
    pub(crate) notice_version: u32,
    /// Seconds since 1970.
    pub(crate) shown_at: u64,
    pub(crate) app_version: String,
    pub(crate) text_sha256: String,
}

impl Receipt {
    pub(crate) fn new(notice_version: u32, shown_at: u64, app_version: &str, text: &str) -> Self {
        let mut text_sha256 = String::new();
        for byte in hmac_sha256::Hash::hash(text.as_bytes()) {
            let _ = write!(text_sha256, "{byte:02x}");
        }
        Self { schema: SCHEMA, notice_version, shown_at, app_version: app_version.to_owned(), text_sha256 }
    }

    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        check_schema(bytes)?;
        serde_json::from_slice(bytes).map_err(|_| "is not a valid receipt")
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        to_lines(self)
    }
}

/// Checks only the schema version, so a file of another version is reported as such.
fn check_schema(bytes: &[u8]) -> Result<(), &'static str> {
    #[derive(Deserialize)]
    struct Schema {
        schema: u32,
    }
    match serde_json::from_slice::<Schema>(bytes) {
        Ok(Schema { schema: SCHEMA }) => Ok(()),
        Ok(_) => Err("was written by an incompatible version"),
        Err(_) => Err("cannot be parsed"),
    }
}

fn to_lines(value: &impl Serialize) -> Vec<u8> {
    // Serialization cannot fail: neither struct has a map or a float.
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
