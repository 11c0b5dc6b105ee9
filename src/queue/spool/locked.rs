//! Files that are locked through the operating system.
//!
//! Such a lock belongs to the open file, which a forked child shares with its parent, so it lasts until both have
//! closed the file. That is why a process unlocks its files explicitly, and a child closes its copies.

use std::fs::{File, TryLockError};
use std::io;
use std::process;
use std::sync::{Arc, Weak};

use parking_lot::{Mutex, MutexGuard};

/// The file; `None` once a forked child has closed it.
type Slot = Mutex<Option<File>>;

/// All files locked by this process, or by its parent before a fork, each with the id of the process that locked it.
static LOCKED: Mutex<Vec<(u32, Weak<Slot>)>> = Mutex::new(Vec::new());

/// A file that is locked until it is dropped.
#[derive(Debug)]
pub(crate) struct LockedFile {
    slot: Arc<Slot>,
    owner_pid: u32,
}

impl LockedFile {
    /// Locks a file without waiting.
    pub(super) fn try_lock(file: File) -> Result<Self, TryLockError> {
        file.try_lock()?;
        let slot = Arc::new(Mutex::new(Some(file)));
        let mut locked = LOCKED.lock();
        locked.retain(|(_, slot)| slot.strong_count() > 0);
        locked.push((process::id(), Arc::downgrade(&slot)));
        Ok(Self { slot, owner_pid: process::id() })
    }

    /// Returns the file, or an error in a forked child that has closed it.
    pub(super) fn file(&self) -> io::Result<impl std::ops::DerefMut<Target = File> + '_> {
        MutexGuard::try_map(self.slot.lock(), Option::as_mut).map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

impl Drop for LockedFile {
    /// Unlocks the file explicitly, since closing it is not enough while a forked child has a copy.
    fn drop(&mut self) {
        if self.owner_pid != process::id() {
            return;
        }
        if let Some(file) = self.slot.lock().take() {
            let _ = file.unlock();
        }
    }
}

/// Closes the files locked by the parent of this forked process; its own files stay locked.
///
/// A file that a thread of the parent was using during the fork cannot be closed, since that thread does not exist
/// here.
pub(super) fn close_inherited() {
    let Some(mut locked) = LOCKED.try_lock() else { return };
    let is_inherited = |(owner, slot): &(u32, Weak<Slot>)| {
        let closes = *owner != process::id();
        if closes {
            // Only closed, since unlocking it would unlock it for the parent too.
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
    fn dropping_a_locked_file_unlocks_it_for_every_copy() {
        let scratch = Scratch::new();
        let path = scratch.path().join("lock");
        let file = disk::open_or_create(&path).unwrap();
        // Like that of a forked child: the same open file, not the file opened again.
        let _copy = file.try_clone().unwrap();
        let held = LockedFile::try_lock(file).unwrap();
        assert!(LockedFile::try_lock(disk::open_or_create(&path).unwrap()).is_err());
        close_inherited();
        assert!(
            LockedFile::try_lock(disk::open_or_create(&path).unwrap()).is_err(),
            "it is this process's own"
        );
        drop(held);
        drop(LockedFile::try_lock(disk::open_or_create(&path).unwrap()).unwrap());
    }
}
