//! The codecs of request bodies: each one's name on the wire, the feature it needs and its function.

use std::borrow::Cow;

/// How request bodies are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// No compression. The default, so the body that debugging prints is the body that is sent.
    None,
    /// gzip, which all of PostHog's protocols accept. Needs the feature `gzip`.
    Gzip,
    /// deflate in a zlib stream; of PostHog's protocols, only [`Protocol::V1`](crate::Protocol::V1) accepts it. Needs
    /// the feature `gzip`.
    Deflate,
    /// brotli; of PostHog's protocols, only [`Protocol::V1`](crate::Protocol::V1) accepts it. Needs the feature
    /// `brotli`.
    Brotli,
    /// zstd; of PostHog's protocols, only [`Protocol::V1`](crate::Protocol::V1) accepts it. Needs the feature `zstd`.
    Zstd,
}

/// Compresses a body; `None` if that fails.
type Compress = fn(&[u8]) -> Option<Vec<u8>>;

/// The properties of a codec.
struct Codec {
    /// The name in `Content-Encoding`.
    encoding: &'static str,
    /// The Cargo feature that adds it.
    feature: &'static str,
    /// `None` if the build lacks the feature.
    compress: Option<Compress>,
}

impl Compression {
    /// All codecs, with `None` first.
    pub(crate) const ALL: [Self; 5] = [Self::None, Self::Gzip, Self::Deflate, Self::Brotli, Self::Zstd];

    const fn codec(self) -> Option<Codec> {
        Some(match self {
            Self::None => return None,
            Self::Gzip => Codec {
                encoding: "gzip",
                feature: "gzip",
                #[cfg(feature = "gzip")]
                compress: Some(gzip),
                #[cfg(not(feature = "gzip"))]
                compress: None,
            },
            Self::Deflate => Codec {
                encoding: "deflate",
                feature: "gzip",
                #[cfg(feature = "gzip")]
                compress: Some(deflate),
                #[cfg(not(feature = "gzip"))]
                compress: None,
            },
            Self::Brotli => Codec {
                encoding: "br",
                feature: "brotli",
                #[cfg(feature = "brotli")]
                compress: Some(brotli),
                #[cfg(not(feature = "brotli"))]
                compress: None,
            },
            Self::Zstd => Codec {
                encoding: "zstd",
                feature: "zstd",
                #[cfg(feature = "zstd")]
                compress: Some(zstd),
                #[cfg(not(feature = "zstd"))]
                compress: None,
            },
        })
    }

    /// Returns the feature that must be enabled to use this codec; `None` if the build has it.
    pub(crate) fn missing_feature(self) -> Option<&'static str> {
        self.codec().filter(|codec| codec.compress.is_none()).map(|codec| codec.feature)
    }

    /// Returns the body as it is sent, and its `Content-Encoding`. If the codec fails, the body is sent plain.
    pub(crate) fn encode(self, body: &[u8]) -> (Cow<'_, [u8]>, Option<&'static str>) {
        let packed = self.codec().and_then(|codec| Some((codec.compress?(body)?, codec.encoding)));
        match packed {
            Some((packed, encoding)) => (Cow::Owned(packed), Some(encoding)),
            None => (Cow::Borrowed(body), None),
        }
    }
}

/// Level 1: a batch is very repetitive, and higher levels save a few per cent for several times the work.
#[cfg(feature = "gzip")]
fn gzip(body: &[u8]) -> Option<Vec<u8>> {
    use std::io::Write;

    let memory = Vec::with_capacity(body.len() / 4);
    let mut encoder = flate2::write::GzEncoder::new(memory, flate2::Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

/// Level 1, as for gzip.
#[cfg(feature = "gzip")]
fn deflate(body: &[u8]) -> Option<Vec<u8>> {
    use std::io::Write;

    let memory = Vec::with_capacity(body.len() / 4);
    let mut encoder = flate2::write::ZlibEncoder::new(memory, flate2::Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

/// Level 4: a batch is very repetitive, and higher levels save a few per cent for several times the work.
#[cfg(feature = "brotli")]
fn brotli(body: &[u8]) -> Option<Vec<u8>> {
    use brotli::enc::BrotliEncoderParams;

    let params = BrotliEncoderParams { quality: 4, size_hint: body.len(), ..Default::default() };
    let mut packed = Vec::with_capacity(body.len() / 4);
    brotli::BrotliCompress(&mut &*body, &mut packed, &params).ok()?;
    Some(packed)
}

#[cfg(feature = "zstd")]
#[expect(clippy::unnecessary_wraps, reason = "all codecs have the same signature")]
fn zstd(body: &[u8]) -> Option<Vec<u8>> {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    Some(compress_to_vec(body, CompressionLevel::Fastest))
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::Compression;

    /// Decodes a body as the endpoint would.
    fn unpack(encoding: &str, packed: &[u8]) -> Vec<u8> {
        #[allow(unused_mut, reason = "nothing is written to it in a build without codecs")]
        let mut plain = Vec::new();
        match encoding {
            #[cfg(feature = "gzip")]
            "gzip" => {
                std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(packed), &mut plain).unwrap();
            }
            #[cfg(feature = "gzip")]
            "deflate" => {
                std::io::Read::read_to_end(&mut flate2::read::ZlibDecoder::new(packed), &mut plain).unwrap();
            }
            #[cfg(feature = "brotli")]
            "br" => brotli::BrotliDecompress(&mut &*packed, &mut plain).unwrap(),
            #[cfg(feature = "zstd")]
            "zstd" => {
                let mut decoder = ruzstd::decoding::StreamingDecoder::new(packed).unwrap();
                std::io::Read::read_to_end(&mut decoder, &mut plain).unwrap();
            }
            other => panic!("{other} is not in this build: {} bytes", packed.len()),
        }
        plain
    }

    #[test]
    fn a_compressed_body_decodes_under_its_encoding_name() {
        for codec in Compression::ALL {
            for body in [b"".as_slice(), b"{}", &br#"{"event":"a"},"#.repeat(10_000)] {
                match codec.encode(body) {
                    (Cow::Owned(packed), Some(encoding)) => assert_eq!(unpack(encoding, &packed), body),
                    (Cow::Borrowed(same), None) => {
                        assert_eq!(same, body);
                        assert!(codec == Compression::None || codec.missing_feature().is_some(), "{codec:?}");
                    }
                    other => panic!("{codec:?}: {other:?}"),
                }
            }
        }
    }

    #[test]
    fn a_build_without_a_codec_names_the_feature() {
        assert_eq!(Compression::None.missing_feature(), None);
        for (codec, feature, is_there) in [
            (Compression::Gzip, "gzip", cfg!(feature = "gzip")),
            (Compression::Deflate, "gzip", cfg!(feature = "gzip")),
            (Compression::Brotli, "brotli", cfg!(feature = "brotli")),
            (Compression::Zstd, "zstd", cfg!(feature = "zstd")),
        ] {
            assert_eq!(codec.missing_feature(), (!is_there).then_some(feature), "{codec:?}");
        }
    }
}
