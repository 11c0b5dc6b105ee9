//! Sets one switch in a JSON text and leaves every other byte unchanged.
//!
//! Never changes a text that the gate could not read, and never replaces a value that is not a boolean.

use crate::document::{Format, Node, read};
use crate::json::{Member, Members};

/// Sets the boolean at a dotted key. Missing objects on the path to it are added after the existing members.
pub(crate) fn set_bool(text: &str, key: &str, value: bool) -> Result<String, &'static str> {
    let Node::Map { .. } = read(Format::Json, text.as_bytes())? else {
        return Err("has no object at its root");
    };
    let root = text.find('{').unwrap_or_default() + 1;
    let mut object = Object::root(text, root);
    let mut parts = key.split('.');
    let value = if value { "true" } else { "false" };
    while let Some(part) = parts.next() {
        let rest: Vec<&str> = std::iter::once(part).chain(parts.clone()).collect();
        // The rest of the key may also be written as one dotted name.
        if let Some(member) = object.find(&rest.join(".")) {
            return replace_bool(text, &member, value);
        }
        let Some(member) = object.find(part) else {
            return Ok(object.insert(&rest, value));
        };
        let known = text.get(member.value.clone()).unwrap_or_default();
        if !known.starts_with('{') {
            return Err("has a value that is not an object on the path to the key");
        }
        object = object.inside(&member);
    }
    Err("has no key of this name")
}

fn replace_bool(text: &str, member: &Member, value: &str) -> Result<String, &'static str> {
    match text.get(member.value.clone()) {
        Some("true" | "false") => Ok(replace(text, member.value.clone(), value)),
        _ => Err("has a value other than true or false at the key"),
    }
}

fn replace(text: &str, range: std::ops::Range<usize>, new: &str) -> String {
    let mut out = text.to_owned();
    out.replace_range(range, new);
    out
}

/// An object in the text, and how its members are laid out.
struct Object<'a> {
    text: &'a str,
    /// The position after its opening brace.
    start: usize,
    members: Vec<Member>,
    /// The whitespace between two members after the comma: blanks, or a line break and the indent.
    gap: String,
    /// The whitespace before the closing brace.
    tail: String,
    colon: &'a str,
    /// One level of indentation; empty if everything is on one line.
    step: &'a str,
}

impl<'a> Object<'a> {
    fn root(text: &'a str, start: usize) -> Self {
        let line = if text.contains("\r\n") { "\r\n" } else { "\n" };
        let outer = Self {
            text,
            start: 0,
            members: Vec::new(),
            gap: line.to_owned(),
            tail: line.to_owned(),
            colon: ": ",
            step: "  ",
        };
        outer.at(start)
    }

    fn inside(&self, member: &Member) -> Self {
        self.at(member.value.start + 1)
    }

    /// Examines the object that starts here. Layout that it does not show is taken from the surrounding object.
    fn at(&self, start: usize) -> Self {
        let text = self.text;
        let members: Vec<Member> = Members::inside(text.as_bytes(), start).collect();
        let Some(last) = members.last() else {
            let gap = if self.step.is_empty() { String::new() } else { format!("{}{}", self.gap, self.step) };
            return Self { text, start, members, gap, tail: self.gap.clone(), ..*self };
        };
        let gap = last_break(blanks_before(text, last.key.start));
        let tail = last_break(blanks_after(text, last.value.end));
        let between = text.get(last.key.end..last.value.start).unwrap_or(": ");
        let colon = if between.contains('\n') { ": " } else { between };
        let step = match (gap.rsplit_once('\n'), tail.rsplit_once('\n')) {
            (Some((_, indent)), Some((_, outer))) => indent.strip_prefix(outer).unwrap_or("  "),
            (Some(_), None) => "  ",
            (None, _) => "",
        };
        Self { text, start, gap: gap.to_owned(), tail: tail.to_owned(), colon, step, members }
    }

    fn find(&self, name: &str) -> Option<Member> {
        let is_it = |member: &&Member| {
            let key = self.text.get(member.key.clone()).unwrap_or_default();
            serde_json::from_str::<String>(key).is_ok_and(|key| key == name)
        };
        self.members.iter().find(is_it).cloned()
    }

