//! Directories and files that only their owner can access. Never follows a link.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::Path;

/// Creates a directory that only its owner can access. An existing one is accepted if it is not a link.
pub(super) fn create_dir(dir: &Path) -> io::Result<()> {
    match make_dir(dir, false) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        _ => check_dir(dir),
    }
}

/// Creates a directory and its parents.
pub(super) fn create_dir_all(dir: &Path) -> io::Result<()> {
    make_dir(dir, true)?;
    check_dir(dir)
}

/// Fails if this is not a directory; a link in its place could lead to one that others can access.
pub(super) fn check_dir(dir: &Path) -> io::Result<()> {
    if dir.symlink_metadata()?.is_dir() { Ok(()) } else { Err(io::ErrorKind::NotADirectory.into()) }
}

/// Creates a file, which must not exist.
pub(super) fn create(path: &Path) -> io::Result<File> {
    options().write(true).create_new(true).open(path)
}

/// Opens a file, and creates it if it does not exist.
pub(super) fn open_or_create(path: &Path) -> io::Result<File> {
    options().write(true).create(true).truncate(false).open(path)
}

/// Opens a file for reading and locking.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let file = options().read(true).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(io::ErrorKind::InvalidInput.into()) }
}

/// Reads a file, and fails if it is larger than `max` bytes.
pub(super) fn read(file: &File, max: u64) -> io::Result<Vec<u8>> {
    let len = file.metadata()?.len();
    if len > max {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    let mut bytes = Vec::with_capacity(usize::try_from(len).unwrap_or(0));
    file.take(max).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes a new file under a temporary name and then renames it, so it is never seen half-written.
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
    // A pipe in place of a file must not block.
    options.mode(0o600).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
    options
}

#[cfg(not(unix))]
fn options() -> OpenOptions {
    OpenOptions::new()
}
