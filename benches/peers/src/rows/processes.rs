//! The cost for a short-lived program, from the start of its process to its end.

use std::net::TcpStream;

use crate::Plan;
use crate::runner::{Scratch, Sink, process_ms, processes_in_turns};
use crate::table::{Row, Table, Target};

/// A reserved port on which nobody listens.
const REFUSED: &str = "http://127.0.0.1:1";

/// The number of runs with an endpoint that never answers; posthog-rs waits for its timeout in each.
const STALLED_RUNS: usize = 3;

pub fn measure(plan: &Plan, table: &mut Table) {
    let (sink, stalled, scratch) = (Sink::start(&[]), Sink::start(&["--stalls"]), Scratch::new("tool"));
    assert!(
        TcpStream::connect(REFUSED.trim_start_matches("http://")).is_err(),
        "a program listens on port 1"
    );
    table.section("A tool that captures one event, whole process");
    let peer =
        |url: &str, args: &[&str]| process_ms("with_posthog", url, &[&["--work", "tool"], args].concat());
    let candor =
        |url: &str, args: &[&str]| process_ms("with_candor", url, &[&["--work", "tool"], args].concat());

    let [empty, peer_off, off] = processes_in_turns(
        plan.processes,
        [&|| process_ms("empty", &sink.url, &[]), &|| peer(&sink.url, &["--off"]), &|| {
            candor(&sink.url, &["--off"])
        }],
    );
    table.add(Row::new("a program that does nothing", "ms").candor(Some(empty)));
    table.add(Row::new("telemetry off", "ms").peer(Some(peer_off)).candor(Some(off)));
    for (endpoint, url, runs) in [
        ("the endpoint answers", sink.url.as_str(), plan.processes),
        ("the endpoint refuses connections", REFUSED, plan.processes),
        ("the endpoint never answers", stalled.url.as_str(), plan.processes.min(STALLED_RUNS)),
    ] {
        // The files of all runs accumulate there, as they would for a real tool.
        let dir = scratch.fresh();
        let spool = ["--spool", dir.as_str()];
        let [with_peer, with_candor, with_spool] =
            processes_in_turns(runs, [&|| peer(url, &[]), &|| candor(url, &[]), &|| candor(url, &spool)]);
        let answers = url == sink.url;
        let target = if answers { Target::TimesLess(5.0) } else { Target::None };
        let row = Row::new(endpoint, "ms").peer(Some(with_peer)).candor(Some(with_candor)).target(target);
        table.add(if answers { row.plotted("a process with one event") } else { row });
        table.add(
            Row::new("the same with a spool, sent by the next run", "ms")
                .peer(Some(with_peer))
                .candor(Some(with_spool))
                .target(Target::AtMostMore { than: off, by: 2.0, what: "when off" }),
        );
    }
}
