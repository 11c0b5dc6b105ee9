//! Removes the events on disk: directories are first renamed, so no process finds them any more, and then removed.

use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::disk;
use super::name::{Entry, FileName};

/// The prefix of a directory that was renamed to be removed.
const GONE: &str = ".gone-";

/// How often a directory is emptied, in case a process that is still writing adds another file.
const ROUNDS: u32 = 8;

/// Renamed directories, which no process finds any more, but which still have to be removed.
#[must_use = "the files are still there until they are removed"]
#[derive(Debug, Default)]
pub(crate) struct Purged {
    dirs: Vec<PathBuf>,
    spool: PathBuf,
}

/// Renames all buckets, each with one system call. From then on the writes of every process fail.
///
/// A missing spool is not an error, and neither is a link in its place, which is not followed.
pub(crate) fn purge_all(spool: &Path) -> io::Result<Purged> {
    let mut purged = Purged { dirs: Vec::new(), spool: spool.to_owned() };
    match disk::check_dir(spool) {
        Err(error) if is_absent(&error) => return Ok(purged),
        checked => checked?,
    }
    let mut failed = Ok(());
    for entry in fs::read_dir(spool)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.starts_with(GONE) {
            purged.dirs.push(path);
        } else if is_bucket(name) {
            match rename_away(&path) {
                Ok(gone) => purged.dirs.extend(gone),
                Err(error) => failed = Err(error),
            }
        }
    }
    failed.map(|()| purged)
}

/// Renames one bucket, so the writes of every process to it fail.
pub(crate) fn purge_bucket(dir: &Path) -> io::Result<Purged> {
    let spool = dir.parent().unwrap_or(dir).to_owned();
    Ok(Purged { dirs: rename_away(dir)?.into_iter().collect(), spool })
}

impl Purged {
    /// Removes the directories and their files, and the spool's own directory if it is empty.
    pub(crate) fn remove(self) -> io::Result<()> {
        let removed = self.dirs.iter().map(|dir| remove_dir(dir));
        // Tries all, even if one fails.
        let removed = removed.fold(Ok(()), Result::and);
        // Fails, as it should, while there is another bucket in it.
        let _ = fs::remove_dir(&self.spool);
        removed
    }
}

/// Removes files that are too old from the other buckets, which belong to other endpoints, accounts or grants, and
/// which may never be sent from again. Returns the removed files.
pub(crate) fn sweep_others(own: &Path, age: u64, now: u64) -> Vec<FileName> {
    let (Some(spool), mut removed) = (own.parent(), Vec::new()) else { return Vec::new() };
    for entry in fs::read_dir(spool).into_iter().flatten().filter_map(Result::ok) {
        let dir = entry.path();
        if dir == own || !is_bucket_name(&entry.file_name()) || disk::check_dir(&dir).is_err() {
            continue;
        }
        let names = fs::read_dir(&dir).into_iter().flatten().filter_map(Result::ok);
        let names: Vec<String> = names.filter_map(|entry| entry.file_name().into_string().ok()).collect();
        let events: Vec<FileName> = names.iter().filter_map(|name| name.parse().ok()).collect();
        let is_old = |name: &FileName| now.saturating_sub(name.created) > age;
        for name in events.iter().filter(|name| is_old(name)) {
            if fs::remove_file(dir.join(name.to_string())).is_ok() {
                removed.push(*name);
            }
        }
        let is_over = |name: &String| made_at(name).is_some_and(|at| now.saturating_sub(at) > age);
        let rest: Vec<&String> =
            names.iter().filter(|name| !matches!(name.as_str(), ".lock" | ".waited")).collect();
        // An empty bucket may belong to a process that has just started.
        if !rest.is_empty() && rest.iter().all(|name| is_over(name)) {
            let _ = purge_bucket(&dir).and_then(Purged::remove);
        }
    }
    removed
}

/// Returns when a file was created, if its name contains that.
fn made_at(name: &str) -> Option<u64> {
    match Entry::of(name) {
        Entry::Events(name) => Some(name.created),
        Entry::Temporary(at) | Entry::Bad(at) => Some(at),
        Entry::Open | Entry::Other => None,
    }
}

/// Renames a directory so that it is no longer a bucket; `None` if it is already gone. A link is not followed.
fn rename_away(dir: &Path) -> io::Result<Option<PathBuf>> {
    let gone = dir.with_file_name(format!("{GONE}{}", Uuid::new_v4().simple()));
    match fs::rename(dir, &gone) {
        Err(error) if is_absent(&error) => Ok(None),
        renamed => renamed.map(|()| Some(gone)),
    }
}

