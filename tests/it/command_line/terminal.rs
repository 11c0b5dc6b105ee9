//! A program at a terminal, as a person sees it.

use std::io::{Read, Write};
use std::path::Path;
use std::process::Child;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use pty_process::Size;
use pty_process::blocking::{Command, Pty, open};

use testkit::eventually;

/// A program that runs at its own terminal.
pub(super) struct Terminal {
    child: Child,
    writer: Arc<Pty>,
    seen: Arc<Mutex<Vec<u8>>>,
    reader: Option<JoinHandle<()>>,
}

impl Terminal {
    /// Starts a program with only these variables, at a terminal of this width.
    pub(super) fn start(
        program: &Path,
        arguments: &[&str],
        variables: &[(&str, &str)],
        columns: u16,
        dir: &Path,
    ) -> Self {
        let (pty, pts) = open().expect("a terminal");
        pty.resize(Size::new(24, columns)).expect("its size");
        // Whoever runs the tests in the background ignores Ctrl-C, and children inherit that. GNU's `env` undoes it.
        let command = Command::new("/usr/bin/env").arg("--default-signal=INT").arg(program);
        let command = command.args(arguments).env_clear().current_dir(dir);
        let command = variables.iter().fold(command, |command, (name, value)| command.env(name, value));
        let child = command.spawn(pts).expect("the program starts");
        let pty = Arc::new(pty);
        let seen: Arc<Mutex<Vec<u8>>> = Arc::default();
        let reader = thread::spawn({
            let (pty, seen) = (Arc::clone(&pty), Arc::clone(&seen));
            move || {
                let mut buffer = [0; 4096];
                // When the program ends, reading its terminal fails.
                while let Ok(count @ 1..) = (&*pty).read(&mut buffer) {
                    seen.lock().unwrap().extend_from_slice(&buffer[..count]);
                }
            }
        });
        Self { child, writer: pty, seen, reader: Some(reader) }
    }

    /// Returns what the terminal has shown so far, with plain line breaks.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen.lock().unwrap()).replace("\r\n", "\n")
    }

    /// Waits until the terminal shows the text.
    #[track_caller]
    pub(super) fn wait_for(&self, text: &str) {
        eventually(text, || self.text().contains(text));
    }

    /// Types; `\x03` is Ctrl-C.
    pub(super) fn write(&self, keys: &str) {
        (&*self.writer).write_all(keys.as_bytes()).expect("the terminal takes keys");
    }

    /// Waits for the end, and returns what was shown and the exit code.
    pub(super) fn end(mut self) -> (String, i32) {
        let status = self.child.wait().expect("the program ends");
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader ends");
        }
        (self.text(), status.code().unwrap_or(-1))
    }
}
