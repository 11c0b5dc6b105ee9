//! The file that captures append to before they return, so even `kill -9` loses no captured event.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;

use uuid::Uuid;

use super::bucket::Bucket;
use super::disk;
use super::file::{frame_len, open_header, push_frame};
use super::locked::LockedFile;
use super::name::{self, FileName};

/// The maximum size of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileLimits {
    pub(crate) events: u64,
    pub(crate) bytes: u64,
}

/// Appends events to a file of a bucket, and starts another when it is full.
#[derive(Debug)]
pub(crate) struct Journal {
    bucket: Arc<Bucket>,
    limits: FileLimits,
    open: Option<Open>,
    frame: Vec<u8>,
}

/// The file that is appended to. It is locked while it is open; other processes take over one that is not locked,
/// since its process has ended.
#[derive(Debug)]
struct Open {
    file: LockedFile,
    path: PathBuf,
    created: u64,
    events: u32,
    /// The length of the file, including its header.
    len: u64,
}

impl Journal {
    pub(crate) fn new(bucket: Arc<Bucket>, limits: FileLimits) -> Self {
        Self { bucket, limits, open: None, frame: Vec::new() }
    }

    /// Returns the number of events in the open file.
    pub(crate) fn open_events(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.events.into())
    }

    /// Appends an event with one system call. Returns the file that was finished first because it was full, if any.
    ///
    /// Fails with [`NotFound`](io::ErrorKind::NotFound) after the bucket was purged, at the latest for the next file.
    pub(crate) fn append(
        &mut self,
        id: Uuid,
        event: &[u8],
        now: u64,
        announce: impl FnOnce(FileName),
    ) -> io::Result<Option<FileName>> {
        let len = frame_len(event) as u64;
        let is_full =
            |open: &Open| u64::from(open.events) >= self.limits.events || open.len + len > self.limits.bytes;
        let finished = if self.open.as_ref().is_some_and(is_full) { self.finish(announce)? } else { None };
        if self.open.is_none() {
            self.open = Some(Open::create(&self.bucket, now)?);
        }
        let Some(open) = &mut self.open else { return Ok(finished) };
        self.frame.clear();
        push_frame(&mut self.frame, id, event);
        if let Err(error) = open.write(&self.frame) {
            // Anything after an incomplete event would never be read.
            if open.file.file().and_then(|file| file.set_len(open.len)).is_err() {
                self.open = None;
            }
            return Err(error);
        }
        open.len += len;
        open.events += 1;
        Ok(finished)
    }

    /// Finishes the open file, if there is one with events.
    pub(crate) fn finish(&mut self, announce: impl FnOnce(FileName)) -> io::Result<Option<FileName>> {
        let Some(open) = self.open.take() else { return Ok(None) };
        if open.events == 0 {
            let _ = fs::remove_file(&open.path);
            return Ok(None);
        }
        let name = FileName::new(open.created, open.events, open.len);
        // Called before other processes can see the file under this name.
        announce(name);
        fs::rename(&open.path, self.bucket.dir().join(name.to_string()))?;
        Ok(Some(name))
    }

    /// Forgets the open file, which was purged. Returns the number of its events.
    pub(crate) fn forget(&mut self) -> u64 {
        let events = self.open_events();
        self.open = None;
        events
    }
}

impl Open {
    fn write(&self, bytes: &[u8]) -> io::Result<()> {
        self.file.file()?.write_all(bytes)
    }

    fn create(bucket: &Bucket, now: u64) -> io::Result<Self> {
        bucket.check()?;
        let created = bucket.next_created(now);
        let path = bucket.dir().join(name::open(now));
        // It gets its name only once it is locked; another process would otherwise take it over as left behind.
        let temporary = bucket.dir().join(name::temporary(now));
        let file = disk::create(&temporary)?;
        let header = open_header(bucket.provenance(), created);
        let opened = LockedFile::try_lock(file).map_err(io::Error::from).and_then(|file| {
            let open = Self { file, path, created, events: 0, len: header.len() as u64 };
            open.write(&header)?;
            fs::rename(&temporary, &open.path)?;
            Ok(open)
        });
        if opened.is_err() {
            let _ = fs::remove_file(&temporary);
        }
        opened
    }
}

#[cfg(test)]
mod tests {
    use super::super::file::Provenance;
    use super::super::scratch::Scratch;
    use super::*;

