//! What many of these tests begin with.
//!
//! Never reads the environment.

use std::time::Duration;

use candor::{Client, Config, Consent, DynamicEvent, Env, Event, Notice};
use serde_json::{Map, Value, json};

use crate::{Received, Reply, Server};

/// More time than anything here needs, even on a busy machine.
pub const LONG: Duration = Duration::from_secs(30);

/// Far less than the request timeout of 15 seconds: who returns within this has not waited one out.
pub const SOON: Duration = Duration::from_secs(5);

/// A consent to which nothing on this machine can say no: not even its policy file is read.
pub fn granted() -> Consent {
    Consent::opt_out(Notice::documented("https://example.com/telemetry")).policy_file("")
}

/// A configuration for an endpoint, on an empty environment, with short waits between retries. Nothing
/// leaves because time passes, so that a slow machine sees the same as a fast one.
pub fn config_for(endpoint: &str) -> Config {
    Config::new("test-app", "1.2.3")
        .env(Env::empty())
        .consent(granted())
        .endpoint(endpoint)
        .flush_interval(LONG * 100)
        .retry_delays(Duration::from_millis(5), Duration::from_millis(50))
        .shutdown_timeout(LONG)
}

pub fn config(server: &Server) -> Config {
    config_for(&server.url())
}

pub fn client(config: Config) -> Client {
    let client = Client::new(config).expect("a configuration that works");
    assert!(client.is_enabled(), "{:?}", client.disabled_reason());
    client
}

/// A small event whose property `n` tells it from others.
pub fn numbered(n: usize) -> impl Event {
    DynamicEvent::new("counted", "node-7").property("n", n)
}

/// Returns the property `n` of each event.
pub fn numbers(events: &[Value]) -> Vec<usize> {
    let number = |event: &Value| event["properties"]["n"].as_u64().and_then(|n| usize::try_from(n).ok());
    events.iter().filter_map(number).collect()
}

/// A server that takes everything, with a result for each event as PostHog's v1 protocol wants it.
pub fn taking_server() -> Server {
    Server::always(Reply::judged(taken))
}

/// A reply that names each event of the request as taken.
pub fn taken(request: &Received) -> Reply {
    results(request, |_| json!({ "result": "ok" }))
}

/// A reply with the result that `judge` has for each event.
pub fn results(request: &Received, judge: impl Fn(&Value) -> Value) -> Reply {
    let events = request.events();
    let results: Map<String, Value> =
        events.iter().filter_map(|event| Some((event["uuid"].as_str()?.to_owned(), judge(event)))).collect();
    Reply::ok().body(json!({ "results": results }).to_string())
}
