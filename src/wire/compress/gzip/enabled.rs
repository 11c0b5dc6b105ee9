//! gzip and deflate by flate2.
//!
//! Never fails on memory: where flate2 reports an error the body goes out as it is.

use std::io::Write;

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};

/// Level 1: a batch is very repetitive, and the higher levels gain a few per cent for several times the work.
fn level() -> Compression {
    Compression::fast()
}

pub(crate) fn gzip(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 4), level());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

pub(crate) fn deflate(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::with_capacity(body.len() / 4), level());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}
