//! The one file of the gate that reads the world.
//!
//! Never follows a link, waits for a pipe, reads beyond 64 KiB, or writes.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::inputs::{Facts, FileContent, FileState, Files, Inputs, ReadFailure, Runtime, Source};
use super::places::{self, CHOICE_FILE, Platform, RECEIPT_FILE};
use super::user;
use crate::consent::declaration::Notice;
use crate::settings::Env;

/// The most that is read of a file. People write a few hundred bytes.
const SIZE_LIMIT: u64 = 64 * 1024;

/// Collects everything that a decision depends on.
///
/// `now` is in seconds since 1970.
pub fn collect(facts: Facts, env: Env, runtime: Runtime, now: u64) -> Inputs {
    let files = Places::of(&facts, &env).read();
    Inputs { facts, env, files, runtime, now }
}

/// The paths that the gate reads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    pub(crate) policy: Option<PathBuf>,
    pub(crate) deployment: Option<PathBuf>,
    pub(crate) project: Option<PathBuf>,
    pub(crate) choice: Option<PathBuf>,
    pub(crate) invoker_choice: Option<PathBuf>,
    pub(crate) receipt: Option<PathBuf>,
}

impl Places {
    pub(crate) fn of(facts: &Facts, env: &Env) -> Self {
        let consent = &facts.consent;
        let state = places::state_dir(facts, env, Platform::HERE);
        let invoker = user::sudo_home(env)
            .and_then(|home| places::invoker_state_dir(facts, &home, Platform::HERE))
            .filter(|dir| Some(dir) != state.as_ref());
        let receipt = matches!(consent.notice, Some(Notice::Shown { .. }));
        Self {
            policy: places::policy(facts, env, Platform::HERE),
            deployment: consent.deployment_file.clone(),
            project: consent.project_file.clone(),
            choice: state.as_ref().map(|dir| dir.join(CHOICE_FILE)),
            invoker_choice: invoker.map(|dir| dir.join(CHOICE_FILE)),
            receipt: state.filter(|_| receipt).map(|dir| dir.join(RECEIPT_FILE)),
        }
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Path> {
        [&self.policy, &self.deployment, &self.project, &self.choice, &self.invoker_choice, &self.receipt]
            .into_iter()
            .filter_map(|path| path.as_deref())
    }

    fn read(self) -> Files {
        Files {
            policy: source(self.policy),
            deployment: source(self.deployment),
            project: source(self.project),
            choice: source(self.choice),
            invoker_choice: source(self.invoker_choice),
            receipt: source(self.receipt),
        }
    }
}

fn source(path: Option<PathBuf>) -> Source {
    let state = path.as_deref().map_or(FileState::NotDeclared, read_file);
    Source { path, state }
}

/// Reads a file, or says why not.
pub(crate) fn read_file(path: &Path) -> FileState {
    match try_read(path) {
        Ok(state) => state,
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => FileState::Missing,
            io::ErrorKind::PermissionDenied => FileState::Failed(ReadFailure::NotAllowed),
            _ if is_link(path) => FileState::Failed(ReadFailure::Link),
            _ => FileState::Failed(ReadFailure::Failed),
        },
    }
}

fn try_read(path: &Path) -> io::Result<FileState> {
    let file = open(path)?;
    let metadata = file.metadata()?;
    if metadata.file_type().is_symlink() {
        return Ok(FileState::Failed(ReadFailure::Link));
    }
    if !metadata.is_file() {
        return Ok(FileState::Failed(ReadFailure::NotAFile));
    }
    let mut bytes = Vec::new();
    file.take(SIZE_LIMIT + 1).read_to_end(&mut bytes)?;
    if u64::try_from(bytes.len()).is_ok_and(|length| length > SIZE_LIMIT) {
        return Ok(FileState::Failed(ReadFailure::TooLarge));
    }
    Ok(FileState::Read(judge(bytes, &metadata)))
}

/// Whether the path itself is a link. Where links are not followed, opening one fails in ways of the platform's own.
fn is_link(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.file_type().is_symlink())
}

#[cfg(unix)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    // Without O_NONBLOCK, opening a pipe would wait for a writer.
    OpenOptions::new().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)
}

#[cfg(windows)]
fn open(path: &Path) -> io::Result<File> {
    use std::os::windows::fs::OpenOptionsExt;
    const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;
    OpenOptions::new().read(true).custom_flags(FILE_FLAG_OPEN_REPARSE_POINT).open(path)
}

#[cfg(not(any(unix, windows)))]
fn open(path: &Path) -> io::Result<File> {
    if is_link(path) {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    OpenOptions::new().read(true).open(path)
}

#[cfg(unix)]
fn judge(bytes: Vec<u8>, metadata: &Metadata) -> FileContent {
    use std::os::unix::fs::MetadataExt;
    let owner = metadata.uid();
    FileContent {
        bytes,
        foreign: owner != 0 && user::effective_id() != Some(owner),
        group_writable: metadata.mode() & 0o020 != 0,
        world_writable: metadata.mode() & 0o002 != 0,
    }
}

#[cfg(not(unix))]
fn judge(bytes: Vec<u8>, _: &Metadata) -> FileContent {
    // Access lists are not read; what the directory allows is the platform's business.
    FileContent { bytes, foreign: false, group_writable: false, world_writable: false }
}
