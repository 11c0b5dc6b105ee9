//! Directories and files that are ours alone: made with tight permissions, and never reached through a link.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

/// Creates a directory that only its owner may enter. One that is there already is taken if it is no link.
pub(super) fn create_dir(dir: &Path) -> io::Result<()> {
    match make_dir(dir, false) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => check_dir(dir),
    }
}

/// Creates a directory with all that is above it.
pub(super) fn create_dir_all(dir: &Path) -> io::Result<()> {
    make_dir(dir, true)?;
    check_dir(dir)
}

/// Fails if this is not a directory: a link in its place may lead where others read and write.
pub(super) fn check_dir(dir: &Path) -> io::Result<()> {
    if dir.symlink_metadata()?.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

/// Creates a file under a name that must be free.
pub(super) fn create(path: &Path) -> io::Result<File> {
    options().write(true).create_new(true).open(path)
}

/// Creates a file, or opens the one that is there.
pub(super) fn open_or_create(path: &Path) -> io::Result<File> {
    options().write(true).create(true).truncate(false).open(path)
}

/// Opens a file to be read and locked.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let file = options().read(true).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

/// Reads a file of at most this many bytes.
pub(super) fn read(file: &File, max: u64) -> io::Result<Vec<u8>> {
    let len = file.metadata()?.len();
    if len > max {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(0));
    file.take(max).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes a new file: under a temporary name first, so that nobody ever sees half of it.
pub(super) fn write(temporary: &Path, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = create(temporary)?;
    let written = file.write_all(bytes).and_then(|()| fs::rename(temporary, path));
    if written.is_err() {
        let _ = fs::remove_file(temporary);
    }
    written
}

#[cfg(unix)]
fn make_dir(dir: &Path, recursive: bool) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(recursive).mode(0o700).create(dir)
}

#[cfg(not(unix))]
fn make_dir(dir: &Path, recursive: bool) -> io::Result<()> {
    fs::DirBuilder::new().recursive(recursive).create(dir)
}

#[cfg(unix)]
fn options() -> OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    let mut options = OpenOptions::new();
    // A pipe in the place of a file must not hold anybody up.
    options.mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options
}

#[cfg(not(unix))]
fn options() -> OpenOptions {
    OpenOptions::new()
}