fn remove_dir(dir: &Path) -> io::Result<()> {
    if !dir.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return match fs::remove_file(dir) {
            Err(error) if !is_absent(&error) => Err(error),
            _ => Ok(()),
        };
    }
    let mut last = Ok(());
    for _ in 0..ROUNDS {
        last = match fs::remove_dir_all(dir) {
            Err(error) if is_absent(&error) => return Ok(()),
            removed => removed,
        };
        if last.is_ok() {
            break;
        }
    }
    last
}

/// Returns whether a directory of this name is a bucket.
pub(super) fn is_bucket_name(name: &OsStr) -> bool {
    name.to_str().is_some_and(is_bucket)
}

fn is_bucket(name: &str) -> bool {
    name.len() == 16 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests {
    use super::super::bucket::Bucket;
    use super::super::file::{Events, Provenance};
    use super::super::scratch::Scratch;
    use super::*;

    fn bucket(spool: &Path, name: &str) -> Bucket {
        let bucket = Bucket::create(spool, name, Provenance::default()).unwrap();
        bucket.write(&one(), 1).unwrap();
        bucket
    }

    fn one() -> Events {
        let mut events = Events::default();
        events.push(Uuid::nil(), b"{}");
        events
    }

    #[test]
    fn a_purge_ends_all_writing_before_it_removes_files() {
        let scratch = Scratch::new();
        let spool = scratch.path().join("spool");
        let buckets = [bucket(&spool, "0123456789abcdef"), bucket(&spool, "fedcba9876543210")];
        let purged = purge_all(&spool).unwrap();
        for bucket in &buckets {
            assert_eq!(bucket.write(&one(), 2).unwrap_err().kind(), io::ErrorKind::NotFound);
            assert!(bucket.list().is_err() && bucket.lock().is_err());
        }
        purged.remove().unwrap();
        assert!(!spool.exists());
        purge_all(&spool).unwrap().remove().unwrap();
    }

    #[test]
    fn the_next_purge_finishes_an_interrupted_one() {
        let scratch = Scratch::new();
        let spool = scratch.path().join("spool");
        bucket(&spool, "0123456789abcdef");
        drop(purge_all(&spool).unwrap());
        assert_eq!(fs::read_dir(&spool).unwrap().count(), 1);
        purge_all(&spool).unwrap().remove().unwrap();
        assert!(!spool.exists());
    }

    #[test]
    fn old_files_in_other_buckets_are_removed() {
        let scratch = Scratch::new();
        let spool = scratch.path().join("spool");
        let (own, other) = (bucket(&spool, "0123456789abcdef"), bucket(&spool, "fedcba9876543210"));
        let young = other.write(&one(), 5_000).unwrap();
        assert_eq!(sweep_others(own.dir(), 1_000, 5_500).len(), 1);
        assert_eq!(other.list().unwrap().events, [young]);
        assert_eq!(sweep_others(own.dir(), 1_000, 9_000), [young]);
        assert!(!other.dir().exists());
        assert_eq!(own.list().unwrap().events.len(), 1, "its own bucket is left to its own plan");
    }

    #[test]
    fn purging_one_bucket_keeps_the_others() {
        let scratch = Scratch::new();
        let spool = scratch.path().join("spool");
        let (gone, stays) = (bucket(&spool, "0123456789abcdef"), bucket(&spool, "fedcba9876543210"));
        purge_bucket(gone.dir()).unwrap().remove().unwrap();
        assert!(!gone.dir().exists());
        assert_eq!(stays.list().unwrap().events.len(), 1);
    }

    #[cfg(unix)]
    #[test]
    fn a_purge_follows_no_link_and_leaves_foreign_files_alone() {
        let scratch = Scratch::new();
        let elsewhere = scratch.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        fs::write(elsewhere.join("kept"), "").unwrap();
        let spool = scratch.path().join("spool");
        bucket(&spool, "fedcba9876543210");
        std::os::unix::fs::symlink(&elsewhere, spool.join("0123456789abcdef")).unwrap();
        fs::write(spool.join("notes.txt"), "").unwrap();
        purge_all(&spool).unwrap().remove().unwrap();
        assert!(elsewhere.join("kept").exists());
        let left: Vec<_> = fs::read_dir(&spool).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["notes.txt"]);
        let linked = scratch.path().join("linked");
        std::os::unix::fs::symlink(&elsewhere, &linked).unwrap();
        purge_all(&linked).unwrap().remove().unwrap();
        assert!(elsewhere.join("kept").exists());
    }
}
