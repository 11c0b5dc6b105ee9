//! The local log of what was sent: one line of JSON per answered request.

mod line;
mod reader;
mod writer;

pub(crate) use line::{Body, Entry};
pub(crate) use reader::{SentLines, read};
pub(crate) use writer::{SentLog, SentRequest};

/// The name of the log in the application's state directory.
pub(crate) const FILE: &str = "sent.jsonl";

/// The maximum size of the log. When a line would exceed it, the oldest half is removed.
const MAX_BYTES: usize = 1024 * 1024;

/// The maximum size of a line. A longer body is replaced by its digest.
const MAX_LINE: usize = MAX_BYTES / 2 - 1024;

#[cfg(test)]
mod tests;
