//! What is kept of the user's answer and of the notice: two small JSON files.
//!
//! Never reads a field that it does not know for one that does not matter.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

/// The schema of both files. A newer one is not read, and denies.
const SCHEMA: u32 = 1;

/// What an empty file counts for, which has lost how many there were: more than anybody has written.
const UNKNOWN_REFUSALS: u64 = 1 << 32;

/// What the user said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    Granted,
    Denied,
}

/// The user's stored answer, with all that a grant is bound to. A refusal is bound to nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Choice {
    schema: u32,
    pub(crate) answer: Answer,
    /// Seconds since 1970.
    pub(crate) at: u64,
    /// Grows with every answer, so that two answers of the same second differ.
    pub(crate) generation: u64,
    /// Grows with every refusal, so that a yes shows a no before it that a running process has not seen.
    #[serde(default)]
    pub(crate) refusals: u64,
    pub(crate) notice_version: u32,
    pub(crate) endpoint: Option<String>,
    pub(crate) catalogue: Option<String>,
    /// Set from the refusal until everything stored is gone, so that an interrupted purge is found again.
    pub(crate) purge_pending: bool,
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
            purge_pending: false,
        }
    }

    /// Reads a choice. An empty file is a refusal: it is what can still be left where nothing more can be written.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        if bytes.trim_ascii().is_empty() {
            return Ok(Self { refusals: UNKNOWN_REFUSALS, ..Self::new(Answer::Denied, 0, 0) });
        }
        check_schema(bytes)?;
        serde_json::from_slice(bytes).map_err(|_| "does not hold a choice that can be read")
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        to_lines(self)
    }
}

/// The receipt of a notice that was shown.
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
        serde_json::from_slice(bytes).map_err(|_| "does not hold a receipt that can be read")
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        to_lines(self)
    }
}

/// Looks at the schema alone, so that a newer file is named as such.
fn check_schema(bytes: &[u8]) -> Result<(), &'static str> {
    #[derive(Deserialize)]
    struct Schema {
        schema: u32,
    }
    match serde_json::from_slice::<Schema>(bytes) {
        Ok(Schema { schema: SCHEMA }) => Ok(()),
        Ok(_) => Err("was written by another version"),
        Err(_) => Err("is not a file of this program"),
    }
}

fn to_lines(value: &impl Serialize) -> Vec<u8> {
    // Neither struct has a map or a number that JSON could not hold.
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
