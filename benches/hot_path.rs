//! The cost of a capture for its caller: off, into the queue, into a full queue, from 8 threads, and by kind of event,
//! as medians in nanoseconds. Nothing is sent: the transport answers itself.
//!
//! ```sh
//! cargo bench --bench hot_path
//! ```

mod measure;

use std::hint::black_box;
use std::thread;

use candor::encode::Encoder;
use candor::{Client, DynamicEvent, Env, Event};
use measure::{LONG, client, config, created, median, print};

const CALLS: usize = 10_000;

fn main() {
    measure::print_machine();
    off();
    global();
    queued();
    for threads in [1, 2, 8] {
        from_threads(threads);
    }
    full();
}

fn off() {
    let client = Client::new(config(CALLS).env(Env::empty().with("DO_NOT_TRACK", "1"))).expect("a client");
    assert!(!client.is_enabled());
    let nanos = median(
        1_000_000,
        || {},
        |calls| (0..calls as u64).for_each(|n| client.capture(created(black_box(n)))),
    );
    print("off: a typed event", nanos, "ns");
}

/// Captures through the free functions, on the second global client of the process.
fn global() {
    for env in [Env::empty().with("DO_NOT_TRACK", "1"), Env::empty()] {
        let is_off =
            candor::init(config(2 * CALLS).env(env.clone())).is_ok_and(|guard| !guard.client().is_enabled());
        let _guard = candor::init(config(2 * CALLS).env(env)).expect("the first was shut down");
        let what = if is_off { "off" } else { "queued" };
        let empty = || assert!(candor::flush(LONG).expect("a client").is_complete());
        let calls = if is_off { 1_000_000 } else { CALLS };
        let typed = |calls| (0..calls as u64).for_each(|n| candor::capture(created(black_box(n))));
        print(&format!("{what}: a typed event, global"), median(calls, empty, typed), "ns");
        let dynamic =
            |calls| (0..calls as u64).for_each(|n| candor::event!("n", distinct_id = "id", n = black_box(n)));
        print(
            &format!("{what}: an event of 1 property by `event!`, global"),
            median(calls, empty, dynamic),
            "ns",
        );
    }
}

/// Captures into a queue with room, which the worker drains between the rounds.
fn queued() {
    let client = client(config(2 * CALLS));
    let empty = || assert!(client.flush(LONG).expect("a worker").is_complete());
    let typed = |calls| (0..calls as u64).for_each(|n| client.capture(created(n)));
    print("queued: a typed event of 5 properties", median(CALLS, empty, typed), "ns");
    let dynamic = |calls| {
        for n in 0..calls {
            candor::event!(
                client = client,
                "cf:request.created",
                distinct_id = "usr_-CHh8_rdIqAotcBsP64GKQkfzW2hb1JDJ_6u7q4zom4",
                has_reason = true,
                provider = "commonfate/test-provider@v1",
                requires_approval = true,
                mode = "asap",
                seq = n,
            );
        }
    };
    print("queued: the same by `event!`", median(CALLS, empty, dynamic), "ns");
}

/// Captures from several threads at once; the time is the total divided by the number of events.
fn from_threads(threads: usize) {
    let client = client(config(2 * CALLS * threads));
    let empty = || assert!(client.flush(LONG).expect("a worker").is_complete());
    let nanos = median(CALLS * threads, empty, |calls| {
        thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| (0..(calls / threads) as u64).for_each(|n| client.capture(created(n))));
            }
        });
    });
    print(&format!("queued: threads {threads}, time for each event"), nanos, "ns");
}

/// Captures into a full queue: each event is encoded and dropped, so this shows the cost of the encoder.
fn full() {
    let client = client(config(1));
    client.capture(created(0));
    let event = |what, event: &dyn Fn(u64)| {
        let nanos = median(CALLS, || {}, |calls| (0..calls as u64).for_each(event));
        print(what, nanos, "ns");
    };
    event("full: a typed event of 5 properties", &|n| client.capture(created(n)));
    event("full: `Event` by hand, 20 numbers", &|n| client.capture(Numbers(n)));
    let (plain, broken) = ("x".repeat(1000), "x".repeat(999) + "\n");
    event("full: `Event` by hand, a text of 1,000 letters", &|_| client.capture(Text(&plain)));
    event("full: the same with a line break", &|_| client.capture(Text(&broken)));
    event("full: built at run time, 5 properties", &|n| {
        let event =
            DynamicEvent::new("cf:request.created", "usr_-CHh8_rdIqAotcBsP64GKQkfzW2hb1JDJ_6u7q4zom4");
        let event = event.property("has_reason", true).property("provider", "commonfate/test-provider@v1");
        let event = event.property("requires_approval", true).property("mode", "asap").property("seq", n);
        client.capture(event);
    });
}

/// An event with 20 numbers.
struct Numbers(u64);

impl Event for Numbers {
    fn name(&self) -> &str {
        "numbers"
    }

    fn encode(&self, event: &mut Encoder<'_>) {
        const KEYS: [&str; 20] = [
            "n00", "n01", "n02", "n03", "n04", "n05", "n06", "n07", "n08", "n09", "n10", "n11", "n12", "n13",
            "n14", "n15", "n16", "n17", "n18", "n19",
        ];
        event.distinct_id("node-7");
        for key in KEYS {
            event.property(key, &self.0);
        }
    }
}

/// An event with one long text.
struct Text<'a>(&'a str);

impl Event for Text<'_> {
    fn name(&self) -> &str {
        "text"
    }

    fn encode(&self, event: &mut Encoder<'_>) {
        event.distinct_id("node-7");
        event.property("text", self.0);
    }
}
