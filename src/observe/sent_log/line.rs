//! The lines of the log, and the chain that links each line to the one before.
//!
//! ```text
//! {"sent_log":1,"since":"2026-01-31T12:00:00.000Z","removed":0,"after":"","sha256":"9f.."}
//! {"at":"..","endpoint":"https://t.example.com","protocol":"posthog-v0","events":1,"status":200,"bytes":214,"body":"{..}","sha256":"07.."}
//! ```
//!
//! A line's `sha256` is the digest of the previous line's digest followed by the line's own text, up to the comma
//! before `sha256`. The first line starts the chain: `after` is the digest that the next line continues from, empty
//! in a new log.

use std::fmt::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac_sha256::Hash;
use serde::{Deserialize, Serialize};

/// The version of the format.
const VERSION: u32 = 1;

/// The text between a line's content and its digest, and the text after the digest.
const SEAL: &str = ",\"sha256\":\"";
const END: &str = "\"}";

/// The number of digits in a digest.
const DIGITS: usize = 64;

/// The number of bytes at the end of a line that hold its digest, including the line break.
pub(super) const SEAL_BYTES: usize = SEAL.len() + DIGITS + END.len() + 1;

/// A request that was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Entry {
    /// When the response arrived, in RFC 3339.
    pub(crate) at: String,
    /// The endpoint's scheme, host and port.
    pub(crate) endpoint: String,
    /// The protocol's name.
    pub(crate) protocol: String,
    pub(crate) events: u64,
    /// The status of the response.
    pub(crate) status: u16,
    /// The size of the body before compression.
    pub(crate) bytes: u64,
    /// The number of answered requests before this one that could not be logged.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub(crate) missed: u64,
    /// The text shown in place of the API key, if the body contained it. This is the only difference from what was
    /// sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) api_key_shown_as: Option<String>,
    #[serde(flatten)]
    pub(crate) body: Body,
}

/// The body of a request, before compression.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Body {
    /// A body in UTF-8, unchanged.
    #[serde(rename = "body")]
    Text(String),
    /// Any other body, in base64.
    #[serde(rename = "body_base64")]
    Bytes(String),
    /// The SHA-256 digest of a body that is too large to keep.
    #[serde(rename = "body_sha256")]
    Digest(String),
}

impl Body {
    pub(super) fn new(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Bytes(STANDARD.encode(bytes)),
        }
    }

    /// Returns the body's bytes, or `None` if only the digest was kept.
    pub(crate) fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Text(text) => Some(text.clone().into_bytes()),
            Self::Bytes(text) => STANDARD.decode(text).ok(),
            Self::Digest(_) => None,
        }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde requires a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// The first line of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Beginning {
    sent_log: u32,
    /// When this file was started, in RFC 3339.
    pub(super) since: String,
    /// The number of older lines that were removed to keep the log small.
    pub(super) removed: u64,
    /// The digest that the next line continues from.
    pub(super) after: String,
}

impl Beginning {
    pub(super) fn new(since: &str, removed: u64, after: &str) -> Self {
        Self { sent_log: VERSION, since: since.to_owned(), removed, after: after.to_owned() }
    }

    /// Returns the line, whose digest covers only itself.
    pub(super) fn to_line(&self) -> Vec<u8> {
        seal("", self)
    }

    /// Parses the first line of a log. Returns `None` if it is something else or was changed.
    pub(super) fn parse(line: &[u8]) -> Option<Self> {
        let (text, digest) = unseal(line)?;
        let beginning: Self = serde_json::from_slice(&[text, b"}"].concat()).ok()?;
        (beginning.sent_log == VERSION && digest == chained("", text)).then_some(beginning)
    }
}

/// Returns the line of a value, including the line break, linked to the previous digest.
pub(super) fn seal(before: &str, value: &impl Serialize) -> Vec<u8> {
    // Serialization cannot fail: the structs hold only text and integers.
    let mut line = serde_json::to_vec(value).unwrap_or_default();
    line.pop(); // the closing brace
    let digest = chained(before, &line);
    for part in [SEAL, &digest, END, "\n"] {
        line.extend_from_slice(part.as_bytes());
    }
    line
}

/// Splits a line, without its line break, into the text that its digest covers and the digest.
pub(super) fn unseal(line: &[u8]) -> Option<(&[u8], &str)> {
    let rest = line.strip_suffix(END.as_bytes())?;
    let (rest, digest) = rest.split_at_checked(rest.len().checked_sub(DIGITS)?)?;
    let digest = std::str::from_utf8(digest).ok()?;
    let is_digest = digest.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    Some((rest.strip_suffix(SEAL.as_bytes())?, digest)).filter(|_| is_digest)
}

/// Returns the digest of the previous digest followed by a line's text.
pub(super) fn chained(before: &str, text: &[u8]) -> String {
    let mut hash = Hash::new();
    hash.update(before);
    hash.update(text);
    hex(hash.finalize())
}

/// Returns the SHA-256 digest in hexadecimal digits.
pub(super) fn digest(bytes: &[u8]) -> String {
    hex(Hash::hash(bytes))
}

fn hex(bytes: [u8; 32]) -> String {
    bytes.iter().fold(String::with_capacity(DIGITS), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
