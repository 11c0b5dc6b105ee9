//! Prints batches to the application's log, pretty, from the very bytes that are sent.
//!
//! Never changes the bytes, and prints no header, so that no key is in it but the body's own, cut short.

use log::info;

/// The target of the printed batches, for the application's log filter.
pub(crate) const TARGET: &str = "candor::batch";

/// Prints a body; `hide` is the API key with what is shown in its place.
pub(crate) fn print_batch(body: &[u8], hide: Option<(&str, &str)>, sent: bool) {
    let how = if sent { "sending" } else { "dry run, not sending" };
    info!(target: TARGET, "{how} {} bytes:\n{}", body.len(), pretty(body, hide));
}

/// Lays out JSON with two blanks a level. What is between the tokens stays byte for byte.
fn pretty(body: &[u8], hide: Option<(&str, &str)>) -> String {
    let mut text = String::from_utf8_lossy(body).into_owned();
    if let Some((secret, shown)) = hide.filter(|(secret, _)| !secret.is_empty()) {
        text = text.replace(secret, shown);
    }
    let mut out = String::with_capacity(text.len() * 2);
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for (at, letter) in text.char_indices() {
        if quoted {
            out.push(letter);
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
