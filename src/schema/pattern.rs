//! Patterns that restrict the text of a field to printable ASCII of a known form. Matching never backtracks.

mod parser;

use parser::{Fragment, MAX, Parser};

/// A pattern that restricts the text of a field: a small regular language, checked at compile time.
///
/// A pattern matches the whole text. It supports literals, classes such as `[a-z0-9_]`, groups with `(` and
/// `|`, the repetitions `*` `+` `?` `{3}` `{1,3}` `{2,}`, and `\` before a character with a special meaning.
/// `.` and `[^...]` are refused because they match nearly anything, `^` and `$` because they are redundant.
/// A pattern has at most 128 characters and classes, with repetitions written out.
///
/// A pattern is also a regular expression of JSON Schema; the catalogue shows it in this form.
///
/// ```
/// static VERSION: candor::schema::Pattern = candor::schema::Pattern::new(r"v[0-9]+(\.[0-9]+){2}");
/// assert!(VERSION.matches("v0.4.1"));
/// assert!(!VERSION.matches("v0.4.1 on build-host.example.com"));
/// ```
pub struct Pattern {
    source: &'static str,
    /// For each ASCII character: the positions of the pattern that match it.
    classes: [u128; 128],
    /// For each position: the positions that may come next.
    follow: [u128; MAX],
    start: Fragment,
}

impl Pattern {
    /// Compiles a pattern.
    ///
    /// # Panics
    ///
    /// Panics if the pattern is malformed or not supported; in a `static` or a `const` this is a compiler error.
    pub const fn new(source: &'static str) -> Self {
        let mut parser = Parser::new(source.as_bytes());
        let start = parser.choice();
        assert!(parser.is_done(), "pattern: unmatched `)`");
        Self { source, classes: parser.classes, follow: parser.follow, start }
    }

    /// Returns the pattern as written.
    pub const fn source(&self) -> &'static str {
        self.source
    }

    /// Returns whether the whole of `text` matches.
    pub const fn matches(&self, text: &str) -> bool {
        let text = text.as_bytes();
        if text.is_empty() {
            return self.start.empty;
        }
        let mut next = self.start.first;
        let mut state = 0;
        let mut at = 0;
        while at < text.len() {
            let character = text[at] as usize;
            if character >= self.classes.len() {
                return false;
            }
            state = next & self.classes[character];
            if state == 0 {
                return false;
            }
            next = self.after(state);
            at += 1;
        }
        state & self.start.last != 0
    }

    const fn after(&self, mut state: u128) -> u128 {
        let mut next = 0;
        while state != 0 {
            next |= self.follow[state.trailing_zeros() as usize];
            state &= state - 1;
        }
        next
    }

    /// Returns one of the shortest strings that match, for the catalogue's examples.
    pub(crate) fn example(&self) -> String {
        let mut paths: Vec<(u128, String)> = vec![(self.start.first, String::new())];
        let mut seen = 0;
        // Breadth first, so the first match found is one of the shortest.
        while !paths.is_empty() {
            let mut longer = Vec::new();
            for (next, text) in paths {
                let mut fresh = next & !seen;
                seen |= next;
                while fresh != 0 {
                    let position = fresh.trailing_zeros() as usize;
                    let text = format!("{text}{}", self.character(position));
                    if self.start.last >> position & 1 == 1 {
                        return text;
                    }
                    longer.push((self.follow[position], text));
                    fresh &= fresh - 1;
                }
            }
            paths = longer;
        }
        String::new()
    }

    fn character(&self, position: usize) -> char {
        let admits = |character: &char| {
            self.classes.get(*character as usize).is_some_and(|positions| positions >> position & 1 == 1)
        };
        ('a'..='z').chain('A'..='Z').chain('1'..='9').chain(' '..='~').find(admits).unwrap_or(' ')
    }
}

impl std::fmt::Debug for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Pattern").field(&self.source).finish()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.source == other.source
    }
}

impl Eq for Pattern {}

#[cfg(test)]
mod tests {
    use super::Pattern;

    fn check(source: &'static str, yes: &[&str], no: &[&str]) {
        let pattern = Pattern::new(source);
        for text in yes {
            assert!(pattern.matches(text), "{source} should match {text:?}");
        }
        for text in no {
            assert!(!pattern.matches(text), "{source} should not match {text:?}");
        }
        assert!(pattern.matches(&pattern.example()), "{source}: {:?}", pattern.example());
    }

    #[test]
    fn matches_whole_texts_only() {
        check("abc", &["abc"], &["", "ab", "abcd", "xabc", "abc\n"]);
        check("a|bc|", &["a", "bc", ""], &["b", "abc", "aa"]);
        check("[a-c_-]+", &["a", "cab-_"], &["", "d", "a b"]);
        check(r"(ab)*c?", &["", "c", "ab", "ababc"], &["a", "abb", "cc"]);
        check(r"[0-9]{4}-[0-9]{2}", &["2025-01"], &["205-01", "2025-1", "20255-01"]);
        check("a{2,}", &["aa", "aaaaa"], &["", "a"]);
        check("a{0,2}b", &["b", "ab", "aab"], &["aaab", ""]);
        check("a{0,}", &["", "a", "aaaa"], &["b"]);
        check("(a|b){2}", &["ab", "bb"], &["a", "aba"]);
        check("(ab?){2,3}", &["aa", "abab", "aaba"], &["a", "abb", "aaaa"]);
        check(r"v[0-9]+(\.[0-9]+){2}", &["v1.2.3", "v10.0.0"], &["v1.2", "1.2.3", "v1.2.3-rc"]);
        check(
            "AwsSolutions-[A-Z0-9]+|CDKI-[A-Z0-9-]+",
            &["AwsSolutions-S10", "CDKI-S3-ENCRYPTION"],
            &["Custom-1", "AwsSolutions-", "AwsSolutions-S1 /home/x"],
        );
        check(r"[\]\-\\]+", &["]-\\"], &["a"]);
    }

    #[test]
    fn only_printable_ascii_matches() {
        check("[ -~]+", &["a b~"], &["é", "a\u{7f}", "a\u{0}", "日本", "\u{1F600}"]);
    }

    #[test]
    fn long_text_is_matched_in_linear_time() {
        // A backtracking matcher would not finish.
        let pattern = Pattern::new("(a*)*(a|aa)*b");
        assert!(!pattern.matches(&"a".repeat(100_000)));
    }

    #[test]
    fn unsupported_and_malformed_patterns_are_refused() {
        for wrong in [
            ".*", "[^a]", "^a", "a$", "(a", "a)", "[a", "[]", "a{3", "a{2,1}", "a{0}", "*", "[z-a]", "é",
            "\\d", "a]", "a**",
        ] {
            assert!(std::panic::catch_unwind(|| Pattern::new(wrong)).is_err(), "{wrong}");
        }
    }
}
