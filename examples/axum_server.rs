//! An axum server: one event for each request, with the distinct id of its sender, and a shutdown that blocks no
//! thread.
//!
//! ```text
//! cargo run --example axum_server --features tower -- --url http://127.0.0.1:8000 --listen 127.0.0.1:3000
//! curl -H 'X-PostHog-Distinct-Id: user_7' http://127.0.0.1:3000/orders/12
//! ```

use std::time::Duration;

use axum::Router;
use axum::extract::MatchedPath;
use axum::routing::get;
use candor::tower::{CaptureLayer, ContextLayer, RequestSummary};
use candor::{Config, Consent, DynamicEvent, Notice};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let url = option("--url").unwrap_or_else(|| "https://t.example.com".to_owned());
    let address = option("--listen").unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let config = Config::new("axum_server", env!("CARGO_PKG_VERSION"))
        .endpoint(url)
        .consent(Consent::opt_out(Notice::documented("https://example.com/telemetry")));
    let guard = candor::init(config).map_err(std::io::Error::other)?;

    let listener = TcpListener::bind(address).await?;
    println!("listening on {}", listener.local_addr()?);
    axum::serve(listener, app()).with_graceful_shutdown(stopped()).await?;

    // Queued events are delivered while the runtime keeps running.
    match guard.client().shutdown_async(Duration::from_secs(5)).await {
        Ok(done) => println!("{} events delivered, {} lost", done.delivered, done.lost()),
        Err(error) => eprintln!("{error}"),
    }
    Ok(())
}

/// Waits for Ctrl-C, or for the SIGTERM with which Kubernetes and systemd stop a service.
async fn stopped() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let Ok(mut terminate) = signal(SignalKind::terminate()) else { return };
        tokio::select! {
            _ = terminate.recv() => {}
            _ = tokio::signal::ctrl_c() => {}
        }
    }
    #[cfg(not(unix))]
    let _ = tokio::signal::ctrl_c().await;
}

fn option(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}

fn app() -> Router {
    let requests = CaptureLayer::new(handled)
        .route(|extensions| Some(extensions.get::<MatchedPath>()?.as_str().to_owned()));
    Router::new()
        .route("/orders/{id}", get(order))
        // The layer that is added last is the outer one, so the context applies while the event is captured.
        .layer(requests)
        .layer(ContextLayer::new())
}

async fn order() -> &'static str {
    candor::capture(DynamicEvent::in_context("order viewed"));
    "your order\n"
}

/// Returns the event of a request; `None` if no route matched.
fn handled(request: &RequestSummary<'_>) -> Option<DynamicEvent> {
    let event = DynamicEvent::in_context("request handled")
        .property("method", request.method())
        .property("route", request.route()?.to_owned())
        .property("status", request.status())
        .property("duration_ms", request.duration().as_secs_f64() * 1000.0);
    Some(event)
}
