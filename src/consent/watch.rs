//! Detects that somebody else has changed a file of the gate.
//!
//! Never reads content. A recently modified file always counts as changed.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::inputs::Facts;
use super::sources::Places;
use crate::settings::Env;

/// How long a file can change again under the same stamp, on file systems with coarse clocks.
const COARSE_MILLIS: u128 = 2_000;

/// The files of the gate as they were when a decision was made.
#[derive(Debug)]
pub(crate) struct FileWatch {
    stamps: Vec<(PathBuf, [FileStamp; 2])>,
}

/// Distinguishes one version of a file from another.
#[derive(Clone, Debug, PartialEq, Eq)]
enum FileStamp {
    Missing,
    Unknown(io::ErrorKind),
    File { identity: (u64, u64), len: u64, modified: Option<SystemTime>, changed: (i64, i64) },
}

impl FileWatch {
    /// Takes the stamps. Call this before reading the files, so no change is missed in between.
    pub(crate) fn new(facts: &Facts, env: &Env) -> Self {
        Self::over(Places::of(facts, env).all())
    }

    fn over<'a>(paths: impl Iterator<Item = &'a Path>) -> Self {
        Self { stamps: paths.map(|path| (path.to_owned(), FileStamp::both(path))).collect() }
    }

    /// Returns whether a file has changed, or is so recent that it could have changed under the same stamp.
    pub(crate) fn changed(&self, now: SystemTime) -> bool {
        self.stamps.iter().any(|(path, stamps)| {
            stamps.iter().any(|stamp| stamp.is_young(now)) || FileStamp::both(path) != *stamps
        })
    }
}

impl FileStamp {
    /// Returns the stamps of the path itself and, if it is a link, of its target: a link can stay the same while
    /// the directory it points into is exchanged.
    fn both(path: &Path) -> [Self; 2] {
        let entry = path.symlink_metadata();
        let is_link = entry.as_ref().is_ok_and(|metadata| metadata.file_type().is_symlink());
        let target = if is_link { Self::of(path.metadata()) } else { Self::Missing };
        [Self::of(entry), target]
    }

    fn of(metadata: io::Result<Metadata>) -> Self {
        match metadata {
            Ok(metadata) => Self::from_metadata(&metadata),
            Err(error) => match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Self::Missing,
                kind => Self::Unknown(kind),
            },
        }
    }

    #[cfg(unix)]
    fn from_metadata(metadata: &Metadata) -> Self {
        use std::os::unix::fs::MetadataExt;
        Self::File {
            identity: (metadata.dev(), metadata.ino()),
            len: metadata.len(),
            modified: metadata.modified().ok(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    #[cfg(not(unix))]
    fn from_metadata(metadata: &Metadata) -> Self {
        Self::File {
            identity: (0, 0),
            len: metadata.len(),
            modified: metadata.modified().ok(),
            changed: (0, 0),
        }
    }

    fn is_young(&self, now: SystemTime) -> bool {
        match self {
            Self::File { modified: Some(modified), .. } => {
                now.duration_since(*modified).map_or(true, |age| age.as_millis() < COARSE_MILLIS)
            }
            Self::File { modified: None, .. } => true,
            Self::Missing | Self::Unknown(_) => false,
        }
    }
}
