//! Text that may be printed: what would steer a terminal or turn the order of letters is escaped.

use std::fmt;

/// Returns whether a character is escaped wherever text is printed: control characters of both ranges, marks that
/// change the direction of writing, and the two separators of Unicode that break a line.
pub(crate) fn is_escaped(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
                | '\u{2028}' | '\u{2029}'
        )
}

/// Writes a text with escapes such as `\u{9b}` for what must not be printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Printable<'a>(pub(crate) &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0;
        while let Some((at, letter)) = rest.char_indices().find(|(_, letter)| is_escaped(*letter)) {
            let (before, after) = rest.split_at(at);
            write!(f, "{before}{}", letter.escape_unicode())?;
            rest = after.get(letter.len_utf8()..).unwrap_or_default();
        }
        f.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::Printable;

    #[test]
    fn what_steers_a_terminal_is_escaped_and_the_rest_is_not() {
        let plain = "Größe \u{1f600} / a_b \"c\"";
        assert_eq!(Printable(plain).to_string(), plain);
        let steering = "a\u{1b}[2J\u{9b}31m\u{202e}b\u{2066}\n\u{2028}c";
        let wanted = r"a\u{1b}[2J\u{9b}31m\u{202e}b\u{2066}\u{a}\u{2028}c";
        assert_eq!(Printable(steering).to_string(), wanted);
    }
}
