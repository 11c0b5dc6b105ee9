//! A yes-or-no question, whose answer is no unless it is clearly yes. Never asks twice.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use crate::consent::CiProvider;
use crate::settings::Env;

/// The answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// `y` or `yes`, in any case.
    Yes,
    /// Everything else.
    No,
}

impl Answer {
    /// Returns whether the answer is yes.
    pub const fn is_yes(self) -> bool {
        matches!(self, Self::Yes)
    }
}

/// The maximum length of an answer in bytes; the rest of the line is not read.
const MAX_LINE: u64 = 1024;

/// Writes a question and reads one line.
///
/// Only `y` and `yes`, in any case and with surrounding whitespace, mean yes. Everything else means no: an empty line,
/// the end of the input, after which the line on the screen is ended, an error while writing or reading, and any other
/// text. Ask only if [`may_prompt`] returns
/// true, and store the answer before anything is sent.
///
/// ```
/// use candor::cli::{Answer, prompt};
///
/// let mut shown = Vec::new();
/// let answer = prompt("Enable telemetry? (y/N): ", &mut "\n".as_bytes(), &mut shown);
/// assert_eq!(answer, Answer::No);
/// assert_eq!(shown, b"Enable telemetry? (y/N): ");
/// ```
pub fn prompt(question: &str, input: &mut impl BufRead, output: &mut impl Write) -> Answer {
    ask(question, input, output).unwrap_or(Answer::No)
}

/// Asks like [`prompt`], but returns `None` if the question could not be shown or the answer could not be read: that
/// must not be stored as an answer.
pub(super) fn ask(question: &str, input: &mut impl BufRead, output: &mut impl Write) -> Option<Answer> {
    output.write_all(question.as_bytes()).and_then(|()| output.flush()).ok()?;
    let mut line = Vec::new();
    input.take(MAX_LINE).read_until(b'\n', &mut line).ok()?;
    if !line.ends_with(b"\n") {
        // Nobody has pressed Enter, so the terminal is still on the line of the question.
        let _ = output.write_all(b"\n").and_then(|()| output.flush());
    }
    // What follows a line that was cut is not known.
    let is_whole = line.ends_with(b"\n") || (line.len() as u64) < MAX_LINE;
    Some(if is_whole && is_yes(&line) { Answer::Yes } else { Answer::No })
}

fn is_yes(line: &[u8]) -> bool {
    let word = line.trim_ascii();
    word.eq_ignore_ascii_case(b"y") || word.eq_ignore_ascii_case(b"yes")
}

/// Returns whether a person can be asked: standard input and output are terminals, and the program runs neither in
/// continuous integration nor under a coding agent.
pub fn may_prompt(env: &Env) -> bool {
    person_is_there(env, io::stdin().is_terminal(), io::stdout().is_terminal())
}

/// Variables that coding agents set. An agent may control a terminal, but only a person can answer.
const AGENTS: [&str; 7] = [
    "CLAUDECODE",
    "CODEX_CLI",
    "CURSOR_AGENT",
    "CURSOR_EDITOR",
    "CURSOR_TRACE_ID",
    "GEMINI_CLI",
    "GITHUB_COPILOT_CLI_MODE",
];

fn person_is_there(env: &Env, input: bool, output: bool) -> bool {
    input && output && !is_machine(env)
}

/// Returns whether the program runs in continuous integration or under a coding agent.
pub(super) fn is_machine(env: &Env) -> bool {
    CiProvider::detect(env).is_some()
        || AGENTS.iter().any(|name| env.get(name).is_some_and(|value| !value.is_empty()))
}

#[cfg(test)]
mod tests {
    use std::io::{self, BufReader, Read, Write};

    use super::{Answer, person_is_there, prompt};
    use crate::settings::Env;

    fn answer(typed: &[u8]) -> Answer {
        prompt("?", &mut &*typed, &mut Vec::new())
    }

    #[test]
    fn only_a_clear_yes_is_a_yes() {
        for yes in ["y", "y\n", "Y\r\n", " yes \n", "YES\nno\n", "yEs"] {
            assert_eq!(answer(yes.as_bytes()), Answer::Yes, "{yes:?}");
        }
        for no in
            ["", "\n", "\r\n", "n\n", "no\n", "yess\n", "y es\n", "1\n", "true\n", "j\n", "\0y\n", "\ny\n"]
        {
            assert_eq!(answer(no.as_bytes()), Answer::No, "{no:?}");
        }
        assert_eq!(answer(b"y\xff\n"), Answer::No);
        assert_eq!(answer(&b"y".repeat(100_000)), Answer::No);
        assert_eq!(answer(format!("yes{}but not now\n", " ".repeat(2000)).as_bytes()), Answer::No);
    }

    #[test]
    fn input_after_the_line_is_not_read() {
        let mut input = &b"y\nnext"[..];
        assert_eq!(prompt("?", &mut input, &mut Vec::new()), Answer::Yes);
        assert_eq!(input, b"next");
    }

    struct Broken;

    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::Error::other("broken"))
        }
    }

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("broken"))
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_line_of_the_question_is_ended() {
        for (typed, shown) in [("y\n", "?"), ("\n", "?"), ("", "?\n"), ("y", "?\n")] {
            let mut output = Vec::new();
            prompt("?", &mut typed.as_bytes(), &mut output);
            assert_eq!(output, shown.as_bytes(), "{typed:?}");
        }
    }

    #[test]
    fn an_error_while_asking_is_a_no() {
        assert_eq!(prompt("?", &mut "y\n".as_bytes(), &mut Broken), Answer::No);
        assert_eq!(prompt("?", &mut BufReader::new(Broken), &mut Vec::new()), Answer::No);
    }

    #[test]
    fn nobody_is_asked_without_both_terminals_or_on_a_machine() {
        let env = Env::empty();
        assert!(person_is_there(&env, true, true));
        assert!(!person_is_there(&env, false, true));
        assert!(!person_is_there(&env, true, false));
        assert!(!person_is_there(&env.clone().with("CI", "true"), true, true));
        assert!(!person_is_there(&env.clone().with("CURSOR_AGENT", "1"), true, true));
        assert!(person_is_there(&env.with("CURSOR_AGENT", ""), true, true));
    }
}
