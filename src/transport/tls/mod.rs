//! Which TLS this build has.
//! Takes Cargo features; gives ureq's TLS settings, or `None` where the build has no TLS.
//! Never connects.

use ureq::tls::{RootCerts, TlsConfig, TlsProvider};

/// Returns the TLS settings of this build: rustls before the platform's library where there are both.
pub(super) fn config() -> Option<TlsConfig> {
    let provider = if cfg!(feature = "rustls") {
        TlsProvider::Rustls
    } else if cfg!(feature = "native-tls") {
        TlsProvider::NativeTls
    } else {
        return None;
    };
    let is_native = provider == TlsProvider::NativeTls;
    let roots = if cfg!(feature = "platform-verifier") || is_native {
        RootCerts::PlatformVerifier
    } else {
        RootCerts::WebPki
    };
    Some(TlsConfig::builder().provider(provider).root_certs(roots).build())
}
