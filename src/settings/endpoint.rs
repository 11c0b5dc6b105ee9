//! The endpoint that events are sent to.

use std::fmt;

use ureq::http::Uri;

use crate::error::{Error, ErrorKind, Result};

/// A validated base URL without a trailing slash.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    url: String,
    is_https: bool,
}

/// Where PostHog's cloud in the European Union takes events.
pub(crate) const POSTHOG_EU: &str = "https://eu.i.posthog.com";

/// Where PostHog's cloud in the United States takes events.
pub(crate) const POSTHOG_US: &str = "https://us.i.posthog.com";

/// PostHog's web hosts, and the hosts that ingest their events.
const INGESTION: [(&str, &str); 3] = [
    ("https://app.posthog.com", POSTHOG_US),
    ("https://us.posthog.com", POSTHOG_US),
    ("https://eu.posthog.com", POSTHOG_EU),
];

impl Endpoint {
    /// Validates a URL: `http` or `https`, with a host, and without a user, query or fragment.
    pub(crate) fn parse(url: &str) -> Result<Self> {
        let url = url.trim().trim_end_matches('/');
        let url =
            INGESTION.iter().find(|(web, _)| url.eq_ignore_ascii_case(web)).map_or(url, |found| found.1);
        let wrong = |why: &str| Error::new(ErrorKind::Config, format!("endpoint: {why}"));
        // A URL can contain a password, so no message repeats it.
        if url.contains('#') {
            return Err(wrong("it must not have a fragment"));
        }
        let uri: Uri = url.parse().map_err(|cause| wrong("not a URL").caused_by(cause))?;
        let is_https = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            _ => return Err(wrong("it must start with http:// or https://")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("it has no host"))?;
        if authority.host().is_empty() {
            return Err(wrong("it has no host"));
        }
        if authority.as_str().contains('@') {
            return Err(wrong("it must not contain a user or password"));
        }
        if authority
            .as_str()
            .rsplit_once(':')
            .is_some_and(|(_, port)| port.parse::<u16>().is_err() && !port.ends_with(']'))
        {
            return Err(wrong("its port must be a number up to 65535"));
        }
        if uri.query().is_some() {
            return Err(wrong("it must not have a query"));
        }
        Ok(Self { url: url.to_owned(), is_https })
    }

    /// Rejects an endpoint that ends with a path that the protocol adds itself.
    pub(crate) fn check_path(&self, paths: &[&str]) -> Result<()> {
        for path in paths.iter().map(|path| path.trim_end_matches('/')).filter(|path| !path.is_empty()) {
            if self.url.ends_with(path) {
                let text =
                    format!("endpoint: remove the path `{path}` from its end, because the protocol adds it");
                return Err(Error::new(ErrorKind::Config, text));
            }
        }
        Ok(())
    }

    /// Rejects an envelope's path that does not form a URL with this endpoint (RFC 3986, sections 3.3 and 3.4).
    pub(crate) fn check_envelope_path(&self, path: &str) -> Result<()> {
        let is_allowed = |letter: char| letter.is_ascii_graphic() && !r##""#<>\^`{|}"##.contains(letter);
        if path.starts_with('/') && path.chars().all(is_allowed) && self.join(path).parse::<Uri>().is_ok() {
            return Ok(());
        }
        let text = format!(
            "envelope: its path {path:?} is not valid in a URL; start it with a slash and percent-encode other characters"
        );
        Err(Error::new(ErrorKind::Config, text))
    }

    /// Returns the URL of a path under this endpoint; `path` starts with a slash.
    pub(crate) fn join(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// Returns the base URL, without a trailing slash.
    pub(crate) fn as_str(&self) -> &str {
        &self.url
    }

    /// Returns whether the endpoint is PostHog's cloud, which refuses batches without an API key.
    pub(crate) fn is_posthogs_cloud(&self) -> bool {
        let uri: Option<Uri> = self.url.parse().ok();
        let host = uri.as_ref().and_then(Uri::host).unwrap_or_default();
        host.to_ascii_lowercase().ends_with(".i.posthog.com")
    }

    /// Returns whether the endpoint uses TLS.
    pub(crate) fn is_https(&self) -> bool {
        self.is_https
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

#[cfg(test)]
mod tests {
    use super::Endpoint;

    #[test]
    fn posthogs_web_hosts_become_its_ingestion_hosts() {
        for (given, wanted) in [
            ("https://t.example.com", "https://t.example.com"),
            (" https://t.example.com// ", "https://t.example.com"),
            ("https://app.posthog.com/", "https://us.i.posthog.com"),
            ("https://us.posthog.com", "https://us.i.posthog.com"),
            ("https://eu.posthog.com", "https://eu.i.posthog.com"),
            ("https://eu.i.posthog.com", "https://eu.i.posthog.com"),
            ("http://127.0.0.1:8000/relay", "http://127.0.0.1:8000/relay"),
            ("http://[::1]:8000", "http://[::1]:8000"),
        ] {
            assert_eq!(Endpoint::parse(given).unwrap().as_str(), wanted, "{given}");
        }
    }

    #[test]
    fn a_wrong_url_is_rejected_with_a_reason_but_without_its_text() {
        for (given, why) in [
            ("", "not a URL"),
            ("t.example.com", "http:// or https://"),
            ("ftp://t.example.com", "http:// or https://"),
            ("https://", "http:// or https://"),
            ("https://user:secret@t.example.com", "user or password"),
            ("https://t.example.com?key=secret", "query"),
            ("https://t.example.com/#secret", "fragment"),
            ("https://t.example.com:99999", "port"),
            ("https://t exam", "not a URL"),
        ] {
            let error = Endpoint::parse(given).unwrap_err().to_string();
            assert!(error.contains(why) && !error.contains("secret"), "{given}: {error}");
        }
    }
}
