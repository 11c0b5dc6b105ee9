//! A capture of a derived event allocates the one box that holds it, and nothing else.

#![cfg(feature = "derive")]

use std::time::Duration;

use candor::testing::MemoryTransport;
use candor::{
    Client, Config, Consent, Count, Encoder, Env, Event, Label, Notice, Properties, PseudonymKey, Transport,
};

const CAPTURES: u64 = 1_000;

/// Every policy.
#[derive(Event)]
#[event(name = "counted")]
struct Counted<'a> {
    #[event(distinct_id, property, hashed = "usr")]
    by: &'a str,
    #[event(group = "company", raw = "a name")]
    company: &'a str,
    #[event(keyed = "org")]
    org: &'a str,
    #[event(hashed_hex = 32)]
    license: &'a str,
    #[event(pattern = "v[0-9]+")]
    version: &'a str,
    #[event(pattern = "v[0-9]+", other = "other")]
    own: &'a str,
    #[event(label = Mode)]
    mode: &'a str,
    #[event(raw = "a reason")]
    text: &'a str,
    #[event(items = 4, hashed = "usr")]
    people: &'a [&'a str],
    #[event(buckets = [1, 10])]
    files: u64,
    elapsed_ms: Duration,
    #[event(as_number)]
    ci: bool,
    exact: Mode,
    ratio: f64,
    count: Count,
    missing: Option<u64>,
    inner: Inner<'a>,
}

#[derive(Clone, Copy, Label)]
enum Mode {
    Fast,
}

#[derive(Properties)]
struct Inner<'a> {
    size: u8,
    #[event(hashed = "rul")]
    rule_id: &'a str,
}

fn counted() -> Counted<'static> {
    Counted {
        by: "ada",
        company: "acme",
        org: "acme",
        license: "LICENSE",
        version: "v1",
        own: "not a version",
        mode: "fast",
        text: "text \"with\" escapes\n",
        people: &["ada", "bob"],
        files: 3,
        elapsed_ms: Duration::from_secs(1),
        ci: true,
        exact: Mode::Fast,
        ratio: 0.5,
        count: Count::new(3),
        missing: None,
        inner: Inner { size: 1, rule_id: "rul_123" },
    }
}

/// The same in fewer fields, by hand.
struct ByHand;

impl Event for ByHand {
    fn name(&self) -> &str {
        "by hand"
    }

    fn encode(&self, event: &mut Encoder<'_>) {
        event.distinct_id("node-7");
        event.property("size", &3);
    }
}

fn allocations(client: &Client, capture: impl Fn(&Client)) -> u64 {
    // The first one on a thread grows the buffers.
    capture(client);
    allocation_counter::measure(|| (0..CAPTURES).for_each(|_| capture(client))).count_total
}

#[test]
fn a_capture_allocates_once() {
    let memory = MemoryTransport::new();
    let config = Config::new("allocations", "1.0.0")
        .env(Env::empty())
        .consent(Consent::opt_out(Notice::documented("https://example.com/telemetry")).policy_file(""))
        .group("deployment", "dep_1")
        .pseudonym_key(PseudonymKey::new([1; 32]))
        .transport(move |_| Ok(Box::new(memory.clone()) as Box<dyn Transport>));
    let client = Client::new(config).expect("a client");
    assert!(client.is_enabled());
    assert_eq!(allocations(&client, |client| client.capture(ByHand)), CAPTURES);
    assert_eq!(allocations(&client, |client| client.capture(counted())), CAPTURES);
    assert_eq!(client.stats().lost_total(), 0);
    assert_eq!(client.stats().captured, 2 * (CAPTURES + 1));
}
