//! Escapes characters that could control a terminal or reverse the order of text.

use std::fmt;

/// Returns whether a character is escaped wherever text is printed: control characters, marks that change the
/// writing direction, and Unicode's line and paragraph separators.
pub(crate) fn is_escaped(letter: char) -> bool {
    letter.is_control()
        || matches!(
            letter,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
                | '\u{2028}' | '\u{2029}'
        )
}

/// Displays text with escapes such as `\u{9b}` for characters that must not be printed.
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
    fn only_characters_that_control_a_terminal_are_escaped() {
        let plain = "Größe \u{1f600} / a_b \"c\"";
        assert_eq!(Printable(plain).to_string(), plain);
        let steering = "a\u{1b}[2J\u{9b}31m\u{202e}b\u{2066}\n\u{2028}c";
        let wanted = r"a\u{1b}[2J\u{9b}31m\u{202e}b\u{2066}\u{a}\u{2028}c";
        assert_eq!(Printable(steering).to_string(), wanted);
    }
}
