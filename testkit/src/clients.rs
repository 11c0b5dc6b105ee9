//! Configurations, clients and events that many tests share. The environment is never read.

use std::time::Duration;

use candor::{Client, Config, Consent, DynamicEvent, Env, Event, Notice};
use serde_json::{Map, Value, json};

use crate::{Received, Reply, Server};

/// More time than any test needs, even on a busy machine.
pub const LONG: Duration = Duration::from_secs(30);

/// Much less than the request timeout of 15 seconds: a call that returns within this time has not waited for one.
pub const SOON: Duration = Duration::from_secs(5);

/// A consent that nothing on this machine can refuse: not even its policy file is read.
pub fn granted() -> Consent {
    Consent::opt_out(Notice::documented("https://example.com/telemetry")).policy_file("")
}

/// A configuration for an endpoint, with an empty environment and short waits between retries. Nothing is sent
/// because time passes, so a test has the same result on a slow machine and on a fast one.
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
    let client = Client::new(config).expect("a valid configuration");
    assert!(client.is_enabled(), "{:?}", client.disabled_reason());
    client
}

/// A small event, identified by its property `n`.
pub fn numbered(n: usize) -> impl Event {
    DynamicEvent::new("counted", "node-7").property("n", n)
}

/// Returns the property `n` of each event.
pub fn numbers(events: &[Value]) -> Vec<usize> {
    let number = |event: &Value| event["properties"]["n"].as_u64().and_then(|n| usize::try_from(n).ok());
    events.iter().filter_map(number).collect()
}

/// A server that accepts every event, with a result for each as PostHog's v1 protocol requires.
pub fn taking_server() -> Server {
    Server::always(Reply::judged(taken))
}

/// A reply that reports each event of the request as accepted.
pub fn taken(request: &Received) -> Reply {
    results(request, |_| json!({ "result": "ok" }))
}

/// A reply with the result that `judge` returns for each event.
pub fn results(request: &Received, judge: impl Fn(&Value) -> Value) -> Reply {
    let events = request.events();
    let results: Map<String, Value> =
        events.iter().filter_map(|event| Some((event["uuid"].as_str()?.to_owned(), judge(event)))).collect();
    Reply::ok().body(json!({ "results": results }).to_string())
}
