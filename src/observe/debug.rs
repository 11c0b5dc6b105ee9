//! Prints what debugging asks for: to the application's log, or to stderr where that would print it to nobody.
//! Never prints a header, and the body's own API key only cut short.

use std::fmt::{self, Write as _};
use std::io::Write as _;

use log::Level;

use crate::printable::is_escaped;

/// The target of the printed batches, for the application's log filter.
const BATCH: &str = "candor::batch";

/// The target of every other line.
const CANDOR: &str = "candor";

/// Prints a body from the bytes that are sent; `hide` is the API key with what is shown in its place.
pub(crate) fn print_batch(body: &[u8], hide: Option<(&str, &str)>, sent: bool) {
    let how = if sent { "sending" } else { "dry run, not sending" };
    print(BATCH, Level::Info, true, &format_args!("{how} {} bytes:\n{}", body.len(), pretty(body, hide)));
}

/// Explains why a client was created disabled, and where to look. Nothing is repeated where a warning has said so already.
pub(crate) fn print_disabled(app: &str, reason: &str, is_debugging: bool, was_warned: bool) {
    if was_warned && log::log_enabled!(target: CANDOR, Level::Warn) {
        return;
    }
    let text = format_args!(
        "telemetry of {app} is disabled, {reason}. `candor::status(&config)` shows what each layer said"
    );
    print(CANDOR, Level::Info, is_debugging, &text);
}

/// Declares that a client could not be created, so that a disabled one took its place.
pub(crate) fn print_failed(app: &str, reason: &str, is_debugging: bool) {
    let text = format_args!("telemetry of {app} could not be started and is disabled: {reason}");
    print(CANDOR, Level::Warn, is_debugging, &text);
}

/// Logs a line. Where the application's log takes no such line, it goes to stderr if debugging was asked for.
fn print(target: &str, level: Level, is_debugging: bool, text: &dyn fmt::Display) {
    if log::log_enabled!(target: target, level) {
        log::log!(target: target, level, "{text}");
    } else if is_debugging {
        // In one piece, so that two threads do not mix their lines. A closed stderr is not our business.
        let _ = std::io::stderr().write_all(format!("[{target}] {text}\n").as_bytes());
    }
}

/// Lays out JSON with two blanks a level. What is between the tokens stays byte for byte, but for characters that would
/// steer a terminal, which are escaped.
fn pretty(body: &[u8], hide: Option<(&str, &str)>) -> String {
    let mut text = String::from_utf8_lossy(body).into_owned();
    if let Some((secret, shown)) = hide.filter(|(secret, _)| !secret.is_empty()) {
        text = text.replace(secret, shown);
    }
    let mut out = String::with_capacity(text.len() * 2);
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, letter) in text.char_indices() {
        if quoted {
            if is_escaped(letter) {
                // As JSON escapes it, so that what is printed is still the same JSON.
                let _ = write!(out, "\\u{:04x}", u32::from(letter));
            } else {
                out.push(letter);
            }
            quoted = escaped || letter != '"';
            escaped = !escaped && letter == '\\';
            continue;
        }
        match letter {
            '{' | '[' => {
                out.push(letter);
                depth += 1;
                if !text[at + 1..].starts_with(['}', ']']) {
                    break_line(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                if !out.ends_with(['{', '[']) {
                    break_line(&mut out, depth);
                }
                out.push(letter);
            }
            ',' => {
                out.push(letter);
                break_line(&mut out, depth);
            }
            ':' => out.push_str(": "),
            '"' => {
                quoted = true;
                out.push(letter);
            }
            _ => out.push(letter),
        }
    }
    out
}

fn break_line(out: &mut String, depth: usize) {
    out.push('\n');
    for _ in 0..depth {
        out.push_str("  ");
    }
}

#[cfg(test)]
mod tests {
    use super::pretty;
    use serde_json::{Value, from_str};

    #[test]
    fn what_steers_a_terminal_is_escaped_and_the_json_is_the_same() {
        let body = "{\"event\":\"a\u{9b}31m\u{202e}b\"}";
        let text = pretty(body.as_bytes(), None);
        assert_eq!(from_str::<Value>(&text).unwrap(), from_str::<Value>(body).unwrap());
        assert!(text.contains(r"a\u009b31m\u202eb"), "{text}");
    }

    #[test]
    fn prints_the_same_json_with_lines_and_blanks() {
        let body = r#"{"api_key":"phc_secret","batch":[{"event":"a, {b} \" \\","n":[1,2],"e":{},"l":[]}]}"#;
        let text = pretty(body.as_bytes(), None);
        assert_eq!(from_str::<Value>(&text).unwrap(), from_str::<Value>(body).unwrap());
        assert!(text.contains("\n      \"event\": \"a, {b} \\\" \\\\\",\n"), "{text}");
        assert!(text.contains("\"e\": {},"), "{text}");
    }

    #[test]
    fn the_key_is_cut_short() {
        let text = pretty(br#"{"api_key":"phc_secret","batch":[]}"#, Some(("phc_secret", "phc_...")));
        assert!(!text.contains("secret"), "{text}");
        assert!(text.contains("phc_..."), "{text}");
    }
}
