//! The API key of an endpoint.
//!
//! Never prints the key.

use std::fmt;

/// A project's API key. It prints as its first four characters, or as none of them if it is short.
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
        // Four characters of a short key would reveal too much.
        let start: String = secret.chars().take(if secret.len() > 8 { 4 } else { 0 }).collect();
        Some(Self { secret: secret.to_owned(), shown: format!("{start}...") })
    }

    /// Returns the key itself, for the wire.
    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }

    /// Returns the part of the key that may be shown.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }

    /// Returns what is wrong with the key by PostHog's rules: it must be at most 64 ASCII bytes and not a personal
    /// key.
    pub(crate) fn flaw(&self) -> Option<&'static str> {
        if self.secret.len() > 64 {
            Some("longer than 64 bytes")
        } else if !self.secret.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte)) {
            // A key with quotes or backslashes would look different in a body, and could not be found there to be
            // hidden.
            Some("must be plain ASCII without quotes or backslashes")
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
    fn prints_only_four_characters() {
        let key = ApiKey::new("  phc_abcdef ").unwrap();
        assert_eq!(format!("{key:?}"), "phc_...");
        assert_eq!(key.secret(), "phc_abcdef");
        assert_eq!(format!("{:?}", ApiKey::new("short").unwrap()), "...");
        assert!(ApiKey::new("  ").is_none());
    }

    #[test]
    fn rejects_a_key_that_posthog_would_reject() {
        let flaw = |key: &str| ApiKey::new(key).unwrap().flaw();
        assert_eq!(flaw("phc_abc"), None);
        assert!(flaw("phx_abc").is_some());
        assert!(flaw(&"k".repeat(65)).is_some());
        assert!(flaw("ph\u{fc}").is_some());
        assert!(flaw("phc_\"abc").is_some());
        assert!(flaw("phc_\\abc").is_some());
    }
}
