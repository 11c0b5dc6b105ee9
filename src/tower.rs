//! Layers for tower services, such as those of axum and tonic: one for the context of requests, one for their events.
//!
//! [`ContextLayer`] sets the [`Context`](crate::Context) that applies while a request is handled. [`CaptureLayer`]
//! captures an event of the application's choice when a request has been handled.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as Waking, Poll};
use std::time::{Duration, Instant};

use http::{Extensions, Method, Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::client::Client;
use crate::event::Event;
use crate::global;
use crate::panic::catch_panic;

pub use crate::capture::{ContextLayer, ContextService};

/// A summary of a handled request. It never contains the values in the path, the query, the headers or the bodies.
#[derive(Clone, Copy, Debug)]
pub struct RequestSummary<'a> {
    method: &'a Method,
    route: Option<&'a str>,
    status: Option<u16>,
    duration: Duration,
}

impl<'a> RequestSummary<'a> {
    /// Returns the method: a standard HTTP method, or `other`.
    pub fn method(&self) -> &'static str {
        let known = [
            (Method::GET, "GET"),
            (Method::POST, "POST"),
            (Method::PUT, "PUT"),
            (Method::DELETE, "DELETE"),
            (Method::HEAD, "HEAD"),
            (Method::OPTIONS, "OPTIONS"),
            (Method::PATCH, "PATCH"),
            (Method::CONNECT, "CONNECT"),
            (Method::TRACE, "TRACE"),
        ];
        known.iter().find(|(method, _)| method == self.method).map_or("other", |(_, name)| name)
    }

    /// Returns the route that matched, such as `/orders/{id}`; `None` if none matched, or if
    /// [`CaptureLayer::route`] is not set.
    pub fn route(&self) -> Option<&'a str> {
        self.route
    }

    /// Returns the status of the response; `None` if there was none because the service failed or panicked, or the
    /// connection was closed first.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// Returns the time until the head of the response was ready, or until the request ended without one.
    pub fn duration(&self) -> Duration {
        self.duration
    }
}

/// Captures an event for each handled request, if the application's function returns one. Needs the feature `tower`.
///
/// ```
/// use candor::tower::CaptureLayer;
/// use candor::DynamicEvent;
///
/// let requests = CaptureLayer::new(|request| {
///     // Requests that matched no route are not reported.
///     let route = request.route()?.to_owned();
///     Some(
///         DynamicEvent::in_context("request handled")
///             .property("method", request.method())
///             .property("route", route)
///             .property("status", request.status())
///             .property("duration_ms", request.duration().as_millis() as u64),
///     )
/// })
/// .route(|extensions| Some(extensions.get::<axum::extract::MatchedPath>()?.as_str().to_owned()));
/// let app: axum::Router = axum::Router::new()
///     .route("/orders/{id}", axum::routing::get(|| async { "an order" }))
///     .layer(requests) // inside the context, so the event has its distinct id
///     .layer(candor::tower::ContextLayer::new());
/// # let _ = app;
/// ```
///
/// The event is captured once per request: when the head of the response is ready, or when the request ends without
/// one. The function is not called while telemetry is off. A panic in it is caught, and only the event is lost.
#[derive(Clone)]
pub struct CaptureLayer {
    capture: Arc<Capture>,
    route: Option<Arc<Route>>,
    client: Option<Client>,
}

type Capture = dyn Fn(&Client, &RequestSummary<'_>) + Send + Sync;
type Route = dyn Fn(&Extensions) -> Option<String> + Send + Sync;

impl CaptureLayer {
    /// Creates a layer that captures the event that `event` returns for each request, on the global client.
    pub fn new<E: Event>(event: impl Fn(&RequestSummary<'_>) -> Option<E> + Send + Sync + 'static) -> Self {
        let capture = move |client: &Client, summary: &RequestSummary<'_>| {
            if let Some(event) = event(summary) {
                client.capture(event);
            }
        };
        Self { capture: Arc::new(capture), route: None, client: None }
    }

    /// Sets how the matched route is read from the request's extensions, where the router puts it before the layer is
    /// called. Return the pattern and never the path, whose values may be personal.
    #[must_use]
    pub fn route(mut self, route: impl Fn(&Extensions) -> Option<String> + Send + Sync + 'static) -> Self {
        self.route = Some(Arc::new(route));
        self
    }

    /// Sets the client to capture on, instead of the global one.
    #[must_use]
    pub fn client(mut self, client: Client) -> Self {
        self.client = Some(client);
        self
    }
}

impl fmt::Debug for CaptureLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CaptureLayer").finish_non_exhaustive()
    }
}

impl<S> Layer<S> for CaptureLayer {
    type Service = CaptureService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        CaptureService { inner, layer: self.clone() }
    }
}

/// The service of a [`CaptureLayer`].
#[derive(Clone, Debug)]
pub struct CaptureService<S> {
    inner: S,
    layer: CaptureLayer,
}

impl<S, B, R> Service<Request<B>> for CaptureService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, waking: &mut Waking<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(waking)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let handled = Handled::begin(&self.layer, request.method(), request.extensions());
        let future = self.inner.call(request);
        Box::pin(async move {
            let mut handled = handled;
            let result = future.await;
            if let (Some(handled), Ok(response)) = (&mut handled, &result) {
                handled.status = Some(response.status().as_u16());
            }
            drop(handled);
            result
        })
    }
}

/// A request in progress, whose event is captured when it is dropped, however the request ends.
struct Handled {
    layer: CaptureLayer,
    client: Client,
    method: Method,
    route: Option<String>,
    status: Option<u16>,
    started: Instant,
}

impl Handled {
    /// Starts to observe a request, unless telemetry is off.
    fn begin(layer: &CaptureLayer, method: &Method, extensions: &Extensions) -> Option<Self> {
        let client = layer.client.clone().or_else(global::client)?;
        if !client.is_enabled() {
            return None;
        }
        let route = layer.route.as_ref().and_then(|route| catch_panic(|| route(extensions)).flatten());
        Some(Self {
            layer: layer.clone(),
            client,
            method: method.clone(),
            route,
            status: None,
            started: Instant::now(),
        })
    }
}

impl Drop for Handled {
    fn drop(&mut self) {
        let summary = RequestSummary {
            method: &self.method,
            route: self.route.as_deref(),
            status: self.status,
            duration: self.started.elapsed(),
        };
        if catch_panic(|| (self.layer.capture)(&self.client, &summary)).is_none() {
            catch_panic(
                || log::warn!(target: "candor", "the function passed to CaptureLayer::new panicked; its event was dropped"),
            );
        }
    }
}
