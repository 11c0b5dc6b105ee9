//! brotli, where the build has it.

#[cfg(not(feature = "brotli"))]
mod disabled;
#[cfg(feature = "brotli")]
mod enabled;

#[cfg(not(feature = "brotli"))]
pub(crate) use disabled::brotli;
#[cfg(feature = "brotli")]
pub(crate) use enabled::brotli;
