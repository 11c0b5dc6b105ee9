//! The build without TLS. Never falls back to a connection without it.

use ureq::config::ConfigBuilder;
use ureq::typestate::AgentScope;

use crate::error::{Error, ErrorKind, Result};

/// Returns an error that names the features to enable.
pub(in crate::transport) fn with_tls(_: ConfigBuilder<AgentScope>) -> Result<ConfigBuilder<AgentScope>> {
    Err(Error::new(
        ErrorKind::Transport,
        "endpoint: an https endpoint needs TLS, which this build lacks; enable the feature `rustls` or `native-tls`",
    ))
}

#[cfg(test)]
mod tests {
    use crate::{Client, Config, Consent, Env, ErrorKind, Notice};

    #[test]
    fn an_https_endpoint_is_refused_with_the_names_of_the_features() {
        let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry")).policy_file("");
        let config = Config::new("app", "1.0.0").env(Env::empty()).consent(consent);
        let error = Client::new(config.endpoint("https://t.example.com")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Transport);
        assert!(error.to_string().contains("`rustls` or `native-tls`"), "{error}");
    }
}
