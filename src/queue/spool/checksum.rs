//! CRC-32 checksums.

/// Returns the checksum of consecutive parts.
#[cfg(feature = "spool")]
pub(super) fn checksum<const N: usize>(parts: [&[u8]; N]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize()
}

/// Never called, since a configuration with a spool is refused without the feature.
#[cfg(not(feature = "spool"))]
pub(super) fn checksum<const N: usize>(_: [&[u8]; N]) -> u32 {
    0
}