    fn journal(scratch: &Scratch, events: u64) -> (Arc<Bucket>, Journal) {
        let spool = scratch.path().join("spool");
        let bucket = Bucket::create(&spool, "0123456789abcdef", Provenance::default()).unwrap();
        let bucket = Arc::new(bucket);
        (Arc::clone(&bucket), Journal::new(bucket, FileLimits { events, bytes: 1_000 }))
    }

    #[test]
    fn events_are_appended_and_a_full_file_is_finished() {
        let scratch = Scratch::new();
        let (bucket, mut journal) = journal(&scratch, 3);
        let mut finished = Vec::new();
        for id in 0..7 {
            finished.extend(journal.append(Uuid::from_u128(id), b"{\"n\":1}", 10, drop).unwrap());
        }
        assert_eq!(journal.open_events(), 1);
        finished.extend(journal.finish(drop).unwrap());
        assert_eq!(journal.finish(drop).unwrap(), None);
        assert_eq!(finished.iter().map(|name| name.events).collect::<Vec<_>>(), [3, 3, 1]);
        let listing = bucket.list().unwrap();
        assert_eq!(listing.events, finished);
        let ids = finished.iter().flat_map(|name| {
            let contents = bucket.read(*name).unwrap();
            contents.events().map(|(id, _)| id.as_u128()).collect::<Vec<_>>()
        });
        assert_eq!(ids.collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6]);
    }

    #[test]
    fn a_file_ends_before_it_is_too_large() {
        let scratch = Scratch::new();
        let (_, mut journal) = journal(&scratch, 100);
        let event = [b'x'; 500];
        assert_eq!(journal.append(Uuid::nil(), &event, 1, drop).unwrap(), None);
        assert_eq!(journal.append(Uuid::nil(), &event, 1, drop).unwrap().unwrap().events, 1);
    }

    #[test]
    fn an_open_file_is_taken_over_once_its_process_has_ended() {
        let scratch = Scratch::new();
        let (bucket, mut journal) = journal(&scratch, 100);
        for id in 0..5 {
            journal.append(Uuid::from_u128(id), b"{}", 10, drop).unwrap();
        }
        let open = bucket.list().unwrap().open.pop().unwrap();
        assert_eq!(bucket.recover(&open, 20).unwrap(), None, "its process still runs");
        drop(journal);
        let name = bucket.recover(&open, 20).unwrap().unwrap();
        assert_eq!((name.created, name.events), (10, 5));
        assert_eq!(bucket.read(name).unwrap().len(), 5);
        assert!(bucket.list().unwrap().open.is_empty());
    }

    #[test]
    fn an_open_file_without_an_event_is_removed() {
        let scratch = Scratch::new();
        let (bucket, _) = journal(&scratch, 100);
        let open = name::open(10);
        for content in [b"".as_slice(), b"{\"vers", &open_header(&Provenance::default(), 1)] {
            fs::write(bucket.dir().join(&open), content).unwrap();
            assert_eq!(bucket.recover(&open, 20).unwrap(), None);
            assert_eq!(bucket.list().unwrap(), super::super::plan::Listing::default());
        }
    }

    #[test]
    fn files_being_created_are_not_taken_over() {
        let scratch = Scratch::new();
        let (bucket, mut journal) = journal(&scratch, 2);
        let is_over = std::sync::atomic::AtomicBool::new(false);
        let over = std::sync::atomic::Ordering::Relaxed;
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !is_over.load(over) {
                    for open in bucket.list().unwrap().open {
                        let taken = bucket.recover(&open, 20);
                        // A file that has just been finished is no longer there.
                        assert!(
                            taken.is_ok_and(|taken| taken.is_none()) || !bucket.dir().join(open).exists()
                        );
                    }
                }
            });
            let append = |id| journal.append(Uuid::from_u128(id), b"{}", 10, drop).is_ok();
            let failed = (0..2_000).map(append).filter(|is_appended| !is_appended).count();
            let is_finished = journal.finish(drop).is_ok();
            is_over.store(true, over);
            assert_eq!((failed, is_finished), (0, true));
        });
        let events: u64 = bucket.list().unwrap().events.iter().map(|name| u64::from(name.events)).sum();
        assert_eq!(events, 2_000);
    }

    #[test]
    fn no_file_can_be_created_after_a_purge() {
        let scratch = Scratch::new();
        let (bucket, mut journal) = journal(&scratch, 1);
        journal.append(Uuid::nil(), b"{}", 10, drop).unwrap();
        super::super::purge_bucket(bucket.dir()).unwrap().remove().unwrap();
        let failed = journal.append(Uuid::nil(), b"{}", 10, drop).unwrap_err();
        assert_eq!(failed.kind(), io::ErrorKind::NotFound);
    }
}
