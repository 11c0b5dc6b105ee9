//! Prints debugging output to the application's log, or to stderr if the log would discard it. Never prints a
//! header, and prints only the start of the API key in a body.

use std::fmt::{self, Write as _};
use std::io::Write as _;

use log::Level;

use crate::panic::catch_panic;
use crate::printable::is_escaped;

/// The target of the printed batches, for the application's log filter.
const BATCH: &str = "candor::batch";

/// The target of every other line.
const CANDOR: &str = "candor";

/// Prints a body from the bytes that are sent. `hide` is the API key and the text shown in its place.
pub(crate) fn print_batch(body: &[u8], hide: Option<(&str, &str)>, sent: bool) {
    let how = if sent { "sending" } else { "dry run, not sending" };
    print(BATCH, Level::Info, true, &format_args!("{how} {} bytes:\n{}", body.len(), pretty(body, hide)));
}

/// Reports how an attempt to send a batch ended. It stands next to the batch, since the endpoint's message may repeat
/// a part of it.
pub(crate) fn print_result(text: fmt::Arguments<'_>) {
    print(BATCH, Level::Info, true, &OneLine(text));
}

/// Logs a line at this level, or at `info` if debugging was requested and the level is a lower one; then it goes to
/// stderr if the application's log discards it.
pub(crate) fn print_line(level: Level, is_debugging: bool, text: fmt::Arguments<'_>) {
    let level = if is_debugging { level.min(Level::Info) } else { level };
    print(CANDOR, level, is_debugging, &OneLine(text));
}

/// Text without characters that could control a terminal or begin a line of their own.
struct OneLine<'a>(fmt::Arguments<'a>);

impl fmt::Display for OneLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .to_string()
            .chars()
            .try_for_each(|letter| f.write_char(if is_escaped(letter) { ' ' } else { letter }))
    }
}

/// Explains why a client was created disabled, and where to look. Prints nothing if a warning has already said so.
pub(crate) fn print_disabled(app: &str, level: Level, reason: &str, is_debugging: bool, was_warned: bool) {
    if was_warned && log::log_enabled!(target: CANDOR, Level::Warn) {
        return;
    }
    let text = format_args!(
        "telemetry of {app} is disabled, {reason}. `candor::status(&config)` shows what each layer said"
    );
    print(CANDOR, level, is_debugging, &text);
}

/// Reports that a client could not be created and that a disabled one took its place.
pub(crate) fn print_failed(app: &str, reason: &str, other_runs: bool, is_debugging: bool) {
    let what = if other_runs {
        "was initialised again: the first client stays in use, and this call returns the guard of a disabled one"
    } else {
        "could not be started and is disabled"
    };
    print(CANDOR, Level::Warn, is_debugging, &format_args!("telemetry of {app} {what}: {reason}"));
}

/// Logs a line. If the application's log discards it and debugging was requested, it goes to stderr. A panic of the
/// application's logger is caught.
fn print(target: &str, level: Level, is_debugging: bool, text: &dyn fmt::Display) {
    catch_panic(|| {
        if log::log_enabled!(target: target, level) {
            log::log!(target: target, level, "{text}");
        } else if is_debugging {
            // In one write, so two threads do not mix their lines. A closed stderr is not our concern.
            let _ = std::io::stderr().write_all(format!("[{target}] {text}\n").as_bytes());
        }
    });
}

/// Formats JSON with two spaces per level. The tokens stay the same byte for byte, except for characters that could
/// control a terminal, which are escaped.
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
                // A JSON escape, so the output is still the same JSON.
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
    fn terminal_controls_are_escaped_and_the_json_is_the_same() {
        let body = "{\"event\":\"a\u{9b}31m\u{202e}b\"}";
        let text = pretty(body.as_bytes(), None);
        assert_eq!(from_str::<Value>(&text).unwrap(), from_str::<Value>(body).unwrap());
        assert!(text.contains(r"a\u009b31m\u202eb"), "{text}");
    }

    #[test]
    fn prints_the_same_json_with_line_breaks_and_indents() {
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
