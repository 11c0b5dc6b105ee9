//! Runs the same work through candor and posthog-rs against one sink, and prints figures and ratios.
//!
//! `cargo build --release && target/release/peers [--quick] [--only SECTION] [--markdown] [--svg] [--builds]
//! [--events N] [--runs R] [--processes N] [--idle SECONDS] [--clients N] [--files N]`
//!
//! `cargo run` does not build the programs of the sides, so build all first. Each side runs in its own process, the sides
//! alternate, and a figure is the median of its runs. If a run loses or repeats an event, the program fails. `--quick`
//! uses small counts, to check that everything works. `--builds` adds clean release builds, which take minutes.
//! `--markdown` writes the table of `benches/README.md`, `--svg` the plot of the README, both from the same figures.

mod machine;
mod plot;
mod rows;
mod runner;
mod table;

use std::path::{Path, PathBuf};

use peers::number;
use table::Table;

/// The amount of work to measure.
pub struct Plan {
    pub events: u64,
    pub runs: usize,
    /// The number of runs of a process with one event.
    pub processes: usize,
    pub idle_seconds: u64,
    pub clients: usize,
    /// The number of files on disk for a start.
    pub files: usize,
    /// The only section to measure.
    pub only: Option<String>,
    pub builds: bool,
    pub markdown: bool,
    pub svg: bool,
}

impl Plan {
    fn from_args() -> Self {
        let mut plan = Self {
            events: 300_000,
            runs: 5,
            processes: 51,
            idle_seconds: 30,
            clients: 1_000,
            files: 5_000,
            only: None,
            builds: false,
            markdown: false,
            svg: false,
        };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut value = || args.next().unwrap_or_else(|| panic!("{arg}: no value"));
            match arg.as_str() {
                "--quick" => plan = plan.quick(),
                "--events" => plan.events = number(&value()),
                "--runs" => plan.runs = number(&value()),
                "--processes" => plan.processes = number(&value()),
                "--idle" => plan.idle_seconds = number(&value()),
                "--clients" => plan.clients = number(&value()),
                "--files" => plan.files = number(&value()),
                "--only" => plan.only = Some(value()),
                "--builds" => plan.builds = true,
                "--markdown" => plan.markdown = true,
                "--svg" => plan.svg = true,
                _ => panic!("{arg}: unknown"),
            }
        }
        plan
    }

    fn quick(self) -> Self {
        Self { events: 6_000, runs: 1, processes: 3, idle_seconds: 2, clients: 20, files: 200, ..self }
    }
}

/// Returns the path of a file of candor's package.
fn of_candor(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn main() {
    let plan = Plan::from_args();
    assert!(
        plan.only.is_none() || !(plan.markdown || plan.svg),
        "--markdown and --svg require all figures: omit --only"
    );
    let machine = machine::describe();
    let mut table = Table::default();
    rows::measure(&plan, &mut table);
    println!("{machine}\n\n{table}");
    if plan.markdown {
        table.write_markdown(&of_candor("benches/README.md"), &machine);
    }
    if plan.svg {
        plot::write(&table, &of_candor("src/documentation/comparison.svg"), &machine);
    }
}
