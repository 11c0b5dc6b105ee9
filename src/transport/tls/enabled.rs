//! TLS by rustls or by the platform's library. Never reads certificates before a connection needs them.

use ureq::config::ConfigBuilder;
use ureq::tls::{RootCerts, TlsConfig, TlsProvider};
use ureq::typestate::AgentScope;

use crate::error::Result;

/// Adds the TLS of this build; rustls if there are both.
#[expect(clippy::unnecessary_wraps, reason = "a build without TLS refuses here")]
pub(in crate::transport) fn with_tls(config: ConfigBuilder<AgentScope>) -> Result<ConfigBuilder<AgentScope>> {
    let provider = if cfg!(feature = "rustls") { TlsProvider::Rustls } else { TlsProvider::NativeTls };
    let is_native = provider == TlsProvider::NativeTls;
    let roots = if cfg!(feature = "platform-verifier") || is_native {
        RootCerts::PlatformVerifier
    } else {
        RootCerts::WebPki
    };
    let tls = TlsConfig::builder().provider(provider).root_certs(roots).build();
    Ok(config.tls_config(tls).https_only(true))
}
