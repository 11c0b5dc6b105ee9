//! The log on this machine of what was sent: one line of JSON for each request that was answered.

mod line;
mod reader;
mod writer;

pub(crate) use line::{Body, Entry};
pub(crate) use reader::{SentLines, read};
pub(crate) use writer::{SentLog, SentRequest};

/// The name of the log in the application's state directory.
pub(crate) const FILE: &str = "sent.jsonl";

/// The size of the log at most. When a line would exceed it, the oldest half goes.
const MAX_BYTES: usize = 1024 * 1024;

/// The size of a line at most; a longer body is replaced by its digest.
const MAX_LINE: usize = MAX_BYTES / 2 - 1024;

#[cfg(test)]
mod tests;
