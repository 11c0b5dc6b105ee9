//! Reads every file that a decision depends on.
//!
//! Never waits for a pipe, never reads more than 64 KiB of a file, and never writes. Links are followed only to the
//! policy and the deployment's file, and a grant that was read through one is not trusted.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::inputs::{
    Facts, FileContent, FileState, Files, Inputs, LINKED_DIRECTORY, OPEN_DIRECTORY, ReadFailure, Runtime,
    Source,
};
use super::places::{self, CHOICE_FILE, Platform, RECEIPT_FILE};
use super::user;
use crate::consent::declaration::Notice;
use crate::settings::Env;

/// The maximum size of a file. People write a few hundred bytes.
const SIZE_LIMIT: u64 = 64 * 1024;

/// Collects everything that a decision depends on, and reads each file of the gate once.
///
/// `now` is in seconds since 1970.
pub fn collect(facts: Facts, env: Env, runtime: Runtime, now: u64) -> Inputs {
    let files = Places::of(&facts, &env).read();
    Inputs { facts, env, files, runtime, now }
}

/// The paths of the files that the gate reads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    pub(crate) policy: Option<PathBuf>,
    pub(crate) deployment: Option<PathBuf>,
    pub(crate) project: Option<PathBuf>,
    pub(crate) choice: Option<PathBuf>,
    pub(crate) invoker_choice: Option<PathBuf>,
    /// Whether the process was called through sudo by a user whose home directory is not known.
    invoker_is_homeless: bool,
    pub(crate) receipt: Option<PathBuf>,
}

impl Places {
    pub(crate) fn of(facts: &Facts, env: &Env) -> Self {
        let consent = &facts.consent;
        let state = places::state_dir(facts, env, Platform::HERE);
        let home = user::sudo_home(env);
        let invoker_is_homeless =
            home.is_none() && consent.state_dir.is_none() && user::sudo_caller(env).is_some();
        let invoker = home
            .and_then(|home| places::invoker_state_dir(facts, &home, Platform::HERE))
            .filter(|dir| Some(dir) != state.as_ref());
        let receipt = matches!(consent.notice, Some(Notice::Shown { .. }));
        Self {
            policy: places::policy(facts, env, Platform::HERE),
            deployment: consent.deployment_file.clone(),
            project: consent.project_file.clone(),
            choice: state.as_ref().map(|dir| dir.join(CHOICE_FILE)),
            invoker_choice: invoker.map(|dir| dir.join(CHOICE_FILE)),
            invoker_is_homeless,
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
            policy: source(self.policy, Links::Followed),
            deployment: source(self.deployment, Links::Followed),
            project: source(self.project, Links::Refused),
            choice: source(self.choice, Links::Refused),
            invoker_choice: if self.invoker_is_homeless {
                Source { path: None, state: FileState::Failed(ReadFailure::NoHome) }
            } else {
                source(self.invoker_choice, Links::Refused)
            },
            receipt: source(self.receipt, Links::Refused),
        }
    }
}

/// Whether a file may be reached through symbolic links, as files mounted into containers are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Links {
    Refused,
    Followed,
}

fn source(path: Option<PathBuf>, links: Links) -> Source {
    // An empty path declares that there is no such file.
    let path = path.filter(|path| !path.as_os_str().is_empty());
    let state = path.as_deref().map_or(FileState::NotDeclared, |path| read_by(path, links));
    Source { path, state }
}

/// Reads a file that must not be a link, or returns why it could not be read.
pub(crate) fn read_file(path: &Path) -> FileState {
    read_by(path, Links::Refused)
}

fn read_by(path: &Path, links: Links) -> FileState {
    if !path.is_absolute() {
        return FileState::Failed(ReadFailure::NoPath);
    }
    match try_read(path, links) {
        Ok(state) => state,
        Err(error) => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory if ends_at_a_broken_link(path) => {
                FileState::Failed(ReadFailure::BrokenLink)
            }
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => FileState::Missing,
            io::ErrorKind::PermissionDenied => FileState::Failed(ReadFailure::NotAllowed),
            _ if links == Links::Refused && is_link(path) => FileState::Failed(ReadFailure::Link),
            _ => FileState::Failed(ReadFailure::Failed),
        },
    }
}

