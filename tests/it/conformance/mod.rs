//! PostHog's two protocols, rule by rule: each test is named after the rule that it states.

mod answers;
mod events;
mod requests;
mod results;

use std::sync::{Arc, Mutex};

use candor::{Config, DeliveryError, DynamicEvent, Event, Protocol, Stats};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use testkit::clients::{LONG, client, config, taken};
use testkit::{Received, Reply, Server};

const BOTH: [Protocol; 2] = [Protocol::V0, Protocol::V1];

/// The result of one run.
struct Outcome {
    requests: Vec<Received>,
    stats: Stats,
    errors: Vec<DeliveryError>,
}

impl Outcome {
    fn events(&self) -> Vec<Value> {
        self.requests.iter().flat_map(Received::events).collect()
    }
}

fn plain(server: &Server, protocol: Protocol) -> Config {
    config(server).protocol(protocol).api_key("phc_test_key").max_retries(3)
}

/// Captures events on a client whose server follows a script of replies, and shuts it down.
fn run_with<E: Event>(
    script: impl Fn(usize) -> Reply + Send + Sync + 'static,
    configure: impl FnOnce(&Server) -> Config,
    events: impl IntoIterator<Item = E>,
) -> Outcome {
    let server = Server::scripted(script);
    let errors: Arc<Mutex<Vec<DeliveryError>>> = Arc::default();
    let kept = Arc::clone(&errors);
    let client = client(configure(&server).on_error(move |error| kept.lock().unwrap().push(error.clone())));
    for event in events {
        client.capture(event);
    }
    // Until everything is settled, including retries.
    client.flush(LONG).unwrap();
    client.shutdown(LONG).unwrap();
    let errors = errors.lock().unwrap().clone();
    Outcome { requests: server.requests(), stats: client.stats(), errors }
}

/// The same with this number of plain events and the plain configuration.
fn run(
    protocol: Protocol,
    events: usize,
    script: impl Fn(usize) -> Reply + Send + Sync + 'static,
) -> Outcome {
    run_with(script, |server| plain(server, protocol), (0..events).map(numbered))
}

/// The same with a server that accepts everything, for tests of the configuration.
fn sent<E: Event>(
    protocol: Protocol,
    configure: impl FnOnce(Config) -> Config,
    events: impl IntoIterator<Item = E>,
) -> Outcome {
    run_with(|_| Reply::judged(taken), |server| configure(plain(server, protocol)), events)
}

fn numbered(n: usize) -> DynamicEvent {
    DynamicEvent::new("counted", "user_123").property("n", n)
}

/// The replies of a list; after them everything is accepted.
fn then_taken(replies: Vec<Reply>) -> impl Fn(usize) -> Reply + Send + Sync + 'static {
    move |number| replies.get(number).cloned().unwrap_or_else(|| Reply::judged(taken))
}

/// Parses a timestamp, which must be in UTC and end with `Z` or `+00:00`.
fn utc(text: &str) -> OffsetDateTime {
    assert!(text.ends_with('Z') || text.ends_with("+00:00"), "{text}");
    OffsetDateTime::parse(text, &Rfc3339).unwrap_or_else(|error| panic!("{text}: {error}"))
}
