//! Appends to the log while consent is granted, in turn with other processes.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::line::{self, Beginning, Body, Entry, SEAL_BYTES};
use super::{MAX_BYTES, MAX_LINE};

/// How long a request waits for other processes to finish their lines. After a timeout, the next requests do not
/// wait.
const PATIENCE: Duration = Duration::from_millis(500);

/// The pause between two attempts to lock the log.
const PAUSE: Duration = Duration::from_millis(1);

/// Writes the log. Each client has one.
#[derive(Debug)]
pub(crate) struct SentLog {
    path: PathBuf,
    endpoint: String,
    protocol: &'static str,
    /// The API key, and the text shown in its place.
    hide: Option<(String, String)>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The number of answered requests that could not be logged and that no line has recorded yet.
    missed: u64,
    /// Whether the last attempt failed, so the log is known to be incomplete and that was logged.
    has_failed: bool,
}

/// A request that was answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SentRequest<'a> {
    /// When the response arrived, in RFC 3339.
    pub(crate) at: &'a str,
    pub(crate) events: u64,
    pub(crate) status: u16,
    /// The body before compression.
    pub(crate) body: &'a [u8],
}

impl SentLog {
    /// Creates the writer. No file is opened before the first line.
    pub(crate) fn new(
        path: PathBuf,
        endpoint: String,
        protocol: &'static str,
        hide: Option<(String, String)>,
    ) -> Self {
        Self { path, endpoint, protocol, hide, state: Mutex::default() }
    }

    /// Appends a line. `is_granted` is called while the log is locked, immediately before the line is written.
    ///
    /// Failing to write a line does not fail the request: the next line counts it in `missed`.
    pub(crate) fn append(&self, request: &SentRequest<'_>, is_granted: impl Fn() -> bool) {
        let mut state = self.state.lock();
        let patience = if state.has_failed { Duration::ZERO } else { PATIENCE };
        let entry = Entry { missed: state.missed, ..self.entry(request) };
        match append(&self.path, entry, Instant::now() + patience, is_granted) {
            Ok(true) => *state = State::default(),
            Ok(false) => {}
            Err(error) => {
                if !state.has_failed {
                    log::debug!(target: "candor", "could not write the log of sent requests: {error}");
                }
                *state = State { missed: state.missed + 1, has_failed: true };
            }
        }
    }

    fn entry(&self, request: &SentRequest<'_>) -> Entry {
        let (mut body, mut api_key_shown_as) = (Body::new(request.body), None);
        if let (Body::Text(text), Some((secret, shown))) = (&mut body, &self.hide)
            && !secret.is_empty()
            && text.contains(secret)
        {
            *text = text.replace(secret, shown);
            api_key_shown_as = Some(shown.clone());
        }
        Entry {
            at: request.at.to_owned(),
            endpoint: self.endpoint.clone(),
            protocol: self.protocol.to_owned(),
            events: request.events,
            status: request.status,
            bytes: request.body.len() as u64,
            missed: 0,
            api_key_shown_as,
            body,
        }
    }
}

/// Appends an entry. Returns whether it was written, which is `false` once consent has ended.
fn append(path: &Path, mut entry: Entry, until: Instant, is_granted: impl Fn() -> bool) -> io::Result<bool> {
    if !is_granted() {
        return Ok(false);
    }
    let mut file = lock(path, until)?;
    if !is_granted() {
        return Ok(false);
    }
    let mut length = file.metadata()?.len();
    if length > 0 && !ends_with_line(&mut file, length)? {
        // Its writer was killed, or the disk was full.
        entry.missed += 1;
        length = cut_unfinished(&mut file)?;
    }
    let mut text = Vec::new();
    if length == 0 {
        text = Beginning::new(&entry.at, 0, "").to_line();
    }
    let before = if length == 0 { String::new() } else { last_digest(&mut file, length)? };
    let mut line = line::seal(&before, &entry);
    if line.len() > MAX_LINE {
        let body = entry.body.bytes().unwrap_or_default();
        entry.body = Body::Digest(line::digest(&body));
        line = line::seal(&before, &entry);
    }
    text.append(&mut line);
    if length.saturating_add(text.len() as u64) > MAX_BYTES as u64 {
        return replace(path, &mut file, &entry.at, &text).map(|()| true);
    }
    if let Err(error) = file.write_all(&text) {
        file.set_len(length)?;
        return Err(error);
    }
    Ok(true)
}

