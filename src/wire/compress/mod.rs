//! Request bodies made smaller.
//! Takes a body and a codec; gives the compressed body, or `None` where this build cannot.
//! Never chooses: the codec is a setting.

mod brotli;
mod gzip;
mod zstd;

pub(crate) use brotli::brotli;
pub(crate) use gzip::{deflate, gzip};
pub(crate) use zstd::zstd;
