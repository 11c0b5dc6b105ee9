//! The API key of an endpoint.
//!
//! Never prints the whole key.

use std::fmt;

/// A project's API key. It prints as its first four characters, or as none of them if it is short.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct ApiKey {
    secret: String,
    shown: String,
}

impl ApiKey {
    /// Creates a key from text, trimmed; `None` if it is blank.
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

    /// Returns what is wrong with the key by PostHog's rules: it must be at most 64 ASCII bytes and neither a personal
    /// key nor a placeholder.
    pub(crate) fn problem(&self) -> Option<&'static str> {
        if self.is_placeholder() {
            Some(
                "this is a placeholder; copy the project API key (phc_) from the settings of your PostHog project",
            )
        } else if self.secret.len() > 64 {
            Some("must be at most 64 bytes long")
        } else if !self.secret.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte)) {
            // A key with quotes or backslashes would look different in a body, and could not be found there to be
            // hidden.
            Some("must be plain ASCII without quotes or backslashes")
        } else if self.secret.starts_with("phx_") {
            Some("must be a project key, not a personal one (phx_)")
        } else {
            None
        }
    }

    /// Returns whether the key is one of those that documentation shows: `phc_...`, `<ph_project_api_key>`,
    /// `phc_your_key`, `phc_project_key` or `phc_xxx`. PostHog's keys are `phc_` and about 43 letters and digits.
    fn is_placeholder(&self) -> bool {
        let lower = self.secret.to_ascii_lowercase();
        let has_mark = ["..", "<", ">", "\u{2026}", "your_", "your-"].iter().any(|part| lower.contains(part));
        has_mark || lower.strip_prefix("phc_").is_some_and(says_nothing)
    }
}

/// Returns whether the part of a key after `phc_` only describes a key: a few words, or one letter again and again.
fn says_nothing(rest: &str) -> bool {
    const WORDS: [&str; 9] = ["your", "my", "the", "posthog", "project", "api", "public", "key", "here"];
    rest.bytes().all(|byte| matches!(byte, b'x' | b'*' | b'_' | b'-'))
        || rest.split(['_', '-']).all(|word| WORDS.contains(&word))
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
        let problem = |key: &str| ApiKey::new(key).unwrap().problem();
        assert_eq!(problem("phc_abc"), None);
        assert!(problem("phx_abc").is_some());
        assert!(problem(&"k".repeat(65)).is_some());
        assert!(problem("ph\u{fc}").is_some());
        assert!(problem("phc_\"abc").is_some());
        assert!(problem("phc_\\abc").is_some());
    }

    #[test]
    fn a_key_in_the_documentation_is_a_placeholder() {
        let pages = [
            include_str!("../../README.md"),
            include_str!("../lib.rs"),
            include_str!("../documentation/guide.md"),
            include_str!("../documentation/migrating_from_posthog_rs.md"),
        ];
        for page in pages {
            let keys = page.split("\"phc_").skip(1).filter_map(|text| text.split('"').next());
            let keys: Vec<_> = keys.map(|key| format!("phc_{key}")).collect();
            assert!(!keys.is_empty());
            for key in keys {
                assert!(ApiKey::new(&key).unwrap().is_placeholder(), "{key}");
            }
        }
    }

    #[test]
    fn a_placeholder_is_reported_as_one() {
        for key in [
            "phc_..",
            "phc_...",
            "phc_",
            "<ph_project_api_key>",
            "YOUR_API_KEY",
            "phc_your-key",
            "phc_\u{2026}",
            "phc_project_key",
            "phc_project_api_key",
            "phc_key",
            "PHC_MY-KEY",
            "phc_xxx",
            "phc_XXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXXX",
            "phc_****",
        ] {
            assert!(ApiKey::new(key).unwrap().problem().unwrap().contains("placeholder"), "{key}");
        }
        for key in [
            "phc_test",
            "phc_test_key",
            "phc_1",
            "phc_xyz",
            "phc_project_token",
            "phc_4xYourKeyqUYf5sDAT4IuOhsGIL4mt",
            "phc_keyqUYf5sDAT4IuOhsGIL4mtprojectxxxxxxapikey",
            "a-token_of-an-older-project",
            "project_key",
            "xxx",
        ] {
            assert_eq!(ApiKey::new(key).unwrap().problem(), None, "{key}");
        }
    }
}
