//! The cost of a capture, and the number of events delivered per second.

use serde_json::Value;

use crate::Plan;
use crate::runner::{Figures, Sink, deliver, in_turns, run};
use crate::table::{Row, Table, Target};

const CANDOR: &str = "with_candor";
const PEER: &str = "with_posthog";

/// The batch sizes of posthog-rs: its default, and one with bodies as large as candor's.
const SMALL: [&str; 2] = ["--batch", "100"];
const LARGE: [&str; 2] = ["--batch", "2500"];

const P50: &str = "capture_ns_p50";
const P99: &str = "capture_ns_p99";
const P9999: &str = "capture_ns_p9999";
const RATE: &str = "events_per_second";
const RSS: &str = "peak_rss_kib";

/// Returns the peer's figure at its better batch size.
fn lower(one: &Figures, other: &Figures, key: &str) -> Option<f64> {
    one.median(key).zip(other.median(key)).map(|(one, other)| one.min(other))
}

fn higher(one: &Figures, other: &Figures, key: &str) -> Option<f64> {
    one.median(key).zip(other.median(key)).map(|(one, other)| one.max(other))
}

pub fn measure(plan: &Plan, table: &mut Table) {
    let sink = Sink::roomy();
    let whole_queue = (plan.events + 1).to_string();
    let burst = |name: &'static str, args: &[&str]| deliver(name, &sink, plan.events, args);
    let body = events_in_a_body(plan, &burst(CANDOR, &[]));
    let candor = || burst(CANDOR, &[]);
    let [peer_small, peer_large, candor, ready, candor_whole] = in_turns(
        plan.runs,
        [
            &|| burst(PEER, &SMALL),
            &|| burst(PEER, &LARGE),
            &candor,
            &|| burst("ready_made", &["--batch", &body]),
            &|| burst(CANDOR, &["--queue", &whole_queue]),
        ],
    );

    table.section("Capture");
    let better = |key| lower(&peer_small, &peer_large, key);
    table.add(
        Row::new("`capture()` of a typed event, median", "ns")
            .peer(better(P50))
            .candor(candor.median(P50))
            .target(Target::TimesLess(9.0))
            .plotted("one capture, median"),
    );
    table.add(
        Row::new("the same, 99th percentile", "ns")
            .peer(better(P99))
            .candor(candor.median(P99))
            .target(Target::TimesLess(8.0))
            .plotted("one capture, 99th percentile"),
    );
    oversubscribed(plan, table, &sink, &whole_queue);
    off(plan, table);

    table.section("Delivery");
    table.add(
        Row::new("delivered events per second", "/s")
            .peer(higher(&peer_small, &peer_large, RATE))
            .candor(candor.median(RATE))
            .target(Target::TimesMore(12.0))
            .plotted("delivered events per second"),
    );
    table.add(
        Row::new("the same, share of what ready-made bodies reach", "%")
            .candor(candor.percent_of(&ready, RATE))
            .target(Target::AtLeast(40.0)),
    );
    eight_threads(plan, table, &sink);
    gzip(plan, table, &sink);
    far_away(plan, table);

    table.section("Memory");
    let mib = |kib: Option<f64>| kib.map(|kib| kib / 1024.0);
    table.add(
        Row::new("peak of a burst, callers wait for room", "MiB")
            .peer(mib(better(RSS)))
            .candor(mib(candor.median(RSS)))
            .target(Target::TimesLess(10.0))
            .plotted("peak memory of a burst"),
    );
    table.add(
        Row::new("the same, with a queue for all events", "MiB")
            .peer(mib(better(RSS)))
            .candor(mib(candor_whole.median(RSS))),
    );
}

/// Returns the number of events that candor puts into one body of a burst.
fn events_in_a_body(plan: &Plan, report: &Value) -> String {
    plan.events.div_ceil(report["sink"]["bodies"].as_u64().unwrap_or(1)).to_string()
}

