//! gzip and deflate, where the build has them.

#[cfg(not(feature = "gzip"))]
mod disabled;
#[cfg(feature = "gzip")]
mod enabled;

#[cfg(not(feature = "gzip"))]
pub(crate) use disabled::{deflate, gzip};
#[cfg(feature = "gzip")]
pub(crate) use enabled::{deflate, gzip};
