//! Request bodies made smaller.
//! Takes a body and a codec; gives the compressed body, or `None` where this build cannot.
//! Never chooses: the codec is a setting.

#[cfg(not(feature = "gzip"))]
mod disabled;
#[cfg(feature = "gzip")]
mod enabled;

#[cfg(not(feature = "gzip"))]
pub(crate) use disabled::{deflate, gzip};
#[cfg(feature = "gzip")]
pub(crate) use enabled::{deflate, gzip};
