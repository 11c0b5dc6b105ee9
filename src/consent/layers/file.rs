//! A layer's file: its content, or what its absence or its state says.
//!
//! Never takes a file that it cannot read for one that is not there.

use crate::consent::finding::Finding;
use crate::consent::inputs::{FileContent, FileState, ReadFailure, Source};
use crate::document::{Format, Node, read};

/// Returns the content of a file, or what its absence or its state says for the layer.
pub(super) fn content(source: &Source) -> Result<&FileContent, Finding> {
    let name = label(source);
    match &source.state {
        FileState::NotDeclared => Err(Finding::abstain(name, "not declared")),
        FileState::NotRead => Err(Finding::abstain(name, "not read, as it is off anyway")),
        FileState::Missing => Err(Finding::abstain(name, "not there")),
        FileState::Failed(failure) => Err(Finding::wrong(name, failure_text(*failure))),
        FileState::Read(file) if file.world_writable => Err(Finding::wrong(name, "everybody may write it")),
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
        ReadFailure::NoHome => "names a caller whose home is not known, where a no may be kept",
        ReadFailure::BrokenLink => "is a symbolic link that leads nowhere, or stands behind one",
        ReadFailure::NoPath => "cannot be found: its path is relative to a working directory that is gone",
        ReadFailure::NotAFile => "is not a file",
        ReadFailure::TooLarge => "is larger than 64 KiB",
        ReadFailure::NotAllowed => "may not be read",
        ReadFailure::Failed => "cannot be read",
    }
}
