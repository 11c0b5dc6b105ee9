//! A bucket: one directory of the spool, in which files are written, listed, locked, read and removed.

use std::fs::{self, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use super::disk;
use super::file::{Contents, Damage, Events, Provenance};
use super::locked::{self, LockedFile};
use super::name::{self, FileName};
use super::plan::Listing;

/// The maximum size of a file's header, in bytes.
const HEADER_ROOM: u64 = 4096;

/// The maximum size of a file left open by a process that ended: twice the largest that is ever written.
const MAX_OPEN: u64 = 64 * 1024 * 1024;

/// The directory of the events for one endpoint and account, under one grant.
#[derive(Debug)]
pub(crate) struct Bucket {
    dir: PathBuf,
    provenance: Provenance,
    /// The time in the latest file name, which keeps the names of one process in order.
    last: AtomicU64,
}

/// The result of trying to become the process that sends.
#[derive(Debug)]
pub(crate) enum Lock {
    /// This process may send until the file is dropped.
    Held(LockedFile),
    /// Another process sends.
    Busy,
    /// The file system has no locks, so no process sends from this bucket.
    Unsupported,
}

/// Why a file cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unreadable {
    /// Another process has taken it.
    Missing,
    /// Its contents are damaged, or it cannot be read.
    Broken,
    /// It was written by a later version, which will read it.
    LaterVersion,
}

impl Bucket {
    /// Creates a bucket under the spool's directory. Called only once consent is granted. Nothing else creates the
    /// directory, so a purge by another process ends all writing.
    pub(crate) fn create(spool: &Path, name: &str, provenance: Provenance) -> io::Result<Self> {
        locked::close_inherited();
        if let Some(state) = spool.parent() {
            disk::create_dir_all(state)?;
        }
        disk::create_dir(spool)?;
        let dir = spool.join(name);
        disk::create_dir(&dir)?;
        Ok(Self { dir, provenance, last: AtomicU64::new(0) })
    }

    /// Fails if there is a link in place of the bucket or the spool; it could lead to a directory that others can
    /// access.
    pub(super) fn check(&self) -> io::Result<()> {
        self.dir.parent().map_or(Ok(()), disk::check_dir)?;
        disk::check_dir(&self.dir)
    }

    /// Returns the directory.
    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// Returns a time for a new name: this one, but always later than in the name before.
    pub(super) fn next_created(&self, now: u64) -> u64 {
        let next = |last: u64| Some(now.max(last.saturating_add(1)));
        let last = self.last.fetch_update(Ordering::Relaxed, Ordering::Relaxed, next);
        last.ok().and_then(next).unwrap_or(now)
    }

    /// Writes a file of events that were captured at this time, in milliseconds since 1970.
    ///
    /// Fails with [`NotFound`](io::ErrorKind::NotFound) once the bucket was purged.
    pub(crate) fn write(&self, events: &Events, now: u64) -> io::Result<FileName> {
        self.write_as(events, self.next_created(now), now)
    }

    /// Writes a part of a file, with the age of the whole.
    pub(crate) fn write_part(&self, events: &Events, created: u64, now: u64) -> io::Result<FileName> {
        self.write_as(events, created, now)
    }

    fn write_as(&self, events: &Events, created: u64, now: u64) -> io::Result<FileName> {
        self.check()?;
        let name = FileName::new(created, events.count(), events.len() as u64);
        let bytes = events.to_file(&self.provenance, name.created);
        disk::write(&self.dir.join(name::temporary(now)), &self.path(name), &bytes)?;
        Ok(name)
    }

    /// Lists the directory. Opens no file.
    pub(crate) fn list(&self) -> io::Result<Listing> {
        self.check()?;
        let names = fs::read_dir(&self.dir)?.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        Ok(Listing::of(names))
    }

    /// Tries to become the process that sends. Never waits, since a lock on a network file system may hang.
    pub(crate) fn lock(&self) -> io::Result<Lock> {
        self.check()?;
        let file = disk::open_or_create(&self.dir.join(".lock"))?;
        Ok(match LockedFile::try_lock(file) {
            Ok(file) => Lock::Held(file),
            Err(TryLockError::WouldBlock) => Lock::Busy,
            Err(TryLockError::Error(_)) => Lock::Unsupported,
        })
    }

    /// Renames a file to change its number of attempts.
    pub(crate) fn set_tries(&self, name: FileName, tries: u8) -> io::Result<FileName> {
        let renamed = name.with_tries(tries);
        fs::rename(self.path(name), self.path(renamed))?;
        Ok(renamed)
    }

