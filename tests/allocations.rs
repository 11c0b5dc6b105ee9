//! A capture while on allocates nothing, except for segments of the queue while it grows.
//! This is a separate binary because the counting allocator is that of the whole process.

use std::time::Duration;

use candor::encode::Encoder;
use candor::{Client, Config, Consent, Env, Event, Notice, Sampling};

struct RequestCreated<'a> {
    requested_by: &'a str,
    provider: &'a str,
    has_reason: bool,
    seq: u64,
}

impl Event for RequestCreated<'_> {
    fn name(&self) -> &'static str {
        "cf:request.created"
    }

    fn encode(&self, event: &mut Encoder<'_>) {
        event.distinct_id(self.requested_by);
        event.group("team", "blue");
        event.property("provider", self.provider);
        event.property("has_reason", &self.has_reason);
        event.property("seq", &self.seq);
    }
}

fn capture(client: &Client, events: u64) -> allocation_counter::AllocationInfo {
    allocation_counter::measure(|| {
        for seq in 0..events {
            client.capture(RequestCreated { requested_by: "usr_1", provider: "okta", has_reason: true, seq });
        }
    })
}

fn config() -> Config {
    let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry")).policy_file("");
    Config::new("allocations", "1.0.0")
        .env(Env::empty())
        .consent(consent)
        .endpoint("http://127.0.0.1:9")
        .group("deployment", "dep_123")
        .super_property("plan", "team")
        // Nothing drains the queue, so only the captures are counted.
        .flush_at(1_000_000)
        .flush_bytes(usize::MAX)
        .queue_events(1_000_000)
        .queue_bytes(1 << 30)
        .flush_interval(Duration::from_secs(3600))
}

#[test]
fn a_queue_that_grows_allocates_a_segment_for_hundreds_of_events() {
    let client = Client::new(config()).unwrap();
    // The first captures grow the thread's buffers, and the segments to their full size.
    capture(&client, 2000);
    // The gate checks its files every 250 ms: at least one of several runs has no such check, unless the machine is very
    // slow. Each segment needs a box and its bytes.
    let fewest = (0..20).map(|_| capture(&client, 1000)).min_by_key(|counted| counted.count_total).unwrap();
    assert!(fewest.count_total <= 6, "{fewest:?}");
    assert!(fewest.bytes_total <= 4 * 65 * 1024, "{fewest:?}");
    assert_eq!(client.stats().queued, 22_000);
    client.shutdown(Duration::ZERO).unwrap();
}

/// An event with one text, and whether its encoding panics after it.
struct Large<'a>(&'a str, bool);

impl Event for Large<'_> {
    fn name(&self) -> &'static str {
        "large"
    }

    fn encode(&self, event: &mut Encoder<'_>) {
        event.distinct_id("node-7");
        event.property("text", self.0);
        event.group("team", self.0);
        if self.1 {
            // Without the panic hook, which allocates for a backtrace.
            std::panic::resume_unwind(Box::new(()));
        }
    }
}

#[test]
fn a_thread_keeps_little_after_a_large_event() {
    let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry")).policy_file("");
    let config = Config::new("allocations", "1.0.0").env(Env::empty()).consent(consent);
    // Sampled out, so the event itself is dropped at once.
    let config = config.endpoint("http://127.0.0.1:9").sample(Sampling::evenly(0.0));
    let client = Client::new(config).unwrap();
    client.capture(Large("small", false));
    let text = "x".repeat(400_000);
    for (size, panics) in [(400_000, false), (1_000, false), (2_000, false), (400_000, true), (10_000, false)]
    {
        let kept = allocation_counter::measure(|| client.capture(Large(&text[..size], panics)));
        assert!(kept.bytes_current < 64 * 1024, "{size}: {kept:?}");
    }
    client.shutdown(Duration::ZERO).unwrap();
}

#[test]
fn a_client_that_has_captured_nothing_is_small() {
    let mut client = None;
    let counted = allocation_counter::measure(|| client = Some(Client::new(config()).unwrap()));
    assert!(counted.bytes_current < 64 * 1024, "{counted:?}");
    client.unwrap().shutdown(Duration::ZERO).unwrap();
}
