//! Walks the members of a JSON object by their positions in the text.
//!
//! Never decodes, and stops at the first thing that is malformed.

use std::ops::Range;

/// The position of a member: its key with quotes, and its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) key: Range<usize>,
    pub(crate) value: Range<usize>,
}

/// Iterates over the members of one object, without descending into their values.
#[derive(Clone, Debug)]
pub(crate) struct Members<'a> {
    json: &'a [u8],
    at: usize,
}

impl<'a> Members<'a> {
    /// Starts after the opening brace. The closing brace may be missing.
    pub(crate) fn inside(json: &'a [u8], at: usize) -> Self {
        Self { json, at }
    }

    fn peek(&self) -> Option<u8> {
        self.json.get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn skip(&mut self, wanted: u8) -> Option<()> {
        self.skip_blanks();
        (self.peek()? == wanted).then(|| self.at += 1)
    }

    /// Skips a string, and returns its range with both quotes.
    fn string(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        self.skip(b'"')?;
        loop {
            match self.peek()? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        Some(start..self.at)
    }

    fn value(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        let mut depth = 0_usize;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.string()?;
                }
                Some(b'{' | b'[') => {
                    depth += 1;
                    self.at += 1;
                }
                Some(b'}' | b']') if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                Some(b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n') | None if depth == 0 => break,
                Some(_) => self.at += 1,
                None => return None,
            }
        }
        (self.at > start).then_some(start..self.at)
    }
}

impl Iterator for Members<'_> {
    type Item = Member;

    fn next(&mut self) -> Option<Member> {
        self.skip_blanks();
        if self.peek() == Some(b',') {
            self.at += 1;
            self.skip_blanks();
        }
        let key = self.string()?;
        self.skip(b':')?;
        self.skip_blanks();
        let value = self.value()?;
        Some(Member { key, value })
    }
}

#[cfg(test)]
mod tests {
    use super::{Member, Members};

    fn walk(json: &str) -> Vec<(&str, &str)> {
        let start = usize::from(json.starts_with('{'));
        Members::inside(json.as_bytes(), start)
            .map(|Member { key, value }| (&json[key], &json[value]))
            .collect()
    }

    #[test]
    fn finds_every_member_without_descending_into_values() {
        let json = r#"{ "a" : 1 , "b\"}" : {"a":[1,{"x":"]}"}]} ,"c":"t\\","d":true
        }"#;
        let found = walk(json);
        assert_eq!(
            found,
            [
                ("\"a\"", "1"),
                (r#""b\"}""#, r#"{"a":[1,{"x":"]}"}]}"#),
                ("\"c\"", r#""t\\""#),
                ("\"d\"", "true")
            ]
        );
        assert_eq!(walk(r#""a":1,"b":[]"#), [("\"a\"", "1"), ("\"b\"", "[]")]);
        assert_eq!(walk("{}"), []);
        assert_eq!(walk(""), []);
    }

    #[test]
    fn stops_where_the_text_is_malformed() {
        for json in ["{\"a", "{\"a\"", "{\"a\":", "{\"a\":{", "{\"a\":\"\\", "{a:1}", "{\"a\" 1}"] {
            assert_eq!(walk(json), [], "{json}");
        }
    }
}
