//! `telemetry log`: the requests sent from this machine, and whether the log has been changed.

use std::fmt::Write;

use serde_json::{Value, json};

use super::said::{Said, counted};
use crate::cli::kit::Kit;
use crate::cli::screen::{Colour, Screen};
use crate::observe::sent_log::{Body, Entry, SentLines};

pub(super) fn run(kit: &Kit, json: bool, bodies: bool, screen: Screen) -> Said {
    let lines = match kit.sent_lines() {
        Ok(lines) => lines,
        Err(error) => return Said::complaint(format!("The log of sent requests cannot be read: {error}\n")),
    };
    let path = kit.log_file().map(|path| path.display().to_string()).unwrap_or_default();
    let is_broken = lines.as_ref().is_some_and(|lines| lines.broken.is_some());
    let text = match lines {
        lines if json => as_json(&path, lines.as_ref(), bodies).into_bytes(),
        Some(lines) => page(&path, &lines, bodies, screen),
        None => {
            let mut out = String::new();
            let text = if kit.keeps_log() {
                "There are no requests in the log on this machine."
            } else {
                "This program does not keep a log of what it sends."
            };
            screen.paragraph(&mut out, "", text);
            out.into_bytes()
        }
    };
    Said { code: u8::from(is_broken), ..Said::text(text) }
}

fn page(path: &str, lines: &SentLines, bodies: bool, screen: Screen) -> Vec<u8> {
    let mut out = String::new();
    if lines.removed > 0 {
        let text = format!("{} were removed to keep the log small.", counted(lines.removed, "older request"));
        screen.paragraph(&mut out, "", &text);
    }
    let mut bytes = out.into_bytes();
    for entry in &lines.entries {
        bytes.extend_from_slice(line(entry, screen).as_bytes());
        if bodies {
            match entry.body.bytes() {
                Some(body) => bytes.extend_from_slice(&body),
                None => bytes.extend_from_slice(left_out(&entry.body).as_bytes()),
            }
            bytes.push(b'\n');
        }
    }
    let mut out = String::new();
    let missed: u64 = lines.entries.iter().map(|entry| entry.missed).sum();
    if missed > 0 {
        let text = format!("{} could not be logged.", counted(missed, "request"));
        screen.paragraph(&mut out, "", &text);
    }
    let count = counted(lines.entries.len() as u64, "request");
    match &lines.broken {
        None => screen.paragraph(&mut out, "", &format!("{count} in {path}; the hash chain is intact.")),
        Some(broken) => {
            screen.paragraph(&mut out, "", &format!("{count} in {path}."));
            let _ = writeln!(out, "The hash chain is {}.", screen.paint(Colour::Red, "broken"));
            screen.paragraph(&mut out, "", &format!("Line {}: {}.", broken.line, broken.reason));
        }
    }
    bytes.extend_from_slice(out.as_bytes());
    bytes
}

fn line(entry: &Entry, screen: Screen) -> String {
    let mut out = String::new();
    let text = format!(
        "{}, {} bytes, status {}, {}, {}",
        counted(entry.events, "event"),
        entry.bytes,
        entry.status,
        entry.endpoint,
        entry.protocol
    );
    screen.paragraph(&mut out, &format!("{}  ", entry.at), &text);
    out
}

fn left_out(body: &Body) -> String {
    match body {
        Body::Digest(digest) => format!("(too large for the log; its SHA-256 is {digest})"),
        Body::Text(_) | Body::Bytes(_) => "(cannot be read)".to_owned(),
    }
}

fn as_json(path: &str, lines: Option<&SentLines>, bodies: bool) -> String {
    let broken = lines.and_then(|lines| lines.broken.as_ref());
    let requests: Vec<Value> = lines
        .iter()
        .flat_map(|lines| &lines.entries)
        .map(|entry| {
            let mut value = json!(entry);
            if let Some(members) = value.as_object_mut().filter(|_| !bodies) {
                members.retain(|name, _| !name.starts_with("body"));
            }
            value
        })
        .collect();
    let said = json!({
        "path": path,
        "chain_holds": broken.is_none(),
        "broken": broken.map(|broken| json!({ "line": broken.line, "reason": broken.reason })),
        "removed": lines.map_or(0, |lines| lines.removed),
        "requests": requests,
    });
    format!("{said}\n")
}
