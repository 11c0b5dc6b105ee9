//! The error of every fallible call.
//!
//! Never carries a key, a token or a property value.

use std::borrow::Cow;
use std::fmt;

use crate::printable::Printable;

/// The class of an [`Error`], which an application can match on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// A setting is out of range, contradicts another one, or cannot be read.
    Config,
    /// The process already has a global client.
    AlreadyInitialised,
    /// The timeout expired before the work was done.
    Timeout,
    /// A file could not be read or written.
    Storage,
    /// The transport could not be created.
    Transport,
    /// The worker does not exist: it was shut down, or this process is a forked child.
    NotRunning,
}

/// The error of every fallible call of this crate.
///
/// Messages are lower case, have no full stop, and name the setting or path concerned.
pub struct Error {
    kind: ErrorKind,
    text: Cow<'static, str>,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// A `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Creates an error from a class and a message.
    pub fn new(kind: ErrorKind, text: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, text: text.into(), source: None }
    }

    /// Adds the error that caused this one.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Returns the class of the error.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Printable(&self.text).fmt(f)
    }
}

/// Formats the message followed by its causes: this is what `main` prints when it returns an error.
impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)?;
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            write!(f, ": {}", Printable(&error.to_string()))?;
            cause = error.source();
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_reads_like_display_and_names_the_causes() {
        let plain = Error::new(ErrorKind::Config, "endpoint: not a URL");
        assert_eq!(format!("{plain:?}"), plain.to_string());
        let io = std::io::Error::new(std::io::ErrorKind::PermissionDenied, "permission denied");
        let inner = Error::new(ErrorKind::Storage, "could not write the file").caused_by(io);
        let outer = Error::new(ErrorKind::Storage, "could not store the refusal").caused_by(inner);
        assert_eq!(
            format!("{outer:?}"),
            "could not store the refusal: could not write the file: permission denied"
        );
        assert_eq!(format!("{outer:#?}"), format!("{outer:?}"));
    }
}
