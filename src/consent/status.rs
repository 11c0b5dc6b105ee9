//! The explained decision, for people and programs.
//!
//! It contains raw values of variables, so it must never leave the machine.

use std::fmt;

use serde::Serialize;

use super::decide::{ConsentState, Decision};
use super::finding::Vote;
use super::inputs::Inputs;
use super::layers::Layer;
use super::report::LayerReport;
use crate::consent::declaration::Mode;
use crate::printable::Printable;

/// The numbers of events waiting to be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct QueueStatus {
    /// Events in memory.
    pub mem: u64,
    /// Events on disk, including those of earlier runs and other processes.
    pub disk: u64,
}

/// The events kept on disk by the [`Spool`](crate::Spool) until they are sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SpoolStatus {
    /// The directory of the current endpoint, account and grant, or its parent if these are not known.
    pub directory: String,
    /// Files waiting to be sent.
    pub files: u64,
    /// Events in these files.
    pub events: u64,
    /// Total size of these events in bytes.
    pub bytes: u64,
    /// When the oldest event was captured, in RFC 3339.
    pub oldest: Option<String>,
}

/// The result of the last attempt to send.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LastSend {
    /// The outcome, in a few words.
    pub outcome: String,
    /// The time of the attempt, in RFC 3339.
    pub at: String,
}

/// The explained decision.
///
/// Serializes to a JSON object with stable keys, and displays as a table. It contains raw values of variables: show
/// it to whoever runs the program, at the terminal or as an administrator, and do not send it anywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// The decision.
    pub state: ConsentState,
    /// How silence is interpreted.
    pub mode: Mode,
    /// The layer that decided.
    pub decided_by: Layer,
    /// The report of each layer.
    pub layers: Vec<LayerReport>,
    /// The version of the notice.
    pub notice_version: u32,
    /// When the variables were read, in RFC 3339. A running client keeps the variables that it was started with, so
    /// one that is set later has no effect on it. `None` if they were read for this status.
    pub variables_as_of: Option<String>,
    /// Where events would go, without path, credentials or query.
    pub endpoint: Option<String>,
    /// Whether an event captured now would be sent.
    pub would_send: bool,
    /// The numbers of events waiting to be sent.
    pub queue: QueueStatus,
    /// The events kept on disk; `None` if the application keeps none, or if consent is not granted, because then
    /// the disk is not read.
    pub spool: Option<SpoolStatus>,
    /// The result of the last attempt to send, if there was one.
    pub last_send: Option<LastSend>,
}

impl Status {
    /// Creates the status of a decision, with an empty queue and nothing sent.
    pub fn new(inputs: &Inputs, decision: &Decision) -> Self {
        Self {
            state: decision.state(),
            mode: inputs.facts.consent.mode,
            decided_by: decision.decided_by(),
            layers: decision.layers().to_vec(),
            notice_version: inputs.facts.consent.notice_version,
            variables_as_of: None,
            endpoint: inputs.facts.endpoint.as_deref().map(super::origin),
            would_send: decision.state() == ConsentState::Granted,
            queue: QueueStatus::default(),
            spool: None,
            last_send: None,
        }
    }

    /// Returns the endpoint for people. One that cannot be used is not shown, since it can contain a password.
    fn shown_endpoint(&self) -> &str {
        let is_wrong = |report: &LayerReport| report.malformed && report.reason.starts_with("endpoint:");
        match &self.endpoint {
            Some(endpoint) => endpoint,
            None if self.layers.iter().any(is_wrong) => "not valid",
            None => "none",
        }
    }

    /// Returns the status as one line of JSON.
    pub fn to_json(&self) -> String {
        // Serialization cannot fail: every key is text and no number is a float.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mode = match self.mode {
            Mode::OptIn => "opt-in",
            Mode::OptOut => "opt-out",
            Mode::Session => "session",
        };
        let state = self.state.name();
        writeln!(f, "telemetry: {state}, decided by {} (mode: {mode})", self.decided_by.name())?;
        writeln!(f, "endpoint:  {}", self.shown_endpoint())?;
        writeln!(f, "waiting:   {} in memory, {} on disk", self.queue.mem, self.queue.disk)?;
        if let Some(at) = &self.variables_as_of {
            writeln!(f, "variables: as read when this client was started, at {at}")?;
        }
        if let Some(SpoolStatus { directory, files, bytes, oldest, .. }) = &self.spool {
            let oldest = oldest.as_ref().map_or_else(String::new, |at| format!(", oldest from {at}"));
            let noun = if *files == 1 { "file" } else { "files" };
            writeln!(f, "on disk:   {files} {noun}, {bytes} bytes{oldest}, in {}", Printable(directory))?;
        }
        if let Some(last) = &self.last_send {
            writeln!(f, "last send: {} at {}", Printable(&last.outcome), last.at)?;
        }
        writeln!(f)?;
        writeln!(f, "  {:<15} {:<7} source and reason", "layer", "says")?;
        for report in &self.layers {
            let mark = if report.layer == self.decided_by { '>' } else { ' ' };
            write!(f, "{mark} {:<15} {:<7} ", report.layer.name(), vote_text(report.vote))?;
            if !report.source.is_empty() {
                write!(f, "{}: ", Printable(&report.source))?;
            }
            Printable(&report.reason).fmt(f)?;
            if let Some(raw) = &report.raw_value {
                write!(f, " (value: \"{raw}\")")?;
            }
            if let Some(since) = &report.since {
                write!(f, " (since {since})")?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

fn vote_text(vote: Vote) -> &'static str {
    match vote {
        Vote::Deny => "no",
        Vote::Grant => "yes",
        Vote::Abstain => "-",
    }
}
