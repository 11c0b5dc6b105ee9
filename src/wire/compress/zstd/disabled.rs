//! No zstd in this build.
//!
//! Never called: a codec that the build lacks is refused when the client is made.

pub(crate) fn zstd(_: &[u8]) -> Option<Vec<u8>> {
    None
}