fn try_read(path: &Path, links: Links) -> io::Result<FileState> {
    let linked = links == Links::Followed && is_link(path);
    // Opening a device can have side effects, so the target of a link is checked first.
    if linked && !path.metadata()?.is_file() {
        return Ok(FileState::Failed(ReadFailure::NotAFile));
    }
    let file = open(path, links)?;
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
    let directory = path.parent().map(Directory::of).transpose()?.unwrap_or_default();
    Ok(FileState::Read(FileContent {
        bytes,
        linked,
        directory_linked: directory.linked,
        directory_world_writable: directory.world_writable,
        ..permissions(&metadata)
    }))
}

/// What matters about a file's directory.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Directory {
    linked: bool,
    world_writable: bool,
}

impl Directory {
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let metadata = path.metadata()?;
        Ok(Self { linked: is_link(path), world_writable: permissions(&metadata).world_writable })
    }

    /// Returns why a grant in this directory is neither trusted nor written.
    pub(super) fn doubt(self) -> Option<&'static str> {
        let linked = self.linked.then_some(LINKED_DIRECTORY);
        linked.or(self.doubt_of_project())
    }

    /// Like [`doubt`](Self::doubt), but for a project's file: its directory may be a link, because people link to
    /// their work.
    pub(super) fn doubt_of_project(self) -> Option<&'static str> {
        self.world_writable.then_some(OPEN_DIRECTORY)
    }
}

/// Returns whether the path to a missing file ends at a broken link: the target may come back, with a denial in it.
fn ends_at_a_broken_link(path: &Path) -> bool {
    let last = path.ancestors().find(|path| path.symlink_metadata().is_ok());
    last.is_some_and(|last| is_link(last) && !last.is_dir())
}

/// Returns whether the path itself is a link. Where links are not followed, opening one fails differently on each
/// platform.
fn is_link(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.file_type().is_symlink())
}

#[cfg(unix)]
fn open(path: &Path, links: Links) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let no_follow = if links == Links::Refused { libc::O_NOFOLLOW } else { 0 };
    // Without O_NONBLOCK, opening a pipe would wait for a writer.
    OpenOptions::new().read(true).custom_flags(no_follow | libc::O_NONBLOCK).open(path)
}

#[cfg(windows)]
fn open(path: &Path, links: Links) -> io::Result<File> {
    use std::os::windows::fs::OpenOptionsExt;
    const FILE_FLAG_OPEN_REPARSE_POINT: u32 = 0x0020_0000;
    let no_follow = if links == Links::Refused { FILE_FLAG_OPEN_REPARSE_POINT } else { 0 };
    OpenOptions::new().read(true).custom_flags(no_follow).open(path)
}

#[cfg(not(any(unix, windows)))]
fn open(path: &Path, links: Links) -> io::Result<File> {
    if links == Links::Refused && is_link(path) {
        return Err(io::Error::from(io::ErrorKind::InvalidInput));
    }
    OpenOptions::new().read(true).open(path)
}

/// Returns who can write to the file, without its content.
#[cfg(unix)]
fn permissions(metadata: &Metadata) -> FileContent {
    use std::os::unix::fs::MetadataExt;
    let owner = metadata.uid();
    FileContent {
        foreign: owner != 0 && user::effective_id() != Some(owner),
        group_writable: metadata.mode() & 0o020 != 0,
        world_writable: metadata.mode() & 0o002 != 0,
        ..FileContent::default()
    }
}

/// Returns who can write to the file, without its content. Access control lists are not read.
#[cfg(not(unix))]
fn permissions(_: &Metadata) -> FileContent {
    FileContent::default()
}
