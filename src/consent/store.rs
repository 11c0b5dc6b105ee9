//! Writes the user's choice and the receipt of the notice.
//!
//! Never writes a grant that would not be trusted, and never overwrites a file that it cannot read. A refusal is
//! written wherever possible.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::choice::{Answer, Choice, Receipt};
use super::inputs::{Facts, FileState};
use super::places::{self, CHOICE_FILE, Platform, RECEIPT_FILE};
use super::replace::{Access, replace};
use super::sources::{Directory, read_file};
use super::{origin, user};
use crate::consent::declaration::Notice;
use crate::error::{Error, ErrorKind, Result};
use crate::settings::Env;

/// The state directory of one user.
#[derive(Clone, Debug)]
pub(crate) struct Store {
    dir: PathBuf,
}

impl Store {
    /// Opens the store. Fails if no state directory is known, and under sudo, where its files would belong to root.
    pub(crate) fn open(facts: &Facts, env: &Env) -> Result<Self> {
        if user::sudo_caller(env).is_some() {
            return Err(storage("the choice cannot be stored under sudo: run this as yourself"));
        }
        let dir = places::state_dir(facts, env, Platform::HERE);
        let dir = dir.ok_or_else(|| storage("no state directory is known: set one, or set HOME"))?;
        if !dir.is_absolute() {
            return Err(storage(
                "the state directory cannot be found: its path is relative to a working directory that no longer exists",
            ));
        }
        Ok(Self { dir })
    }

    /// Stores the user's answer durably.
    pub(crate) fn write_choice(&self, answer: Answer, facts: &Facts, now: u64) -> Result<()> {
        let path = self.dir.join(CHOICE_FILE);
        let before = match read_file(&path) {
            FileState::Read(file) => match Choice::parse(&file.bytes) {
                Ok(choice) => Some(choice),
                Err(reason) => return Err(unreadable(&path, reason)),
            },
            FileState::Failed(_) => return Err(unreadable(&path, "cannot be read")),
            FileState::Missing | FileState::NotRead | FileState::NotDeclared => None,
        };
        let choice = next_choice(before.as_ref(), answer, facts, now);
        let written = write(&path, &choice.to_bytes(), answer == Answer::Granted);
        if answer == Answer::Granted || written.is_ok() {
            return written;
        }
        if before.is_some_and(|choice| choice.answer == Answer::Denied) {
            // The earlier refusal still stands.
            return Ok(());
        }
        leave_empty(&path).or(written)
    }

    /// Stores durably that the notice was shown.
    pub(crate) fn write_receipt(&self, facts: &Facts, now: u64) -> Result<()> {
        let Some(Notice::Shown { text }) = &facts.consent.notice else {
            return Err(storage("the application declares no notice for the program to show"));
        };
        let path = self.dir.join(RECEIPT_FILE);
        match read_file(&path) {
            FileState::Failed(_) => return Err(unreadable(&path, "cannot be read")),
            FileState::Read(file) => {
                Receipt::parse(&file.bytes).map_err(|reason| unreadable(&path, reason))?;
            }
            FileState::Missing | FileState::NotRead | FileState::NotDeclared => {}
        }
        let receipt = Receipt::new(facts.consent.notice_version, now, &facts.app_version, text);
        write(&path, &receipt.to_bytes(), true)
    }

    /// Moves a choice that cannot be read to a name that ends in `.corrupt-<seconds>`, and leaves a refusal in its
    /// place, because it may have been one.
    pub(crate) fn set_aside(&self, facts: &Facts, now: u64) -> Result<()> {
        let path = self.dir.join(CHOICE_FILE);
        let can_be_read = match read_file(&path) {
            FileState::Read(file) => Choice::parse(&file.bytes).is_ok(),
            FileState::Missing | FileState::NotRead | FileState::NotDeclared => true,
            FileState::Failed(_) => false,
        };
        if can_be_read {
            return Ok(());
        }
        let aside = self.dir.join(format!("{CHOICE_FILE}.corrupt-{now}"));
        let is_linked = second_name(&path, &aside).map_err(|error| failed(&aside, error))?;
        let refusal = next_choice(None, Answer::Denied, facts, now);
        write(&path, &refusal.to_bytes(), false).inspect_err(|_| {
            let _ = if is_linked { fs::remove_file(&aside) } else { fs::rename(&aside, &path) };
        })
    }
}

