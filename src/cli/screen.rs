//! Lays out text for people: its width, and whether it has colours.

use crate::printable::Printable;
use std::fmt::Write;

use crate::settings::Env;

/// The screen that text is laid out for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Screen {
    /// The maximum number of characters in a line; longer words are not broken.
    width: usize,
    has_colours: bool,
}

/// The colours of states.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Colour {
    Green,
    Red,
    Yellow,
}

impl Screen {
    /// Creates a screen from the environment and, if the output is a terminal, its width.
    ///
    /// `COLUMNS` wins over the terminal. There are no colours if `NO_COLOR` is set and not empty, or with `TERM=dumb`.
    pub(super) fn new(env: &Env, is_terminal: bool, terminal_width: Option<usize>) -> Self {
        let columns = env.text("COLUMNS").and_then(|columns| columns.parse().ok());
        let width = columns.or(terminal_width).unwrap_or(80).clamp(40, 100);
        let no_colour = env.get("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { width, has_colours: is_terminal && !no_colour && env.text("TERM") != Some("dumb") }
    }

    /// Appends wrapped text; the first line begins with `first`, the others with as many spaces.
    ///
    /// If a word, such as a path, would not fit next to `first`, the text begins on the next line.
    pub(super) fn paragraph(self, out: &mut String, first: &str, text: &str) {
        let text: String =
            text.lines().map(|line| Printable(line).to_string()).collect::<Vec<_>>().join("\n");
        let longest = text.split_whitespace().map(|word| word.chars().count()).max().unwrap_or(0);
        let mut indent = first.chars().count();
        let _ = write!(out, "{}", Printable(first));
        if indent > NEXT_LINE && indent + longest > self.width {
            indent = NEXT_LINE;
            end_line(out);
            let _ = write!(out, "{:indent$}", "");
        }
        for (index, line) in text.lines().enumerate() {
            if index > 0 {
                let _ = write!(out, "{:indent$}", "");
            }
            self.wrap(out, indent, line);
            end_line(out);
        }
    }

    fn wrap(self, out: &mut String, indent: usize, line: &str) {
        let mut column = indent;
        for word in line.split_whitespace() {
            let length = word.chars().count();
            if column > indent && column + 1 + length > self.width {
                end_line(out);
                let _ = write!(out, "{:indent$}", "");
                column = indent;
            } else if column > indent {
                out.push(' ');
                column += 1;
            }
            out.push_str(word);
            column += length;
        }
    }

    /// Returns a word in a colour, if the screen has colours.
    pub(super) fn paint(self, colour: Colour, word: &str) -> String {
        if !self.has_colours {
            return word.to_owned();
        }
        let code = match colour {
            Colour::Red => 31,
            Colour::Green => 32,
            Colour::Yellow => 33,
        };
        format!("\u{1b}[1;{code}m{word}\u{1b}[0m")
    }
}

/// The indent of text that begins on the next line.
const NEXT_LINE: usize = 4;

fn end_line(out: &mut String) {
    out.truncate(out.trim_end_matches(' ').len());
    out.push('\n');
}

/// Returns the width of the output's terminal, if it is known.
pub(super) fn terminal_width() -> Option<usize> {
    #[cfg(feature = "clap")]
    return terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    #[cfg(not(feature = "clap"))]
    None
}

#[cfg(test)]
mod tests {
    use super::{Colour, Screen};
    use crate::settings::Env;

    #[test]
    fn text_is_wrapped_between_words_and_indented() {
        let screen = Screen::new(&Env::empty(), true, Some(40));
        let mut out = String::new();
        screen.paragraph(&mut out, "> user  ", "somebody said no, and that is what holds here");
        assert_eq!(out, "> user  somebody said no, and that is\n        what holds here\n");
        out.clear();
        screen.paragraph(&mut out, "  ", &format!("one {} two\n\nthree", "x".repeat(60)));
        assert_eq!(out, format!("  one\n  {}\n  two\n\n  three\n", "x".repeat(60)));
        out.clear();
        screen.paragraph(&mut out, "> user  yes  ", &format!("{}: said yes", "x".repeat(30)));
        assert_eq!(out, format!("> user  yes\n    {}: said\n    yes\n", "x".repeat(30)));
        out.clear();
        screen.paragraph(&mut out, "\u{1b}[2J ", "a\u{1b}[2J");
        assert_eq!(out, "\\u{1b}[2J a\\u{1b}[2J\n");
    }

    #[test]
    fn the_variable_wins_over_the_terminal_and_both_are_clamped() {
        let width = |env: Env, terminal| Screen::new(&env, true, terminal).width;
        assert_eq!(width(Env::empty(), None), 80);
        assert_eq!(width(Env::empty(), Some(60)), 60);
        assert_eq!(width(Env::empty().with("COLUMNS", "70"), Some(60)), 70);
        assert_eq!(width(Env::empty().with("COLUMNS", "wide"), Some(60)), 60);
        assert_eq!((width(Env::empty(), Some(1)), width(Env::empty(), Some(500))), (40, 100));
    }

    #[test]
    fn colours_are_only_for_terminals_that_allow_them() {
        let painted = |env: &Env, is_terminal| {
            Screen::new(env, is_terminal, None).paint(Colour::Green, "on").contains('\u{1b}')
        };
        assert!(painted(&Env::empty(), true));
        assert!(painted(&Env::empty().with("NO_COLOR", ""), true));
        assert!(!painted(&Env::empty(), false));
        assert!(!painted(&Env::empty().with("NO_COLOR", "1"), true));
        assert!(!painted(&Env::empty().with("TERM", "dumb"), true));
    }
}
