//! What `telemetry status | on | off | show | log | forget` do and say.

mod answer;
mod forget;
mod log;
mod parse;
mod show;
mod status;

pub(super) use parse::{Verb, parse, usage};

use super::kit::Kit;
use super::screen::Screen;
use crate::consent::LayerReport;

/// What a verb has to say.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// For standard output: what was asked for.
    pub(super) text: Vec<u8>,
    /// For standard error.
    pub(super) complaint: String,
    /// The exit code.
    pub(super) code: u8,
}

impl Said {
    fn text(text: impl Into<Vec<u8>>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    fn complaint(text: impl Into<String>) -> Self {
        Self { complaint: text.into(), code: 1, ..Self::default() }
    }
}

/// Carries out a verb.
pub(super) fn run(kit: &Kit, verb: &Verb, screen: Screen) -> Said {
    match verb {
        Verb::Status { json, exit_code } => status::run(kit, *json, *exit_code, screen),
        Verb::On => answer::on(kit, screen),
        Verb::Off => answer::off(kit, screen),
        Verb::Show { event, pending } => show::run(kit, event.as_deref(), *pending, screen),
        Verb::Log { json, bodies } => log::run(kit, *json, *bodies, screen),
        Verb::Forget => forget::run(kit, screen),
    }
}

/// Returns what a layer said, and since when.
fn report_text(report: &LayerReport) -> String {
    match &report.since {
        Some(since) => format!("{} (since {since})", report.sentence()),
        None => report.sentence(),
    }
}

/// Returns a count with its noun.
fn counted(count: u64, one: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {one}s") }
}
