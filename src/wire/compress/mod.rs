//! Request bodies made smaller.
//!
//! Never chooses: the codec is a setting.

mod brotli;
mod gzip;
mod zstd;

pub(crate) use brotli::brotli;
pub(crate) use gzip::{deflate, gzip};
pub(crate) use zstd::zstd;
