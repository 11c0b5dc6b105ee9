//! Replaces a file atomically and durably: the new content is written beside it, synced and renamed into place.
//!
//! Removes only files that this call created, and those that a crash left behind more than a day ago.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use uuid::Uuid;

/// How many random names are tried. None is taken by accident, only on purpose.
const ATTEMPTS: usize = 16;

/// The age at which a temporary file belongs to a crash, and not to a writer that is still running.
const STALE: Duration = Duration::from_secs(24 * 60 * 60);

/// Who may read the file afterwards.
pub(super) enum Access {
    /// Only its owner.
    Private,
    /// Everybody whom the process's umask allows.
    Shared,
    /// The same as before.
    Known(fs::Permissions),
}

/// Replaces the file at `path`. Its directory must exist.
///
/// The temporary name is random, because process ids repeat in containers that share a volume.
pub(super) fn replace(path: &Path, bytes: &[u8], access: &Access) -> io::Result<()> {
    replace_by(path, bytes, access, Uuid::new_v4)
}

fn replace_by(path: &Path, bytes: &[u8], access: &Access, draw: impl FnMut() -> Uuid) -> io::Result<()> {
    let dir = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let dir = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    let (mut file, created) = create_beside(path, access, draw)?;
    if let Access::Known(permissions) = access {
        file.set_permissions(permissions.clone())?;
    }
    file.write_all(bytes)?;
    file.sync_all()?;
    let written_at = file.metadata()?.modified();
    created.rename_to(path)?;
    if let Ok(now) = written_at {
        sweep(dir, path, now);
    }
    sync_dir(dir)
}

/// A file that this call created, and removes unless it is renamed.
struct Created {
    path: PathBuf,
    is_renamed: bool,
}

impl Created {
    fn rename_to(mut self, path: &Path) -> io::Result<()> {
        fs::rename(&self.path, path)?;
        self.is_renamed = true;
        Ok(())
    }
}

impl Drop for Created {
    fn drop(&mut self) {
        if !self.is_renamed {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn create_beside(
    path: &Path,
    access: &Access,
    mut draw: impl FnMut() -> Uuid,
) -> io::Result<(File, Created)> {
    let mut attempt = 1;
    loop {
        let beside = path.with_file_name(temporary_name(path, draw()));
        match create(&beside, access) {
            Ok(file) => return Ok((file, Created { path: beside, is_renamed: false })),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && attempt < ATTEMPTS => attempt += 1,
            Err(error) => return Err(error),
        }
    }
}

fn temporary_name(path: &Path, id: Uuid) -> OsString {
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", id.simple()));
    name
}

/// Returns whether [`temporary_name`] could have returned this name for this path.
fn is_temporary_name(name: &OsStr, path: &Path) -> bool {
    let id = name
        .to_str()
        .zip(path.file_stem().and_then(OsStr::to_str))
        .and_then(|(name, stem)| name.strip_prefix(stem)?.strip_prefix('.')?.strip_suffix(".tmp"));
    id.is_some_and(|id| id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Removes what crashes have left beside `path`. `now` is the time of the file just written, from the same clock.
fn sweep(dir: &Path, path: &Path, now: SystemTime) {
    let Ok(entries) = fs::read_dir(dir) else { return };
    for entry in entries.flatten().filter(|entry| is_temporary_name(&entry.file_name(), path)) {
        let Ok(metadata) = entry.path().symlink_metadata() else { continue };
        let age = metadata.modified().ok().and_then(|modified| now.duration_since(modified).ok());
        if metadata.is_file() && age.is_some_and(|age| age >= STALE) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

#[cfg(unix)]
fn create(path: &Path, access: &Access) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    let mode = if matches!(access, Access::Shared) { 0o666 } else { 0o600 };
    OpenOptions::new().write(true).create_new(true).mode(mode).open(path)
}

#[cfg(not(unix))]
fn create(path: &Path, _: &Access) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

/// Makes the rename durable, on file systems that can sync a directory.
#[cfg(unix)]
fn sync_dir(dir: &Path) -> io::Result<()> {
    match File::open(dir)?.sync_all() {
        Err(error) if matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::Unsupported) => {
            Ok(())
        }
        result => result,
    }
}

#[cfg(not(unix))]
fn sync_dir(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::time::{Duration, SystemTime};

    use uuid::Uuid;

    use super::super::tests::Scratch;
    use super::{ATTEMPTS, Access, STALE, is_temporary_name, replace, replace_by, temporary_name};

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_name_that_is_taken_is_skipped_and_left_alone() {
        let scratch = Scratch::new();
        let path = scratch.path().join("choice.json");
        let mut number = 0;
        let mut draw = || {
            number += 1;
            Uuid::from_u128(number)
        };
        for _ in 0..ATTEMPTS - 1 {
            fs::write(scratch.path().join(temporary_name(&path, draw())), "another's").unwrap();
        }
        let taken = names(scratch.path());
        number = 0;
        let mut draw = || {
            number += 1;
            Uuid::from_u128(number)
        };
        replace_by(&path, b"no", &Access::Private, &mut draw).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "no");
        for name in &taken {
            assert_eq!(fs::read_to_string(scratch.path().join(name)).unwrap(), "another's");
        }
        assert_eq!(names(scratch.path()).len(), taken.len() + 1);
        let always = || Uuid::from_u128(1);
        let error = replace_by(&path, b"yes", &Access::Private, always).unwrap_err();
        assert_eq!(error.kind(), std::io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read_to_string(&path).unwrap(), "no");
        assert_eq!(names(scratch.path()).len(), taken.len() + 1, "only what was created is removed");
    }

    #[test]
    fn a_failure_removes_the_temporary_file() {
        let scratch = Scratch::new();
        let path = scratch.path().join("choice.json");
        // A file cannot replace a directory.
        fs::create_dir_all(path.join("full")).unwrap();
        assert!(replace(&path, b"no", &Access::Private).is_err());
        assert_eq!(names(scratch.path()), ["choice.json"]);
    }

    #[test]
    fn only_old_temporary_files_are_swept() {
        let scratch = Scratch::new();
        let path = scratch.path().join("choice.json");
        let left = |name: &str, age: Duration| {
            let file = fs::File::create(scratch.path().join(name)).unwrap();
            file.set_modified(SystemTime::now() - age).unwrap();
        };
        let id = |number| temporary_name(&path, Uuid::from_u128(number)).into_string().unwrap();
        left(&id(1), STALE * 2);
        left(&id(2), STALE / 2);
        left("choice.1-0.tmp", STALE * 2);
        left("another.00000000000000000000000000000001.tmp", STALE * 2);
        replace(&path, b"no", &Access::Private).unwrap();
        assert_eq!(
            names(scratch.path()),
            [
                "another.00000000000000000000000000000001.tmp".to_owned(),
                id(2),
                "choice.1-0.tmp".to_owned(),
                "choice.json".to_owned(),
            ]
        );
        assert!(!is_temporary_name(id(1).as_ref(), Path::new("/elsewhere/chosen.json")));
    }
}
