//! brotli, in Rust.
//!
//! Never fails on memory: where the encoder reports an error the body goes out as it is.

use brotli::enc::BrotliEncoderParams;

/// Level 4: a batch is very repetitive, and the higher levels gain a few per cent for several times the work.
const QUALITY: i32 = 4;

pub(crate) fn brotli(body: &[u8]) -> Option<Vec<u8>> {
    let params = BrotliEncoderParams { quality: QUALITY, size_hint: body.len(), ..Default::default() };
    let mut packed = Vec::with_capacity(body.len() / 4);
    brotli::BrotliCompress(&mut &*body, &mut packed, &params).ok()?;
    Some(packed)
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_is_packed_unpacks_to_the_same() {
        for body in [b"".as_slice(), b"{}", &br#"{"event":"a"},"#.repeat(10_000)] {
            let packed = super::brotli(body).unwrap();
            let mut plain = Vec::new();
            brotli::BrotliDecompress(&mut &*packed, &mut plain).unwrap();
            assert_eq!(plain, body);
        }
    }
}
