//! Removes secrets from the messages of the endpoint and the transport, which may repeat them.

use super::report::excerpt;

/// The secrets of a client's requests.
#[derive(Clone, Default)]
pub(crate) struct Secrets {
    /// The API key, and the text that is shown in its place.
    pub(crate) api_key: Option<(String, String)>,
    /// The values of the application's own headers.
    pub(crate) headers: Vec<String>,
}

/// The minimum length of a header value that is treated as a secret; a shorter one could occur in any text.
const MIN_SECRET: usize = 6;

impl Secrets {
    /// Returns the text shortened and without secrets; `headers` are those of the request in question.
    pub(super) fn excerpt(&self, text: &str, headers: &[(&'static str, String)]) -> String {
        let mut text = text.to_owned();
        if let Some((secret, shown)) = self.api_key.as_ref().filter(|(secret, _)| !secret.is_empty()) {
            text = text.replace(secret, shown);
        }
        let authorization = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("authorization"));
        for value in authorization.map(|(_, value)| value).chain(&self.headers) {
            // The credentials of an authorization may be repeated without its scheme.
            let credentials = value.split_once(' ').map(|(_, credentials)| credentials);
            for secret in [Some(value.as_str()), credentials].into_iter().flatten().map(str::trim) {
                if secret.len() >= MIN_SECRET {
                    text = text.replace(secret, "...");
                }
            }
        }
        excerpt(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::Secrets;

    #[test]
    fn no_secret_is_repeated() {
        let secrets = Secrets {
            api_key: Some(("phc_confidential".to_owned(), "phc_...".to_owned())),
            headers: vec!["Basic dXNlcjpwYXNz".to_owned(), "eu-west".to_owned(), "1".to_owned()],
        };
        let headers =
            [("authorization", "Bearer tok_confidential".to_owned()), ("x-attempt", "1000000".to_owned())];
        for (text, wanted) in [
            ("no key phc_confidential", "no key phc_..."),
            ("Bearer tok_confidential is wrong", "... is wrong"),
            ("tok_confidential, dXNlcjpwYXNz in eu-west", "..., ... in ..."),
            ("attempt 1000000 of 1", "attempt 1000000 of 1"),
        ] {
            assert_eq!(secrets.excerpt(text, &headers), wanted);
        }
    }
}