    /// Reads a file, and verifies its checksums.
    pub(crate) fn read(&self, name: FileName) -> Result<Contents, Unreadable> {
        let max = name.bytes.saturating_add(HEADER_ROOM);
        let file = disk::open(&self.path(name)).and_then(|file| disk::read(&file, max));
        let bytes = file.map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => Unreadable::Missing,
            _ => Unreadable::Broken,
        })?;
        match Contents::parse(bytes) {
            Ok(contents) if contents.len() == name.events as usize => Ok(contents),
            Err(Damage::LaterVersion) => Err(Unreadable::LaterVersion),
            Ok(_) | Err(Damage::Broken) => Err(Unreadable::Broken),
        }
    }

    /// Removes a file. Returns `false` if another process has already removed it.
    pub(crate) fn remove(&self, name: FileName) -> io::Result<bool> {
        self.remove_name(&name.to_string())
    }

    /// Removes a file by its name in the directory. Returns whether it was there.
    pub(crate) fn remove_name(&self, name: &str) -> io::Result<bool> {
        match fs::remove_file(self.dir.join(name)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            removed => removed.map(|()| true),
        }
    }

    /// Renames a file so that it is not read again.
    pub(crate) fn set_aside(&self, name: FileName) -> io::Result<()> {
        fs::rename(self.path(name), self.dir.join(name::bad(name)))
    }

    /// Records that this run waits for the events on disk. Returns `false` if another run has done so within this time,
    /// in milliseconds.
    pub(crate) fn note_wait(&self, now: u64, within: u64) -> io::Result<bool> {
        self.check()?;
        let path = self.dir.join(".waited");
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(now);
        let is_recent = |at: SystemTime| {
            let age = now.duration_since(at).or_else(|_| at.duration_since(now)).unwrap_or_default();
            age < Duration::from_millis(within)
        };
        if path.symlink_metadata().and_then(|metadata| metadata.modified()).is_ok_and(is_recent) {
            return Ok(false);
        }
        disk::open_or_create(&path)?.set_modified(now)?;
        Ok(true)
    }

    /// Takes over a file that captures appended to until their process ended. Returns its finished name; `None` if the
    /// process is still running or the file has no usable events.
    pub(crate) fn recover(&self, open: &str, now: u64) -> io::Result<Option<FileName>> {
        let path = self.dir.join(open);
        let file = disk::open(&path)?;
        if file.try_lock().is_err() {
            return Ok(None);
        }
        let bytes = disk::read(&file, MAX_OPEN)?;
        let len = bytes.len() as u64;
        let contents = match Contents::parse(bytes) {
            Ok(contents) if contents.len() > 0 => contents,
            Err(Damage::LaterVersion) => return Ok(None),
            Ok(_) | Err(Damage::Broken) if len < HEADER_ROOM => {
                // The process ended before its first event was complete.
                self.remove_name(open)?;
                return Ok(None);
            }
            Ok(_) | Err(Damage::Broken) => {
                fs::rename(&path, self.dir.join(name::bad(FileName::new(now, 1, len))))?;
                return Ok(None);
            }
        };
        let events = u32::try_from(contents.len()).unwrap_or(u32::MAX);
        let name = FileName::new(contents.created, events, len);
        fs::rename(&path, self.path(name))?;
        Ok(Some(name))
    }

    fn path(&self, name: FileName) -> PathBuf {
        self.dir.join(name.to_string())
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::scratch::Scratch;
    use super::*;

    const NOW: u64 = 1_700_000_000_000;

    fn events(count: u32) -> Events {
        let mut events = Events::default();
        for id in 1..=count {
            events.push(Uuid::from_u128(id.into()), b"{\"event\":\"seen\"}");
        }
        events
    }

    fn bucket(scratch: &Scratch) -> Bucket {
        Bucket::create(&scratch.path().join("state/spool"), "0123456789abcdef", Provenance::default())
            .unwrap()
    }

    #[test]
    fn written_files_are_listed_and_read() {
        let scratch = Scratch::new();
        let bucket = bucket(&scratch);
        let first = bucket.write(&events(2), NOW).unwrap();
        let second = bucket.write(&events(3), NOW).unwrap();
        assert!(first < second, "names keep the order of one process");
        let listing = bucket.list().unwrap();
        assert_eq!(listing, Listing { events: vec![first, second], ..Listing::default() });
        let tried = bucket.set_tries(first, 1).unwrap();
        assert_eq!(bucket.read(first).unwrap_err(), Unreadable::Missing);
        assert_eq!(bucket.read(tried).unwrap().len(), 2);
        assert!(bucket.remove(tried).unwrap());
        assert!(!bucket.remove(tried).unwrap());
        assert_eq!(bucket.list().unwrap().events, [second]);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_the_files() {
        use std::os::unix::fs::PermissionsExt;
        let scratch = Scratch::new();
        let bucket = bucket(&scratch);
        let name = bucket.write(&events(1), NOW).unwrap();
        let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&bucket.path(name)), 0o600);
        for dir in ["state", "state/spool", "state/spool/0123456789abcdef"] {
            assert_eq!(mode(&scratch.path().join(dir)), 0o700, "{dir}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_in_place_of_a_directory_is_not_followed() {
        let scratch = Scratch::new();
        let elsewhere = scratch.path().join("elsewhere");
        fs::create_dir(&elsewhere).unwrap();
        let bucket = bucket(&scratch);
        fs::rename(bucket.dir(), scratch.path().join("moved")).unwrap();
        std::os::unix::fs::symlink(&elsewhere, bucket.dir()).unwrap();
        assert!(bucket.write(&events(1), NOW).is_err());
        assert!(bucket.list().is_err());
        assert!(bucket.lock().is_err());
        let again = Bucket::create(bucket.dir().parent().unwrap(), "0123456789abcdef", Provenance::default());
        assert!(again.is_err());
        let spool = scratch.path().join("linked");
        std::os::unix::fs::symlink(&elsewhere, &spool).unwrap();
        assert!(Bucket::create(&spool, "0123456789abcdef", Provenance::default()).is_err());
        assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    }

    #[cfg(unix)]
    #[test]
    fn a_link_or_directory_in_place_of_a_file_is_not_read() {
        let scratch = Scratch::new();
        let bucket = bucket(&scratch);
        let name = bucket.write(&events(1), NOW).unwrap();
        let moved = scratch.path().join("moved");
        fs::rename(bucket.path(name), &moved).unwrap();
        std::os::unix::fs::symlink(&moved, bucket.path(name)).unwrap();
        assert_eq!(bucket.read(name).unwrap_err(), Unreadable::Broken);
        bucket.set_aside(name).unwrap();
        assert!(moved.exists());
        fs::create_dir(bucket.path(name)).unwrap();
        assert_eq!(bucket.read(name).unwrap_err(), Unreadable::Broken);
    }

    #[test]
    fn a_damaged_file_is_distinguished_from_one_of_a_later_version() {
        let scratch = Scratch::new();
        let bucket = bucket(&scratch);
        let name = bucket.write(&events(1), NOW).unwrap();
        let bytes = fs::read(bucket.path(name)).unwrap();
        let read = |bytes: &[u8]| {
            fs::write(bucket.path(name), bytes).unwrap();
            bucket.read(name).map(drop)
        };
        assert_eq!(read(&bytes[1..]), Err(Unreadable::Broken));
        assert_eq!(read(&[bytes.clone(), vec![b' '; 8192]].concat()), Err(Unreadable::Broken));
        assert_eq!(read(b"{\"version\":9}\n"), Err(Unreadable::LaterVersion));
        assert_eq!(read(&events(2).to_file(&Provenance::default(), NOW)), Err(Unreadable::Broken));
        assert_eq!(read(&bytes), Ok(()));
    }

    #[test]
    fn nothing_is_written_once_the_bucket_is_gone() {
        let scratch = Scratch::new();
        let bucket = bucket(&scratch);
        fs::remove_dir_all(bucket.dir()).unwrap();
        assert_eq!(bucket.write(&events(1), NOW).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert!(!bucket.dir().exists());
    }

    #[test]
    fn a_long_wait_is_recorded_once_a_day() {
        let scratch = Scratch::new();
        let bucket = bucket(&scratch);
        let day = 24 * 60 * 60 * 1000;
        let waits = [NOW, NOW + 1, NOW + day - 1, NOW + day, NOW + day + 1];
        assert_eq!(waits.map(|at| bucket.note_wait(at, day).unwrap()), [true, false, false, true, false]);
    }

    #[test]
    fn the_lock_is_held_until_it_is_dropped() {
        let scratch = Scratch::new();
        let (one, other) = (bucket(&scratch), bucket(&scratch));
        let held = one.lock().unwrap();
        assert!(matches!(held, Lock::Held(_)));
        assert!(matches!(other.lock().unwrap(), Lock::Busy));
        drop(held);
        assert!(matches!(other.lock().unwrap(), Lock::Held(_)));
    }
}
