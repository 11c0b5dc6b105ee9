//! No brotli in this build.
//!
//! Never called: a codec that the build lacks is refused when the client is made.

pub(crate) fn brotli(_: &[u8]) -> Option<Vec<u8>> {
    None
}
