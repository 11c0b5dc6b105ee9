//! The memory of clients that do little or nothing, and how often they wake up.

use crate::Plan;
use crate::runner::{Sink, deliver, in_turns, run};
use crate::table::{Row, Table, Target};

const CANDOR: &str = "with_candor";
const PEER: &str = "with_posthog";

pub fn measure(plan: &Plan, table: &mut Table) {
    table.section("Memory");
    let sink = Sink::start(&[]);
    unused(plan, table, &sink);
    each_used_once(plan, table, &sink);
    table.section("Idle");
    idle(plan, table, &sink);
}

/// Clients that have captured nothing: the growth of the process for each of them.
fn unused(plan: &Plan, table: &mut Table, sink: &Sink) {
    let number = (plan.clients / 5).max(1);
    let count = number.to_string();
    let unused = |name| run(name, &sink.url, &["--work", "clients", "--clients", &count]);
    let [peer, candor] = in_turns(plan.runs, [&|| unused(PEER), &|| unused(CANDOR)]);
    let each = |kib: Option<f64>| kib.map(|kib| kib / number as f64);
    table.add(
        Row::new("a client that has captured nothing", "KiB")
            .peer(each(peer.median("rss_kib")))
            .candor(each(candor.median("rss_kib")))
            .target(Target::AtMost(64.0)),
    );
    // The main thread does not belong to a client.
    let threads = |threads: Option<f64>| threads.map(|threads| (threads - 1.0) / number as f64);
    table.add(
        Row::new("the same, threads", "threads")
            .peer(threads(peer.median("threads")))
            .candor(threads(candor.median("threads")))
            .target(Target::AtMost(1.0)),
    );
}

fn each_used_once(plan: &Plan, table: &mut Table, sink: &Sink) {
    let clients = plan.clients.to_string();
    let used = |name| deliver(name, sink, plan.clients as u64, &["--work", "clients", "--clients", &clients]);
    let [peer, candor] = in_turns(plan.runs.min(3), [&|| used(PEER), &|| used(CANDOR)]);
    let mib = |kib: Option<f64>| kib.map(|kib| kib / 1024.0);
    table.add(
        Row::new(&format!("{clients} clients, each used once"), "MiB")
            .peer(mib(peer.median("rss_kib")))
            .candor(mib(candor.median("rss_kib")))
            .target(Target::AtMost(200.0 * plan.clients as f64 / 1000.0)),
    );
}

fn idle(plan: &Plan, table: &mut Table, sink: &Sink) {
    let seconds = plan.idle_seconds.to_string();
    let idle = |name| run(name, &sink.url, &["--work", "idle", "--seconds", &seconds]);
    // Once for each, because it takes long, and a process that wakes up does so in every run.
    let [peer, candor] = in_turns(1, [&|| idle(PEER), &|| idle(CANDOR)]);
    table.add(
        Row::new(&format!("wake-ups in {seconds} s with nothing queued"), "times")
            .peer(peer.median("wakes"))
            .candor(candor.median("wakes"))
            .target(Target::AtMost(0.0)),
    );
}
