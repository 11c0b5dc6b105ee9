//! Runs the same work through candor and posthog-rs against one sink, and prints figures and ratios.
//!
//! `cargo run --release -- [--events N] [--runs R] [--oneshots N] [--builds] [--markdown]`
//!
//! Each side runs in its own process, the sides alternate, and a figure is the median of its runs. If a run loses or
//! repeats an event, the program fails. `--builds` adds clean release builds, which take minutes; `--markdown` prints
//! the table of `benches/README.md`.

mod machine;
mod sides;
mod table;
mod trees;

use peers::number;
use table::Table;

/// The amount of work to measure.
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

/// Builds the programs of the sides, which `cargo run` does not build.
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