/// Opens and locks the log, or creates it.
fn lock(path: &Path, until: Instant) -> io::Result<File> {
    loop {
        let file = open(path)?;
        match file.try_lock() {
            // Another process may have replaced or deleted it in the meantime.
            Ok(()) if is_still_there(&file, path) => return Ok(file),
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => thread::sleep(PAUSE),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        if Instant::now() >= until {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "another process holds its lock"));
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    private(&mut options);
    let file = match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make_dir(path.parent().ok_or(io::ErrorKind::InvalidInput)?)?;
            options.open(path)?
        }
        other => other?,
    };
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let dir = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    if dir.symlink_metadata()?.file_type().is_symlink() {
        return Err(io::Error::other("its directory is a symbolic link"));
    }
    Ok(file)
}

/// Makes the file private to the user, and keeps it from being opened through a link or as a pipe.
#[cfg(unix)]
fn private(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
}

#[cfg(not(unix))]
fn private(_: &mut OpenOptions) {}

fn make_dir(dir: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(dir)
}

#[cfg(unix)]
fn is_still_there(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(ours), Ok(theirs)) = (file.metadata(), fs::symlink_metadata(path)) else { return false };
    (ours.dev(), ours.ino()) == (theirs.dev(), theirs.ino())
}

/// On other platforms an open file is neither replaced nor deleted.
#[cfg(not(unix))]
fn is_still_there(_: &File, path: &Path) -> bool {
    path.exists()
}

fn ends_with_line(file: &mut File, length: u64) -> io::Result<bool> {
    file.seek(SeekFrom::Start(length - 1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Removes everything after the last complete line, or the whole text if only the beginning is complete. Returns
/// the remaining length.
fn cut_unfinished(file: &mut File) -> io::Result<u64> {
    let text = read_all(file)?;
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(&[][..], |at| &text[..=at]);
    let is_begun = whole.iter().position(|byte| *byte == b'\n').is_some_and(|first| first + 1 < whole.len());
    let length = if is_begun { whole.len() as u64 } else { 0 };
    file.set_len(length)?;
    Ok(length)
}

/// Returns the digest that the next line continues from. Empty if the last line has none, which a reader then
/// detects.
fn last_digest(file: &mut File, length: u64) -> io::Result<String> {
    file.seek(SeekFrom::Start(length.saturating_sub(SEAL_BYTES as u64)))?;
    let mut tail = Vec::new();
    file.take(SEAL_BYTES as u64).read_to_end(&mut tail)?;
    let digest = tail.strip_suffix(b"\n").and_then(line::unseal);
    Ok(digest.map(|(_, digest)| digest.to_owned()).unwrap_or_default())
}

fn read_all(file: &mut File) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(0))?;
    let mut text = Vec::new();
    file.take(2 * MAX_BYTES as u64).read_to_end(&mut text)?;
    Ok(text)
}

/// Replaces the log with its newer half and the new line.
fn replace(path: &Path, file: &mut File, now: &str, line: &[u8]) -> io::Result<()> {
    let text = read_all(file)?;
    let halved = halve(&text, now);
    let beside = path.with_extension(format!("jsonl.{}.tmp", uuid::Uuid::new_v4().simple()));
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    private(&mut options);
    let written = options.open(&beside).and_then(|mut new| {
        new.write_all(&halved)?;
        new.write_all(line)
    });
    written.and_then(|()| fs::rename(&beside, path)).inspect_err(|_| {
        // Removes only what was created here.
        let _ = fs::remove_file(&beside);
    })
}

/// Returns the newer half of a log after a new beginning that says what was removed.
fn halve(text: &[u8], now: &str) -> Vec<u8> {
    let mut lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    let known = lines.first().and_then(|line| Beginning::parse(line.strip_suffix(b"\n")?));
    if known.is_some() {
        lines.remove(0);
    }
    let mut kept = 0;
    let newer = lines.iter().rev().take_while(|line| {
        kept += line.len();
        kept <= MAX_BYTES / 2
    });
    let cut = lines.len() - newer.count();
    let (older, newer) = lines.split_at(cut);
    let (removed, after) = known.map_or((0, String::new()), |known| (known.removed, known.after));
    let after = match older.last() {
        Some(line) => line.strip_suffix(b"\n").and_then(line::unseal).map_or("", |(_, digest)| digest),
        None => &after,
    };
    let mut halved = Beginning::new(now, removed + older.len() as u64, after).to_line();
    halved.extend(newer.iter().flat_map(|line| line.iter()));
    halved
}
