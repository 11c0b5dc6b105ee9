//! A clap tool with the command-line kit: it asks for consent once, and shows what it sends.
//!
//! ```text
//! cargo run --example telemetry_command --features clap,ctrlc -- --url http://127.0.0.1:8000 --state-dir /tmp/state build
//! cargo run --example telemetry_command --features clap,ctrlc -- --state-dir /tmp/state telemetry status
//! ```

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use candor::cli::{CommandFinished, Telemetry, TelemetryArgs, TelemetryCommand};
use candor::{Catalogue, Config, Consent, Notice};
use clap::Parser;

/// Everything that this tool sends.
const EVENTS: Catalogue = candor::events![CommandFinished]
    .product("Telemetry command")
    .endpoint("https://t.example.com")
    .retention("Events are deleted after 90 days.")
    .turn_off(&["`telemetry_command telemetry off`.", "`TELEMETRY_COMMAND_TELEMETRY=0` or `DO_NOT_TRACK=1`."])
    .link("https://example.com/telemetry");

/// Builds things
#[derive(Parser)]
#[command(name = "telemetry_command", version)]
struct Cli {
    /// Sends events to this address
    #[arg(long, default_value = "https://t.example.com")]
    url: String,
    /// Keeps its state in this directory
    #[arg(long)]
    state_dir: Option<PathBuf>,
    /// Shows a notice instead of asking
    #[arg(long)]
    opt_out: bool,
    /// Leaves events on disk for the next run instead of waiting
    #[arg(long)]
    keep: bool,
    /// Waits so many milliseconds for the delivery at most
    #[arg(long, default_value_t = 500)]
    wait: u64,
    #[command(flatten)]
    telemetry: TelemetryArgs,
    #[command(subcommand)]
    command: Command,
}

#[derive(clap::Subcommand)]
enum Command {
    /// Builds a target
    Build {
        /// What to build; `broken` fails, `panic` panics, `slow` takes a minute
        #[arg(default_value = "all")]
        target: String,
    },
    /// Shows and changes what this tool reports about itself
    Telemetry(TelemetryCommand),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let telemetry = Telemetry::start(config(&cli), &cli.telemetry).report_ctrl_c();
    match cli.command {
        Command::Telemetry(command) => telemetry.run(command),
        Command::Build { target } => telemetry.measure("build", || build(&target)),
    }
}

fn config(cli: &Cli) -> Config {
    // A catalogue that says that events are kept on disk is enough to keep them there.
    let events = if cli.keep { EVENTS.kept_on_disk() } else { EVENTS };
    let mut consent =
        if cli.opt_out { Consent::opt_out(Notice::shown(events.notice())) } else { Consent::opt_in() };
    if let Some(dir) = &cli.state_dir {
        consent = consent.state_dir(dir);
    }
    Config::new("telemetry_command", env!("CARGO_PKG_VERSION"))
        .endpoint(&cli.url)
        .consent(consent)
        .catalogue(events)
        .strict()
        .shutdown_timeout(Duration::from_millis(cli.wait))
}

/// The work of the tool.
fn build(target: &str) -> ExitCode {
    println!("building {target}");
    match target {
        "broken" => ExitCode::FAILURE,
        "panic" => panic!("the build panicked"),
        "slow" => {
            std::thread::sleep(Duration::from_secs(60));
            ExitCode::SUCCESS
        }
        _ => ExitCode::SUCCESS,
    }
}
