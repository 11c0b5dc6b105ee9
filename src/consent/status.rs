//! The explained decision, for people and for programs.
//!
//! Never leaves the machine: raw values of variables are in it.

use std::fmt;

use serde::Serialize;

use super::decide::{ConsentState, Decision};
use super::finding::Vote;
use super::inputs::Inputs;
use super::layers::Layer;
use super::report::LayerReport;
use crate::consent::declaration::Mode;
use crate::printable::Printable;

/// What is waiting to be sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct QueueStatus {
    /// Events in memory.
    pub mem: u64,
    /// Events on disk, those of earlier runs and other processes included.
    pub disk: u64,
}

/// What is kept on disk until it is sent, by their [`Spool`](crate::Spool).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SpoolStatus {
    /// The directory: that of the endpoint, account and grant that hold, or the one above if that is not known.
    pub directory: String,
    /// Files that wait to be sent.
    pub files: u64,
    /// Events in them.
    pub events: u64,
    /// Bytes of these events.
    pub bytes: u64,
    /// When the oldest of them was captured, in RFC 3339.
    pub oldest: Option<String>,
}

/// How the last attempt to send ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LastSend {
    /// The outcome in a few words.
    pub outcome: String,
    /// When, in RFC 3339.
    pub at: String,
}

/// The explained decision.
///
/// Serialises to a JSON object whose keys are stable, and prints as a table. It shows raw values of variables, so it
/// is for the person at the terminal, and not to be sent anywhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// What was decided.
    pub state: ConsentState,
    /// The rule by which silence is read.
    pub mode: Mode,
    /// The layer that decided.
    pub decided_by: Layer,
    /// What each layer said.
    pub layers: Vec<LayerReport>,
    /// The version of the notice.
    pub notice_version: u32,
    /// When the variables were read, in RFC 3339: those of a running client are the ones it was started with, and a
    /// variable that is set later does not reach it. `None` where they were read for this very status.
    pub variables_as_of: Option<String>,
    /// Where events would go, without path, credentials and query.
    pub endpoint: Option<String>,
    /// Whether an event captured now would be sent.
    pub would_send: bool,
    /// What is waiting to be sent.
    pub queue: QueueStatus,
    /// What is kept on disk; `None` where the application keeps nothing, or consent is not granted: then nobody looks.
    pub spool: Option<SpoolStatus>,
    /// How the last attempt to send ended, if there was one.
    pub last_send: Option<LastSend>,
}

impl Status {
    /// Explains a decision, with an empty queue and nothing sent.
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

    /// Returns the status as one line of JSON.
    pub fn to_json(&self) -> String {
        // No map with keys that are not text, and no number that JSON could not hold.
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
        writeln!(f, "endpoint:  {}", self.endpoint.as_deref().unwrap_or("none"))?;
        writeln!(f, "waiting:   {} in memory, {} on disk", self.queue.mem, self.queue.disk)?;
        if let Some(at) = &self.variables_as_of {
            writeln!(f, "variables: as they were when this client was started, at {at}")?;
        }
        if let Some(SpoolStatus { directory, files, bytes, oldest, .. }) = &self.spool {
            let oldest = oldest.as_ref().map_or_else(String::new, |at| format!(", the oldest from {at}"));
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
