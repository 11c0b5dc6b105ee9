//! An envelope that adds a bearer token to another. Never writes the token into a body, a log or an error.

use std::fmt;

use super::response::Response;
use super::{Attempt, BatchInfo, Envelope, EnvelopeLimits, Verdict, WireEvent};
use crate::error::{Error, ErrorKind, Result};

/// An envelope whose requests carry `Authorization: Bearer ..`.
///
/// ```
/// # fn main() -> candor::Result<()> {
/// use candor::wire::{Bearer, FlatRecord};
/// use candor::Config;
///
/// let token = "token of the session";
/// let config = Config::new("cilock", "0.4.1").envelope(Bearer::new(token, FlatRecord::new("/cli/t"))?);
/// # drop(config);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Bearer<E> {
    header: String,
    envelope: E,
}

impl<E: Envelope> Bearer<E> {
    /// Wraps an envelope so that its requests carry the token; whitespace around the token is removed.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the token is blank, or contains anything but visible ASCII and spaces.
    pub fn new(token: impl AsRef<str>, envelope: E) -> Result<Self> {
        let token = token.as_ref().trim();
        if token.is_empty() || !token.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()) {
            return Err(Error::new(
                ErrorKind::Config,
                "bearer token: it is blank or contains characters that are not visible ASCII; pass the token alone",
            ));
        }
        Ok(Self { header: format!("Bearer {token}"), envelope })
    }
}

impl<E: Envelope> Envelope for Bearer<E> {
    fn path(&self) -> &str {
        self.envelope.path()
    }

    fn limits(&self) -> EnvelopeLimits {
        self.envelope.limits()
    }

    fn begin(&self, batch: &BatchInfo, body: &mut Vec<u8>) {
        self.envelope.begin(batch, body);
    }

    fn event(&self, event: &WireEvent<'_>, body: &mut Vec<u8>) {
        self.envelope.event(event, body);
    }

    fn end(&self, batch: &BatchInfo, attempt: Attempt, body: &mut Vec<u8>) {
        self.envelope.end(batch, attempt, body);
    }

    fn headers(&self, batch: &BatchInfo, attempt: Attempt, headers: &mut Vec<(&'static str, String)>) {
        self.envelope.headers(batch, attempt, headers);
        headers.push(("authorization", self.header.clone()));
    }

    fn verdict(&self, response: &Response) -> Verdict {
        self.envelope.verdict(response)
    }
}

impl<E: fmt::Debug> fmt::Debug for Bearer<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearer").field("envelope", &self.envelope).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::Bearer;
    use crate::event::{CommonProperties, DynamicEvent};
    use crate::wire::sample::{body_of, headers_of};
    use crate::wire::{Envelope, FlatRecord};

    #[test]
    fn the_token_appears_only_in_the_header() {
        let bearer = Bearer::new(" tok_secret ", FlatRecord::new("/cli/t")).unwrap();
        assert_eq!(headers_of(&bearer), [("authorization", "Bearer tok_secret".to_owned())]);
        assert_eq!((bearer.path(), bearer.limits().max_events), ("/cli/t", 1));
        let body = body_of(
            &bearer,
            &CommonProperties::default(),
            &[DynamicEvent::new("run", "acc").property("n", 1)],
        );
        assert_eq!(body, br#"{"n":1}"#);
        assert!(!format!("{bearer:?}").contains("secret"));
    }

    #[test]
    fn an_invalid_token_is_refused_without_being_repeated() {
        for token in ["", "  ", "a\nsecret", "secret\u{7f}", "sécret"] {
            let error = Bearer::new(token, FlatRecord::new("/")).unwrap_err().to_string();
            assert!(!error.contains("cret"), "{error}");
        }
    }
}
