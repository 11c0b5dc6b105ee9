//! Reads the log and verifies its chain.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::MAX_BYTES;
use super::line::{self, Beginning, Entry};

/// The content of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SentLines {
    /// The requests, oldest first, without the lines that cannot be read.
    pub(crate) entries: Vec<Entry>,
    /// The number of older lines that were removed to keep the log small.
    pub(crate) removed: u64,
    /// The first place where the chain is broken, or `None` if it is intact.
    pub(crate) broken: Option<Break>,
}

/// A place where a log is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Break {
    /// The number of the line in the file, from 1.
    pub(crate) line: usize,
    pub(crate) reason: &'static str,
}

/// How long a reader waits for a writer.
const PATIENCE: Duration = Duration::from_millis(500);

const CHANGED: &str = "the line was changed, or a line before it was changed or removed";

/// Reads the log. Returns `None` if there is none.
pub(crate) fn read(path: &Path) -> io::Result<Option<SentLines>> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, libc::O_NOFOLLOW | libc::O_NONBLOCK);
    let file = match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        other => other?,
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    // A line that is being written is waited for, but not forever.
    let until = Instant::now() + PATIENCE;
    while file.try_lock_shared().is_err() && Instant::now() < until {
        thread::sleep(Duration::from_millis(1));
    }
    let mut text = Vec::new();
    file.take(2 * MAX_BYTES as u64).read_to_end(&mut text)?;
    Ok(Some(parse(&text)))
}

/// Parses lines and verifies their chain.
fn parse(text: &[u8]) -> SentLines {
    let mut lines = text.split_inclusive(|byte| *byte == b'\n').enumerate().peekable();
    let mut said = SentLines { entries: Vec::new(), removed: 0, broken: None };
    let beginning = lines.peek().and_then(|(_, line)| Beginning::parse(line.strip_suffix(b"\n")?));
    let mut before = String::new();
    match beginning {
        Some(beginning) => {
            lines.next();
            (said.removed, before) = (beginning.removed, beginning.after);
        }
        None if text.is_empty() => {}
        None => {
            said.break_at(1, "the beginning of the log is missing or was changed");
            // Probably only the beginning is affected. The lines after it are still linked to each other.
            if let Some((_, first)) = lines.next()
                && let Ok(entry) = serde_json::from_slice(first)
            {
                said.entries.push(entry);
            }
        }
    }
    for (index, line) in lines {
        let Some(line) = line.strip_suffix(b"\n") else {
            said.break_at(index + 1, "the last line is unfinished");
            continue;
        };
        let digest = line::unseal(line).filter(|(text, digest)| *digest == line::chained(&before, text));
        match digest {
            Some((_, digest)) => digest.clone_into(&mut before),
            None => {
                said.break_at(index + 1, CHANGED);
                // The next line is compared with this line's own digest, so each line is judged separately.
                before = line::unseal(line).map(|(_, digest)| digest.to_owned()).unwrap_or_default();
            }
        }
        match serde_json::from_slice(line) {
            Ok(entry) => said.entries.push(entry),
            Err(_) => said.break_at(index + 1, "the line is not an entry of this log"),
        }
    }
    said
}

impl SentLines {
    fn break_at(&mut self, line: usize, reason: &'static str) {
        self.broken.get_or_insert(Break { line, reason });
    }
}
