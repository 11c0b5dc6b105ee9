//! No brotli in this build.
//! Takes a body; gives nothing, so that it goes out as it is.
//! Never called: a codec that the build lacks is refused when the client is made.

pub(crate) fn brotli(_: &[u8]) -> Option<Vec<u8>> {
    None
}