/// Returns the choice that follows another one.
fn next_choice(before: Option<&Choice>, answer: Answer, facts: &Facts, now: u64) -> Choice {
    let generation = before.map_or(0, |choice| choice.generation);
    let mut choice = Choice::new(answer, now, generation.saturating_add(1));
    let refusals = before.map_or(0, |choice| choice.refusals);
    choice.refusals = refusals.saturating_add(u64::from(answer == Answer::Denied));
    choice.notice_version = facts.consent.notice_version;
    if answer == Answer::Granted {
        choice.endpoint = facts.endpoint.as_deref().map(origin);
        choice.catalogue.clone_from(&facts.consent.catalogue);
    }
    choice
}

/// Gives a file a second name, so it is never missing before it is replaced: a missing choice is not a refusal. What
/// cannot have two names, such as a directory, is renamed. Returns whether the first name is still there.
fn second_name(path: &Path, aside: &Path) -> io::Result<bool> {
    match fs::hard_link(path, aside) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(error),
        Err(_) => fs::rename(path, aside).map(|()| false),
    }
}

/// Leaves an empty file, which also counts as a refusal, if the disk is full or the directory is not writable.
#[cfg(unix)]
pub(super) fn leave_empty(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600).custom_flags(flags);
    options.open(path)?.sync_all()
}

/// Leaves an empty file, which also counts as a refusal, if the disk is full or the directory is not writable.
#[cfg(not(unix))]
pub(super) fn leave_empty(path: &Path) -> io::Result<()> {
    OpenOptions::new().write(true).create(true).truncate(true).open(path)?.sync_all()
}

fn write(path: &Path, bytes: &[u8], is_yes: bool) -> Result<()> {
    let dir = path.parent().ok_or_else(|| io::ErrorKind::InvalidInput.into());
    let made = dir.and_then(|dir| private_dir(dir, is_yes));
    made.and_then(|()| replace(path, bytes, &Access::Private)).map_err(|error| failed(path, error))
}

/// Durably replaces a file that is not ours alone, and keeps its permissions.
pub(super) fn replace_file(path: &Path, bytes: &[u8]) -> Result<()> {
    let known = fs::symlink_metadata(path).ok().map(|metadata| metadata.permissions());
    replace(path, bytes, &known.map_or(Access::Shared, Access::Known)).map_err(|error| failed(path, error))
}

/// Creates the directory of a private file. Fails for a grant that would not be trusted there, but never for a
/// refusal.
fn private_dir(dir: &Path, is_yes: bool) -> io::Result<()> {
    make_dir(dir)?;
    match Directory::of(dir)?.doubt() {
        Some(doubt) if is_yes => {
            Err(io::Error::other(format!("a grant would not be trusted here, because {doubt}")))
        }
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn make_dir(dir: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)
}

#[cfg(not(unix))]
fn make_dir(dir: &Path) -> io::Result<()> {
    fs::create_dir_all(dir)
}

fn storage(text: &'static str) -> Error {
    Error::new(ErrorKind::Storage, text)
}

fn failed(path: &Path, error: io::Error) -> Error {
    Error::new(ErrorKind::Storage, format!("could not write {}: {error}", path.display())).caused_by(error)
}

fn unreadable(path: &Path, reason: &str) -> Error {
    Error::new(
        ErrorKind::Storage,
        format!(
            "{} {reason}; it was left unchanged, and telemetry is off until it is moved away",
            path.display()
        ),
    )
}
