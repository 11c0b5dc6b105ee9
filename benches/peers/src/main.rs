//! Runs the same work through candor and posthog-rs against one sink, and prints figures and ratios.
//!
//! `cargo run --release -- [--events N] [--runs R] [--oneshots N] [--builds] [--markdown]`
//!
//! Every side runs in a process of its own, the sides take turns, and a figure is the median of its runs.
//! A run in which an event was lost or came twice ends everything. `--builds` adds release builds from
//! clean, which take minutes; `--markdown` prints the table of `benches/README.md`.

mod machine;
mod sides;
mod table;
mod trees;

use peers::number;
use table::Table;

/// How much is measured.
pub struct Plan {
    pub events: u64,
    pub runs: usize,
    pub oneshots: usize,
    pub builds: bool,
    pub markdown: bool,
}

fn plan() -> Plan {
    let mut plan = Plan { events: 300_000, runs: 5, oneshots: 101, builds: false, markdown: false };
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        let mut value = || args.next().unwrap_or_else(|| panic!("{arg}: no value"));
        match arg.as_str() {
            "--events" => plan.events = number(&value()),
            "--runs" => plan.runs = number(&value()),
            "--oneshots" => plan.oneshots = number(&value()),
            "--builds" => plan.builds = true,
            "--markdown" => plan.markdown = true,
            _ => panic!("{arg}: unknown"),
        }
    }
    plan
}

/// Builds the programs of the sides, of which `cargo run` builds none.
fn build_sides() {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = std::process::Command::new(cargo)
        .args(["build", "--release", "--bins", "--quiet"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status();
    assert!(built.is_ok_and(|status| status.success()), "the sides could not be built");
}

fn main() {
    let plan = plan();
    build_sides();
    let mut table = Table::default();
    sides::measure(&plan, &mut table);
    trees::measure(&plan, &mut table);
    if plan.markdown {
        table.print_markdown(&machine::describe());
    } else {
        table.print(&machine::describe());
    }
}