/// More threads than cores: a thread that is preempted during a capture may block others.
fn oversubscribed(plan: &Plan, table: &mut Table, sink: &Sink, whole_queue: &str) {
    let threads = ["--threads", "64"];
    let [peer, candor] = in_turns(
        plan.runs,
        [
            &|| deliver(PEER, sink, plan.events, &[&SMALL[..], &threads].concat()),
            // The peer's queue holds all events, so candor's does as well, and nobody waits for room.
            &|| deliver(CANDOR, sink, plan.events, &[&["--queue", whole_queue][..], &threads].concat()),
        ],
    );
    for (figure, key) in [
        ("64 threads at once, median of a capture", P50),
        ("the same, 99th percentile", P99),
        ("the same, 99.99th percentile", P9999),
    ] {
        table.add(Row::new(figure, "ns").peer(peer.median(key)).candor(candor.median(key)));
    }
}

fn off(plan: &Plan, table: &mut Table) {
    // The calls are short, so there are many.
    let events = plan.events.to_string();
    let off = |name| run(name, "http://127.0.0.1:9", &["--work", "off", "--events", &events]);
    let [peer, candor] = in_turns(plan.runs, [&|| off(PEER), &|| off(CANDOR)]);
    table.add(
        Row::new("`capture()` when off", "ns")
            .peer(peer.median(P50))
            .candor(candor.median(P50))
            .target(Target::AtMost(2.0)),
    );
}

fn eight_threads(plan: &Plan, table: &mut Table, sink: &Sink) {
    let burst = |name, args: &[&str]| deliver(name, sink, plan.events, args);
    let threads = ["--threads", "8"];
    let [peer_one, peer_eight, one, eight] = in_turns(
        plan.runs,
        [
            &|| burst(PEER, &SMALL),
            &|| burst(PEER, &[&SMALL[..], &threads].concat()),
            &|| burst(CANDOR, &[]),
            &|| burst(CANDOR, &threads),
        ],
    );
    table.add(
        Row::new("8 threads, delivered events per second", "/s")
            .peer(peer_eight.median(RATE))
            .candor(eight.median(RATE)),
    );
    table.add(
        Row::new("the same, share of one thread's", "%")
            .peer(peer_eight.percent_of(&peer_one, RATE))
            .candor(eight.percent_of(&one, RATE))
            .target(Target::AtLeast(100.0)),
    );
}

fn gzip(plan: &Plan, table: &mut Table, sink: &Sink) {
    let [peer, candor] = in_turns(
        plan.runs,
        [&|| deliver(PEER, sink, plan.events, &[&LARGE[..], &["--gzip"]].concat()), &|| {
            deliver(CANDOR, sink, plan.events, &["--gzip"])
        }],
    );
    table.add(
        Row::new("delivered events per second with gzip", "/s")
            .peer(peer.median(RATE))
            .candor(candor.median(RATE)),
    );
}

/// A slow endpoint, with fewer events: with its default batch, the peer sends one request for every 100 events.
fn far_away(plan: &Plan, table: &mut Table) {
    let sink = Sink::start(&["--room-mib", "64", "--delay-ms", "50"]);
    let events = plan.events / 15;
    let [peer_small, peer_large, candor] = in_turns(
        plan.runs.min(3),
        [&|| deliver(PEER, &sink, events, &SMALL), &|| deliver(PEER, &sink, events, &LARGE), &|| {
            deliver(CANDOR, &sink, events, &[])
        }],
    );
    table.add(
        Row::new("the endpoint answers after 50 ms, default batches", "/s")
            .peer(peer_small.median(RATE))
            .candor(candor.median(RATE))
            .target(Target::TimesMore(20.0))
            .plotted("the same, 50 ms away"),
    );
    table.add(
        Row::new("the same, posthog-rs with batches of 2,500", "/s")
            .peer(peer_large.median(RATE))
            .candor(candor.median(RATE)),
    );
}
