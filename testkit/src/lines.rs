//! Keeps the log lines of the crate and its dependencies.

use std::sync::{Mutex, Once, PoisonError};
use std::thread::{self, ThreadId};

use log::{Level, LevelFilter, Log, Metadata, Record};

#[derive(Clone, Debug)]
pub struct Line {
    pub thread: ThreadId,
    pub level: Level,
    pub target: String,
    pub text: String,
}

struct Lines(Mutex<Vec<Line>>);

static LINES: Lines = Lines(Mutex::new(Vec::new()));

impl Log for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let line = Line {
            thread: thread::current().id(),
            level: record.level(),
            target: record.target().to_owned(),
            text: record.args().to_string(),
        };
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }

    fn flush(&self) {}
}

/// Starts keeping the log lines of this process. Call it before the code under test.
pub fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        log::set_logger(&LINES).expect("the only logger");
        log::set_max_level(LevelFilter::Trace);
    });
}

/// Returns all lines so far, including those of other tests.
pub fn all() -> Vec<Line> {
    LINES.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Returns the warnings that contain this text, from any thread.
pub fn warnings_with(text: &str) -> Vec<String> {
    let is_wanted = |line: &Line| line.level == Level::Warn && line.text.contains(text);
    all().into_iter().filter(is_wanted).map(|line| line.text).collect()
}

/// Returns the warnings that this thread has logged.
pub fn warnings_here() -> Vec<String> {
    let here = thread::current().id();
    let is_ours = |line: &Line| line.thread == here && line.level == Level::Warn;
    all().into_iter().filter(is_ours).map(|line| line.text).collect()
}
