//! `telemetry status`: the decision, who made it, and what has been sent.

use std::io;

use super::said::{Said, counted, report_text};
use crate::cli::kit::Kit;
use crate::cli::screen::{Colour, Screen};
use crate::consent::{ConsentState, LastSend, Layer, Status, Vote};
use crate::observe::sent_log::Entry;
use crate::settings::variable_prefix;

pub(super) fn run(kit: &Kit, json: bool, exit_code: bool, screen: Screen) -> Said {
    let lines = kit.sent_lines();
    let last = lines.as_ref().ok().and_then(|lines| lines.as_ref()?.entries.last());
    let mut status = kit.status();
    if status.last_send.is_none() {
        status.last_send =
            last.map(|entry| LastSend { outcome: format!("status {}", entry.status), at: entry.at.clone() });
    }
    let text =
        if json { status.to_json() + "\n" } else { page(kit, &status, lines.as_ref().map(|_| last), screen) };
    let code = match status.state {
        _ if !exit_code => 0,
        ConsentState::Granted => 0,
        ConsentState::Denied => 1,
        ConsentState::Deferred => 2,
    };
    Said { code, ..Said::text(text) }
}

fn page(kit: &Kit, status: &Status, last: Result<Option<&Entry>, &io::Error>, screen: Screen) -> String {
    let app = kit.app();
    let mut out = String::new();
    let (colour, word) = match status.state {
        ConsentState::Granted => (Colour::Green, "on"),
        ConsentState::Denied => (Colour::Red, "off"),
        ConsentState::Deferred => (Colour::Yellow, "off"),
    };
    let decided = status.layers.iter().find(|report| report.layer == status.decided_by);
    let reason = match decided {
        // The mode is not a place that a person could look at, so it is not named.
        Some(report) if report.layer == Layer::Mode => report.reason.clone(),
        decided => decided.map(report_text).unwrap_or_default(),
    };
    screen.paragraph(&mut out, "", &format!("Telemetry is {word}: {reason}."));
    // Added after wrapping, since the codes of a colour take no space on the screen.
    out = out.replacen(word, &screen.paint(colour, word), 1);
    out.push('\n');
    let endpoint = status.endpoint.as_deref().unwrap_or("none is set");
    screen.paragraph(&mut out, "endpoint   ", endpoint);
    if kit.keeps_log() {
        let text = match last {
            Err(error) => format!("unknown: the log on this machine cannot be read: {error}"),
            Ok(Some(entry)) => {
                format!("{} at {}, status {}", counted(entry.events, "event"), entry.at, entry.status)
            }
            Ok(None) => "nothing, according to the log on this machine".to_owned(),
        };
        screen.paragraph(&mut out, "last sent  ", &text);
    }
    if let Some(spool) = &status.spool {
        let mut text = format!(
            "{} in {} ({} bytes)",
            counted(spool.events, "event"),
            counted(spool.files, "file"),
            spool.bytes
        );
        if let Some(oldest) = &spool.oldest {
            text.push_str(", the oldest from ");
            text.push_str(oldest);
        }
        screen.paragraph(&mut out, "waiting    ", &text);
    }
    let page = kit.page().map_or_else(
        || format!("`{app} telemetry show`"),
        |page| format!("`{app} telemetry show`, and {page}"),
    );
    screen.paragraph(&mut out, "contents   ", &page);
    let change = match status.state {
        ConsentState::Granted => format!("`{app} telemetry off`"),
        // The user's answer does not outweigh anybody else's no.
        ConsentState::Denied if status.decided_by != Layer::User => "remove what says no below".to_owned(),
        ConsentState::Denied | ConsentState::Deferred => format!("`{app} telemetry on`"),
    };
    screen.paragraph(
        &mut out,
        "change     ",
        &format!("{change}; {}_TELEMETRY=0 and DO_NOT_TRACK=1 turn it off", variable_prefix(app)),
    );
    out.push('\n');
    for report in &status.layers {
        let mark = if report.layer == status.decided_by { '>' } else { ' ' };
        let says = match report.vote {
            Vote::Deny => "no",
            Vote::Grant => "yes",
            Vote::Abstain => "-",
        };
        let first = format!("{mark} {:<14} {says:<3} ", report.layer.name());
        screen.paragraph(&mut out, &first, &report_text(report));
    }
    out
}
