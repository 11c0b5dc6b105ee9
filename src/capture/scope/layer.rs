//! A tower layer that reads a request's ids from its headers.
//!
//! Never takes a header's text as it is: blank, long and unprintable ones are cleaned or ignored.

use std::pin::Pin;
use std::task::{Context as Waking, Poll};

use http::{HeaderMap, Request};
use tower_layer::Layer;
use tower_service::Service;

use crate::event::Context;

/// PostHog cuts longer ids, so that two of them could become one; such a header is ignored.
const MAX_CHARACTERS: usize = 200;

/// Puts a [`Context`] in force while a request is handled, with the ids that PostHog's browser library sends along.
/// Needs the feature `tower`.
///
/// `X-PostHog-Distinct-Id` and `X-PostHog-Session-Id` are trimmed, control characters are taken out, and what is
/// then blank or longer than 200 characters is ignored. Both come from the other side and can be made up: where you
/// know who is asking, [`enter`](Context::enter) a context of your own inside.
#[derive(Clone, Copy, Debug, Default)]
pub struct ContextLayer;

impl ContextLayer {
    /// Creates the layer.
    pub fn new() -> Self {
        Self
    }
}

impl<S> Layer<S> for ContextLayer {
    type Service = ContextService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ContextService { inner }
    }
}

/// The service of a [`ContextLayer`].
#[derive(Clone, Copy, Debug)]
pub struct ContextService<S> {
    inner: S,
}

impl<S, B> Service<Request<B>> for ContextService<S>
where
    S: Service<Request<B>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, waking: &mut Waking<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(waking)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let context = context_of(request.headers());
        let future = context.run(|| self.inner.call(request));
        Box::pin(context.in_task(future))
    }
}

fn context_of(headers: &HeaderMap) -> Context {
    let text = |name: &str| clean(headers.get(name)?.as_bytes());
    let mut context = Context::new();
    if let Some(id) = text("x-posthog-distinct-id") {
        context = context.distinct_id(id);
    }
    if let Some(id) = text("x-posthog-session-id") {
        context = context.session_id(id);
    }
    context
}

/// Returns what can be used of a header.
fn clean(value: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(value).ok()?;
    let text: String = text.chars().filter(|letter| !letter.is_control()).collect();
    let text = text.trim();
    let is_usable = !text.is_empty() && text.chars().count() <= MAX_CHARACTERS;
    is_usable.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn a_header_is_trimmed_stripped_and_bounded() {
        for (value, wanted) in [
            ("user_1", Some("user_1")),
            (" \tuser_1\t ", Some("user_1")),
            ("us\u{1b}er\u{7f}_\u{85}1", Some("user_1")),
            ("", None),
            ("\u{0}\t ", None),
            (&"x".repeat(200), Some(&*"x".repeat(200))),
            (&"x".repeat(201), None),
        ] {
            assert_eq!(clean(value.as_bytes()).as_deref(), wanted, "{value:?}");
        }
        assert_eq!(clean(b"\xff\xfe"), None);
    }
}
