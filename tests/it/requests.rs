//! Each request is captured once, in its own context, and without the values of its path.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;

use axum::Router;
use axum::extract::MatchedPath;
use axum::routing::get;
use candor::{CaptureLayer, Client, ContextLayer, DynamicEvent, RequestSummary};
use serde_json::{Value, json};

use testkit::Server;
use testkit::clients::{LONG, client, config};

/// Serves an application until the test is over; gives its address to `work`.
fn serving(app: Router, work: impl FnOnce(SocketAddr)) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move { axum::serve(listener, app).await });
    work(address);
    runtime.shutdown_background();
}

fn request(address: SocketAddr, line: &str, user: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    let head =
        format!("{line} HTTP/1.1\r\nhost: x\r\nx-posthog-distinct-id: {user}\r\nconnection: close\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn app(client: &Client) -> Router {
    async fn broken() -> &'static str {
        panic!("in the handler")
    }
    let event = |request: &RequestSummary<'_>| {
        assert_ne!(request.method(), "DELETE", "in the application's function");
        let event = DynamicEvent::in_context("request handled")
            .property("method", request.method())
            .property("route", request.route()?.to_owned())
            .property("status", request.status())
            .property("took", request.duration().as_nanos() > 0);
        Some(event)
    };
    let requests = CaptureLayer::new(event)
        .route(|extensions| Some(extensions.get::<MatchedPath>()?.as_str().to_owned()))
        .client(client.clone());
    let order = get(|| async { "an order" }).delete(|| async { "gone" });
    Router::new()
        .route("/orders/{id}", order)
        .route("/broken", get(broken))
        .layer(requests)
        .layer(ContextLayer::new())
}

#[test]
fn under_load_each_request_is_captured_once_in_its_own_context() {
    let server = Server::start([]);
    let client = client(config(&server));
    serving(app(&client), |address| {
        thread::scope(|scope| {
            for worker in 0..8 {
                scope.spawn(move || {
                    for number in 0..25 {
                        let line = format!("GET /orders/secret-{worker}-{number}?token=hidden");
                        let answer = request(address, &line, &format!("user_{worker}_{number}"));
                        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
                    }
                });
            }
        });
        // Known requests whose path matches nothing, and whose function panics, are not captured.
        assert!(request(address, "GET /nowhere", "nobody").starts_with("HTTP/1.1 404"));
        assert!(request(address, "DELETE /orders/1", "nobody").starts_with("HTTP/1.1 200"));
    });
    client.shutdown(LONG).unwrap();
    let events = server.events();
    let mut users: Vec<&str> = events.iter().filter_map(|event| event["distinct_id"].as_str()).collect();
    users.sort_unstable();
    let mut wanted: Vec<String> =
        (0..8).flat_map(|worker| (0..25).map(move |number| format!("user_{worker}_{number}"))).collect();
    wanted.sort();
    assert_eq!(users, wanted);
    for event in &events {
        let properties = &event["properties"];
        let own: Vec<&Value> = ["method", "route", "status", "took"].map(|name| &properties[name]).to_vec();
        assert_eq!(own, [&json!("GET"), &json!("/orders/{id}"), &json!(200), &json!(true)]);
        let text = event.to_string();
        assert!(!text.contains("secret") && !text.contains("hidden"), "{text}");
    }
}

#[test]
fn a_request_without_a_response_is_captured_once_and_none_while_off() {
    let server = Server::start([]);
    let client = client(config(&server));
    serving(app(&client), |address| {
        // The panic closes the connection.
        assert_eq!(request(address, "GET /broken", "user_1"), "");
        client.flush(LONG).unwrap();
        let events = server.events();
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!(
            (&events[0]["distinct_id"], &events[0]["properties"]["status"]),
            (&json!("user_1"), &Value::Null)
        );
        client.shutdown(LONG).unwrap();
        request(address, "GET /orders/1", "user_2");
    });
    assert_eq!(client.stats().captured, 1, "nothing is captured when the client is shut down");
}
