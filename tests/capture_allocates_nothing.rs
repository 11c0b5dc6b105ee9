//! A capture of a derived event or by `event!` allocates nothing once its thread's buffers and the queue's segments are
//! warm.

#![cfg(feature = "derive")]

use std::time::Duration;

use candor::encode::Encoder;
use candor::testing::MemoryTransport;
use candor::transport::Transport;
use candor::{Client, Config, Consent, Count, Env, Event, Label, Notice, Properties, PseudonymKey};

/// The number of events that fit in the segments that an idle queue keeps.
const CAPTURES: u64 = 300;

/// An event with every policy.
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

/// An event with fewer fields, encoded by hand.
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

/// Returns the smallest number of allocations of several rounds of captures: the gate checks its files every 250 ms,
/// and at least one round has no such check.
fn allocations(client: &Client, capture: impl Fn(&Client)) -> u64 {
    let round = || {
        let counted = allocation_counter::measure(|| (0..CAPTURES).for_each(|_| capture(client)));
        assert!(client.flush(Duration::from_secs(60)).expect("a worker").is_complete());
        counted.count_total
    };
    // The first captures grow the buffers and the segments.
    (0..20).map(|_| round()).min().expect("rounds")
}

#[test]
fn a_warm_capture_allocates_nothing() {
    let memory = MemoryTransport::new();
    let config = Config::new("allocations", "1.0.0")
        .env(Env::empty())
        .consent(Consent::opt_out(Notice::documented("https://example.com/telemetry")).policy_file(""))
        .group("deployment", "dep_1")
        .pseudonym_key(PseudonymKey::new([1; 32]))
        .flush_at(1_000_000)
        .flush_bytes(usize::MAX)
        .flush_interval(Duration::from_secs(3600))
        .transport(move |_| Ok(Box::new(memory.clone()) as Box<dyn Transport>));
    let client = Client::new(config).expect("a client");
    assert!(client.is_enabled());
    assert_eq!(allocations(&client, |client| client.capture(ByHand)), 0);
    assert_eq!(allocations(&client, |client| client.capture(counted())), 0);
    let by_macro = |client: &Client| {
        candor::event!(
            client = client,
            "by macro",
            distinct_id = "node-7",
            size = 3,
            ratio = 0.5,
            tls = true,
            mode = "fast"
        );
    };
    assert_eq!(allocations(&client, by_macro), 0);
    let id = String::from("node-7");
    let by_macro_with_a_string =
        |client: &Client| candor::event!(client = client, "by macro", distinct_id = &id);
    assert_eq!(allocations(&client, by_macro_with_a_string), 0);
    assert_eq!(client.stats().sent, 4 * 20 * CAPTURES);
}
