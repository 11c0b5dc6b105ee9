//! zstd, where the build has it.

#[cfg(not(feature = "zstd"))]
mod disabled;
#[cfg(feature = "zstd")]
mod enabled;

#[cfg(not(feature = "zstd"))]
pub(crate) use disabled::zstd;
#[cfg(feature = "zstd")]
pub(crate) use enabled::zstd;
