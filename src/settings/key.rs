//! The API key of an endpoint.
//!
//! Never prints the key.

use std::fmt;

/// A project's API key, which prints as its first four characters, or if it is short as none of them.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ApiKey {
    secret: String,
    shown: String,
}

impl ApiKey {
    /// Trims the key; `None` if nothing is left.
    pub(crate) fn new(key: &str) -> Option<Self> {
        let secret = key.trim();
        if secret.is_empty() {
            return None;
        }
        // Of a short key four characters would be too much.
        let start: String = secret.chars().take(if secret.len() > 8 { 4 } else { 0 }).collect();
        Some(Self { secret: secret.to_owned(), shown: format!("{start}...") })
    }

    /// Returns the key itself, for the wire.
    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }

    /// Returns what may be shown of the key.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// Describes what is wrong with the key, by PostHog's rule: at most 64 ASCII bytes, not a personal key.
    pub(crate) fn flaw(&self) -> Option<&'static str> {
        if self.secret.len() > 64 {
            Some("longer than 64 bytes")
        } else if !self.secret.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte)) {
            // With quotes or backslashes the key would look different in a body, and not be found there
            // if it has to be hidden.
            Some("not plain ASCII, or with quotes or backslashes")
        } else if self.secret.starts_with("phx_") {
            Some("a personal key (phx_), not a project key")
        } else {
            None
        }
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::ApiKey;

    #[test]
    fn prints_four_characters_only() {
        let key = ApiKey::new("  phc_abcdef ").unwrap();
        assert_eq!(format!("{key:?}"), "phc_...");
        assert_eq!(key.secret(), "phc_abcdef");
        assert_eq!(format!("{:?}", ApiKey::new("short").unwrap()), "...");
        assert!(ApiKey::new("  ").is_none());
    }

    #[test]
    fn refuses_what_posthog_would_refuse() {
        let flaw = |key: &str| ApiKey::new(key).unwrap().flaw();
        assert_eq!(flaw("phc_abc"), None);
        assert!(flaw("phx_abc").is_some());
        assert!(flaw(&"k".repeat(65)).is_some());
        assert!(flaw("ph\u{fc}").is_some());
        assert!(flaw("phc_\"abc").is_some());
        assert!(flaw("phc_\\abc").is_some());
    }
}
