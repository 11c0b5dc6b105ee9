//! No compression in this build.
//!
//! Never called: a codec that the build lacks is refused when the client is made.

pub(crate) fn gzip(_: &[u8]) -> Option<Vec<u8>> {
    None
}

pub(crate) fn deflate(_: &[u8]) -> Option<Vec<u8>> {
    None
}
