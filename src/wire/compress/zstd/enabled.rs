//! zstd, in Rust.
//!
//! Never fails: writing to memory cannot.

use ruzstd::encoding::{CompressionLevel, compress_to_vec};

#[expect(clippy::unnecessary_wraps, reason = "the same signature as that of all codecs")]
pub(crate) fn zstd(body: &[u8]) -> Option<Vec<u8>> {
    Some(compress_to_vec(body, CompressionLevel::Fastest))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use ruzstd::decoding::StreamingDecoder;

    #[test]
    fn what_is_packed_unpacks_to_the_same() {
        for body in [b"".as_slice(), b"{}", &br#"{"event":"a"},"#.repeat(10_000)] {
            let packed = super::zstd(body).unwrap();
            let mut plain = Vec::new();
            StreamingDecoder::new(&*packed).unwrap().read_to_end(&mut plain).unwrap();
            assert_eq!(plain, body);
        }
    }
}
