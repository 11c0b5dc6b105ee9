//! Files with a lock of the operating system on them.
//!
//! The system ties such a lock to the open file, which a forked child shares with its parent: it would last until
//! both have closed it. So a process that lets go unlocks first, and a child closes its copies.

use std::fs::{File, TryLockError};
use std::io;
use std::process;
use std::sync::{Arc, Weak};

use parking_lot::{Mutex, MutexGuard};

/// The file, until a forked child has closed it.
type Slot = Mutex<Option<File>>;

/// All files that this process has locked, or its parent before a fork, with the process that did.
static LOCKED: Mutex<Vec<(u32, Weak<Slot>)>> = Mutex::new(Vec::new());

/// A file that this process has locked until it is dropped.
#[derive(Debug)]
pub(crate) struct LockedFile {
    slot: Arc<Slot>,
    owner_pid: u32,
}

impl LockedFile {
    /// Locks a file, and never waits for that.
    pub(super) fn try_lock(file: File) -> Result<Self, TryLockError> {
        file.try_lock()?;
        let slot = Arc::new(Mutex::new(Some(file)));
        let mut locked = LOCKED.lock();
        locked.retain(|(_, slot)| slot.strong_count() > 0);
        locked.push((process::id(), Arc::downgrade(&slot)));
        Ok(Self { slot, owner_pid: process::id() })
    }

    /// Returns the file; an error in a forked child that has closed it.
    pub(super) fn file(&self) -> io::Result<impl std::ops::DerefMut<Target = File> + '_> {
        MutexGuard::try_map(self.slot.lock(), Option::as_mut).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Drop for LockedFile {
    /// Unlocks the file: to close it is not enough while a forked child has a copy.
    fn drop(&mut self) {
        if self.owner_pid != process::id() {
            return;
        }
        if let Some(file) = self.slot.lock().take() {
            let _ = file.unlock();
        }
    }
}

/// Closes the files that the parent of this forked process has locked. Those of this process stay.
///
/// One that a thread of the parent was just using cannot be closed: that thread does not exist here.
pub(super) fn close_inherited() {
    let Some(mut locked) = LOCKED.try_lock() else { return };
    let is_inherited = |(owner, slot): &(u32, Weak<Slot>)| {
        let closes = *owner != process::id();
        if closes {
            // Closed alone: an unlock would be the parent's as well.
            drop(slot.upgrade().and_then(|slot| slot.try_lock()?.take()));
        }
        closes
    };
    locked.retain(|file| !is_inherited(file));
}

#[cfg(test)]
mod tests {
    use super::super::disk;
    use super::super::scratch::Scratch;
    use super::*;

    #[test]
    fn letting_go_unlocks_whoever_else_has_the_file_open() {
        let scratch = Scratch::new();
        let path = scratch.path().join("lock");
        let file = disk::open_or_create(&path).unwrap();
        // As a forked child has it: the same open file, and not the same file opened again.
        let _copy = file.try_clone().unwrap();
        let held = LockedFile::try_lock(file).unwrap();
        assert!(LockedFile::try_lock(disk::open_or_create(&path).unwrap()).is_err());
        close_inherited();
        assert!(LockedFile::try_lock(disk::open_or_create(&path).unwrap()).is_err(), "it is our own");
        drop(held);
        drop(LockedFile::try_lock(disk::open_or_create(&path).unwrap()).unwrap());
    }
}
