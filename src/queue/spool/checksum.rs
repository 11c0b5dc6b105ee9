//! CRC-32 over the parts of a file.

/// Returns the checksum of parts that follow each other.
#[cfg(feature = "spool")]
pub(super) fn checksum<const N: usize>(parts: [&[u8]; N]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize()
}

/// Never called: without the feature no configuration with a spool is accepted.
#[cfg(not(feature = "spool"))]
pub(super) fn checksum<const N: usize>(_: [&[u8]; N]) -> u32 {
    0
}