    /// Adds a member, with an object around the value for each further part of the key.
    fn insert(&self, parts: &[&str], value: &str) -> String {
        let mut out = String::new();
        if let Some(last) = self.members.last() {
            out.push(',');
            // The first member may follow the brace directly.
            let gap =
                if self.members.len() == 1 && self.step.is_empty() { self.single_gap() } else { &self.gap };
            self.write(parts, value, gap, &mut out);
            return replace(self.text, last.value.end..last.value.end, &out);
        }
        let blanks = blanks_after(self.text, self.start);
        self.write(parts, value, &self.gap, &mut out);
        out.push_str(if self.step.is_empty() { blanks } else { &self.tail });
        replace(self.text, self.start..self.start + blanks.len(), &out)
    }

    /// Returns the blanks after the comma of a line that has no comma yet: the same as after the colon.
    fn single_gap(&self) -> &'a str {
        if self.colon.ends_with(' ') { " " } else { "" }
    }

    fn write(&self, parts: &[&str], value: &str, gap: &str, out: &mut String) {
        let Some((first, rest)) = parts.split_first() else {
            out.push_str(value);
            return;
        };
        out.push_str(gap);
        out.push_str(&serde_json::to_string(first).unwrap_or_default());
        out.push_str(self.colon);
        if rest.is_empty() {
            out.push_str(value);
            return;
        }
        let (inner, end) = if self.step.is_empty() {
            let pad = if self.tail.is_empty() { "" } else { " " };
            (pad.to_owned(), pad)
        } else {
            (format!("{gap}{}", self.step), gap)
        };
        out.push('{');
        self.write(rest, value, &inner, out);
        out.push_str(end);
        out.push('}');
    }
}

/// Returns the last line break and its indent from blanks that span several lines: an empty line is not layout.
fn last_break(blanks: &str) -> &str {
    let Some(at) = blanks.rfind('\n') else { return blanks };
    let start = at - usize::from(blanks.get(..at).is_some_and(|before| before.ends_with('\r')));
    blanks.get(start..).unwrap_or(blanks)
}

fn is_blank(letter: char) -> bool {
    matches!(letter, ' ' | '\t' | '\r' | '\n')
}

fn blanks_before(text: &str, at: usize) -> &str {
    let before = text.get(..at).unwrap_or_default();
    before.get(before.trim_end_matches(is_blank).len()..).unwrap_or_default()
}

