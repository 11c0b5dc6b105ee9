//! The output of a verb, and the texts that verbs share.

use crate::consent::LayerReport;

/// The output of a verb.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Said {
    /// The text for standard output.
    pub(in crate::cli) text: Vec<u8>,
    /// The text for standard error.
    pub(in crate::cli) complaint: String,
    /// The exit code.
    pub(in crate::cli) code: u8,
}

impl Said {
    pub(super) fn text(text: impl Into<Vec<u8>>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    pub(super) fn complaint(text: impl Into<String>) -> Self {
        Self { complaint: text.into(), code: 1, ..Self::default() }
    }
}

/// Returns what a layer reports, and since when.
pub(super) fn report_text(report: &LayerReport) -> String {
    match &report.since {
        Some(since) => format!("{} (since {since})", report.sentence()),
        None => report.sentence(),
    }
}

/// Returns a count with its noun.
pub(super) fn counted(count: u64, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}
