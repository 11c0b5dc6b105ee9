//! Reads a layer's file, or finds what its absence or its state means.
//!
//! A file that cannot be read never counts as missing.

use crate::consent::finding::Finding;
use crate::consent::inputs::{FileContent, FileState, ReadFailure, Source};
use crate::document::{Format, Node, read};

/// Returns the content of a file, or the layer's finding if it has none.
pub(super) fn content(source: &Source) -> Result<&FileContent, Finding> {
    let name = label(source);
    match &source.state {
        FileState::NotDeclared => Err(Finding::abstain(name, "not declared")),
        FileState::NotRead => Err(Finding::abstain(name, "not read, because telemetry is already off")),
        FileState::Missing => Err(Finding::abstain(name, "does not exist")),
        FileState::Failed(failure) => Err(Finding::wrong(name, failure_text(*failure))),
        FileState::Read(file) if file.world_writable => {
            Err(Finding::wrong(name, "can be written by everybody: restrict its permissions"))
        }
        FileState::Read(file) => Ok(file),
    }
}

pub(super) fn open(source: &Source, otherwise: Format) -> Result<(Node, &FileContent), Finding> {
    let file = content(source)?;
    let format = source.path.as_deref().map_or(otherwise, |path| Format::of(path, otherwise));
    match read(format, &file.bytes) {
        Ok(tree) => Ok((tree, file)),
        Err(reason) => Err(Finding::wrong(label(source), reason)),
    }
}

pub(super) fn label(source: &Source) -> String {
    source.path.as_deref().map_or_else(String::new, |path| path.display().to_string())
}

fn failure_text(failure: ReadFailure) -> &'static str {
    match failure {
        ReadFailure::Link => "is a symbolic link, which is not followed",
        ReadFailure::NoHome => "names a user whose home directory is unknown, and who may have refused",
        ReadFailure::BrokenLink => "is a broken symbolic link, or is reached through one",
        ReadFailure::NoPath => {
            "cannot be found: its path is relative to a working directory that no longer exists"
        }
        ReadFailure::NotAFile => "is not a regular file",
        ReadFailure::TooLarge => "is larger than 64 KiB",
        ReadFailure::NotAllowed => "cannot be read: permission denied",
        ReadFailure::Failed => "cannot be read",
    }
}
