//! The cost of keeping events on disk.

use crate::Plan;
use crate::runner::{Scratch, Sink, deliver, in_turns, run};
use crate::table::{Row, Table, Target};

const CANDOR: &str = "with_candor";

pub fn measure(plan: &Plan, table: &mut Table) {
    let scratch = Scratch::new("spool");
    table.section("Events on disk (`Config::spool`)");
    durability(plan, table, &scratch);
    drain(plan, table, &scratch);
    start(plan, table, &scratch);
}

/// The cost of a capture by durability. Every event is delivered meanwhile.
fn durability(plan: &Plan, table: &mut Table, scratch: &Scratch) {
    let sink = Sink::roomy();
    let burst = |durability: &str| {
        let dir = scratch.fresh();
        deliver(CANDOR, &sink, plan.events, &["--spool", &dir, "--durability", durability])
    };
    let kinds = in_turns(plan.runs, [&|| burst("sealed"), &|| burst("write-ahead"), &|| burst("each-event")]);
    let names = ["sealed files", "`write_ahead` of 100 ms", "`each_event`"];
    for (name, figures) in names.into_iter().zip(kinds) {
        for (figure, unit, key) in [
            ("capture, median", "ns", "capture_ns_p50"),
            ("capture, 99th percentile", "ns", "capture_ns_p99"),
            ("delivered events per second", "/s", "events_per_second"),
        ] {
            table.add(Row::new(&format!("{name}: {figure}"), unit).candor(figures.median(key)));
        }
    }
}

/// How fast the events of an earlier run are delivered.
fn drain(plan: &Plan, table: &mut Table, scratch: &Scratch) {
    let sink = Sink::roomy();
    let drain = || {
        let (dir, events) = (scratch.fresh(), plan.events.to_string());
        run(CANDOR, &sink.url, &["--work", "fill", "--events", &events, "--spool", &dir]);
        assert_eq!(sink.report()["events"], 0, "events arrived that were to stay on disk");
        deliver(CANDOR, &sink, plan.events, &["--work", "drain", "--spool", &dir])
    };
    let [figures] = in_turns(plan.runs.min(3), [&drain]);
    table.add(
        Row::new("events of an earlier run, delivered per second", "/s")
            .candor(figures.median("events_per_second")),
    );
}

/// Start and first capture of a tool, without files and with many files on disk.
fn start(plan: &Plan, table: &mut Table, scratch: &Scratch) {
    // Nothing is delivered, so every run finds the same files.
    let sink = Sink::start(&["--stalls"]);
    let (empty, full) = (scratch.fresh(), scratch.fresh());
    let events = plan.files.to_string();
    run(CANDOR, &sink.url, &["--work", "fill", "--events", &events, "--file-events", "1", "--spool", &full]);
    let start = |dir: &str| run(CANDOR, &sink.url, &["--work", "start", "--spool", dir]);
    let [few, many] = in_turns(plan.processes.min(15), [&|| start(&empty), &|| start(&full)]);
    table.add(Row::new("start and first capture, empty directory", "ms").candor(few.median("start_ms")));
    table.add(
        Row::new(&format!("the same with {events} files"), "ms")
            .candor(many.median("start_ms"))
            .target(Target::AtMost(5.0)),
    );
}