fn blanks_after(text: &str, at: usize) -> &str {
    let after = text.get(at..).unwrap_or_default();
    after.get(..after.len() - after.trim_start_matches(is_blank).len()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Map, Value, json};

    use super::set_bool;

    const KEY: &str = "telemetry.enabled";

    fn set(text: &str) -> String {
        set_bool(text, KEY, true).unwrap_or_else(|reason| panic!("{text}: {reason}"))
    }

    #[test]
    fn only_the_word_of_an_existing_switch_changes() {
        let text = "{\n\t\"b\": [1,  2],\r\n \"telemetry\" : {\"x\":1, \"enabled\" :false }, \"a\":1e3}\n\n";
        assert_eq!(set(text), text.replace("false", "true"));
        assert_eq!(set_bool(text, KEY, false).unwrap(), text);
        assert_eq!(set(r#"{"telem\u0065try":{"enabled":false}}"#), r#"{"telem\u0065try":{"enabled":true}}"#);
    }

    #[test]
    fn a_missing_block_is_added_in_the_layout_of_the_file() {
        for (before, after) in [
            (
                "{\n  \"output\": \"table\",\n  \"failOnCritical\": true\n}\n",
                "{\n  \"output\": \"table\",\n  \"failOnCritical\": true,\n  \"telemetry\": {\n    \"enabled\": true\n  }\n}\n",
            ),
            (
                "{\r\n\t\"a\": 1\r\n}",
                "{\r\n\t\"a\": 1,\r\n\t\"telemetry\": {\r\n\t\t\"enabled\": true\r\n\t}\r\n}",
            ),
            (
                "{\n  \"a\": 1,\n\n  \"b\": 2\n\n}",
                "{\n  \"a\": 1,\n\n  \"b\": 2,\n  \"telemetry\": {\n    \"enabled\": true\n  }\n\n}",
            ),
            ("{\"a\":1}", "{\"a\":1,\"telemetry\":{\"enabled\":true}}"),
            ("{ \"a\": 1 }", "{ \"a\": 1, \"telemetry\": { \"enabled\": true } }"),
            ("{\"a\": 1, \"b\": 2}", "{\"a\": 1, \"b\": 2, \"telemetry\": {\"enabled\": true}}"),
            ("{}", "{\n  \"telemetry\": {\n    \"enabled\": true\n  }\n}"),
            ("\u{feff}{\n}\n", "\u{feff}{\n  \"telemetry\": {\n    \"enabled\": true\n  }\n}\n"),
            ("{\"telemetry\":{}}", "{\"telemetry\":{\"enabled\":true}}"),
            (
                "{\n    \"telemetry\": {},\n    \"a\": 1\n}",
                "{\n    \"telemetry\": {\n        \"enabled\": true\n    },\n    \"a\": 1\n}",
            ),
            (
                "{\n  \"telemetry\": {\n    \"level\": 2\n  }\n}",
                "{\n  \"telemetry\": {\n    \"level\": 2,\n    \"enabled\": true\n  }\n}",
            ),
        ] {
            assert_eq!(set(before), after, "{before:?}");
        }
    }

    #[test]
    fn broken_text_and_other_values_are_rejected() {
        let deep = "[".repeat(100) + &"]".repeat(100);
        for text in [
            "",
            "{",
            "[]",
            "1",
            "{\"a\":1,}",
            "{\"a\":1} x",
            "{\"telemetry\":1}",
            "{\"telemetry\":null}",
            "{\"telemetry\":[]}",
            "{\"telemetry\":{\"enabled\":\"no\"}}",
            "{\"telemetry\":{\"enabled\":null}}",
            "{\"telemetry\":{\"enabled\":{}}}",
            "{\"telemetry\":{\"enabled\":true},\"telemetry\":{}}",
            "{\"telemetry\":{\"enabled\":true,\"enabled\":false}}",
            "// a comment\n{}",
            &format!("{{\"a\":{deep}}}"),
        ] {
            assert!(set_bool(text, KEY, true).is_err(), "{text:?}");
        }
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            "[ -~é\u{1F600}\"\\\\{}\\[\\]\n]{0,12}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                object(inner).prop_map(Value::Object),
            ]
        })
    }

    fn object(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
        prop::collection::hash_map("[a-z\"\\\\{},: ]{0,6}", inner, 0..4)
            .prop_map(|entries| entries.into_iter().collect())
    }

    proptest! {
        #[test]
        fn only_the_switch_changes_in_any_file(
            mut file in object(value()),
            block in prop::option::of(object(value())),
            known in prop::option::of(any::<bool>()),
            wanted in any::<bool>(),
            is_pretty in any::<bool>(),
        ) {
            file.remove("telemetry");
            if let Some(mut block) = block {
                block.remove("enabled");
                if let Some(known) = known {
                    block.insert("enabled".to_owned(), json!(known));
                }
                file.insert("telemetry".to_owned(), Value::Object(block));
            }
            let before = Value::Object(file);
            let text = if is_pretty { format!("{before:#}") } else { before.to_string() };
            let after = set_bool(&text, KEY, wanted).unwrap();
            let mut expected = before;
            expected["telemetry"]["enabled"] = json!(wanted);
            prop_assert_eq!(serde_json::from_str::<Value>(&after).unwrap(), expected);
            // Everything before and after the change is kept.
            let start = text.bytes().zip(after.bytes()).take_while(|(a, b)| a == b).count();
            let end = text.bytes().rev().zip(after.bytes().rev()).take_while(|(a, b)| a == b).count();
            prop_assert!(start + end + "false".len() >= text.len(), "{} -> {}", text, after);
        }
    }
}
