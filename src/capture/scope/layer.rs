//! A tower layer that creates a request's context, from its headers or with a function of the application.
//!
//! Header values are cleaned; blank and long ones are ignored.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Waking, Poll};

use http::request::Parts;
use http::{HeaderMap, HeaderName, Request};
use tower_layer::Layer;
use tower_service::Service;

use crate::event::Context;
use crate::panic::catch_panic;

/// PostHog truncates longer ids, so two of them could become one. Such a header is ignored.
const MAX_CHARACTERS: usize = 200;

/// Puts a [`Context`] in force while a request is handled. Requires the feature `tower`.
///
/// [`new`](Self::new) reads the headers that PostHog's browser library sends. They come from the client and can be
/// forged: if you know who is asking, create the context from the request yourself, for example from what your
/// authentication has stored in its extensions.
///
/// ```
/// use axum::routing::post;
/// use candor::tower::ContextLayer;
/// use candor::Context;
///
/// /// The signed-in user, as your authentication stores it.
/// #[derive(Clone)]
/// struct User(u64);
///
/// async fn order() -> &'static str {
///     candor::event!("order placed", items = 3); // about `user_7` if user 7 sent the request
///     "thank you"
/// }
///
/// let contexts = ContextLayer::from_request(|request| {
///     let context = Context::new().property("method", request.method.as_str());
///     match request.extensions.get::<User>() {
///         Some(User(id)) => context.distinct_id(format!("user_{id}")),
///         None => context,
///     }
/// });
/// // The layer added last runs first, so add authentication after `contexts`.
/// let app: axum::Router = axum::Router::new().route("/order", post(order)).layer(contexts);
/// ```
#[derive(Clone)]
pub struct ContextLayer {
    source: Source,
}

/// The source of the context.
#[derive(Clone)]
enum Source {
    Headers { distinct_id: Option<HeaderName>, session_id: Option<HeaderName> },
    Function(Arc<dyn Fn(&Parts) -> Context + Send + Sync>),
}

impl ContextLayer {
    /// Creates a layer that reads the distinct id from `X-PostHog-Distinct-Id` and the session id from
    /// `X-PostHog-Session-Id`.
    pub fn new() -> Self {
        Self::headers("x-posthog-distinct-id", "x-posthog-session-id")
    }

    /// Creates a layer that reads the distinct id and the session id from headers with these names, ignoring case.
    /// A name that is not valid for a header, such as an empty one, is ignored.
    ///
    /// Values are trimmed and control characters are removed. A value that is then blank or longer than 200
    /// characters is ignored. A request without a distinct id gets a random one, and its events are stored without
    /// a person.
    ///
    /// ```
    /// let layer = candor::tower::ContextLayer::headers("X-Account", "X-Session");
    /// ```
    pub fn headers(distinct_id: &str, session_id: &str) -> Self {
        let name = |name: &str| HeaderName::from_bytes(name.as_bytes()).ok();
        let (distinct_id, session_id) = (name(distinct_id), name(session_id));
        Self { source: Source::Headers { distinct_id, session_id } }
    }

    /// Creates a layer that calls `context` with the head of each request: its method, URI, headers and extensions.
    ///
    /// The function also runs while telemetry is off, so keep it cheap. If it panics, the request is handled as
    /// usual, with an empty context.
    pub fn from_request(context: impl Fn(&Parts) -> Context + Send + Sync + 'static) -> Self {
        Self { source: Source::Function(Arc::new(context)) }
    }
}

impl Default for ContextLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ContextLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Source::Headers { distinct_id, session_id } => f
                .debug_struct("ContextLayer")
                .field("distinct_id", distinct_id)
                .field("session_id", session_id)
                .finish(),
            Source::Function(_) => f.debug_struct("ContextLayer").finish_non_exhaustive(),
        }
    }
}

impl<S> Layer<S> for ContextLayer {
    type Service = ContextService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        ContextService { inner, source: self.source.clone() }
    }
}

/// The service of a [`ContextLayer`].
#[derive(Clone)]
pub struct ContextService<S> {
    inner: S,
    source: Source,
}

impl<S: fmt::Debug> fmt::Debug for ContextService<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ContextService").field("inner", &self.inner).finish_non_exhaustive()
    }
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
        let (head, body) = request.into_parts();
        let context = self.source.context(&head);
        let request = Request::from_parts(head, body);
        let future = context.run(|| self.inner.call(request));
        Box::pin(context.in_task(future))
    }
}

impl Source {
    fn context(&self, head: &Parts) -> Context {
        match self {
            Self::Headers { distinct_id, session_id } => {
                of_headers(&head.headers, distinct_id.as_ref(), session_id.as_ref())
            }
            Self::Function(context) => catch_panic(|| context(head)).unwrap_or_else(|| {
                log::warn!(target: "candor", "the function of a ContextLayer panicked; this request has an empty context");
                Context::new()
            }),
        }
    }
}

fn of_headers(
    headers: &HeaderMap,
    distinct_id: Option<&HeaderName>,
    session_id: Option<&HeaderName>,
) -> Context {
    let text = |name: Option<&HeaderName>| clean(headers.get(name?)?.as_bytes());
    let mut context = Context::new();
    if let Some(id) = text(distinct_id) {
        context = context.distinct_id(id);
    }
    if let Some(id) = text(session_id) {
        context = context.session_id(id);
    }
    context
}

/// Returns the usable text of a header, if there is any.
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
    fn a_header_is_trimmed_stripped_and_limited() {
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
