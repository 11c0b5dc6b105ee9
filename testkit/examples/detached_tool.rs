//! A tool whose events a separate process sends, for the tests.
//!
//! It is controlled by environment variables, because that process gets no arguments: `TOOL_URL`, `TOOL_TRACE` (a file
//! to which each of its processes appends a line), `TOOL_NOT_READY` (`main` does not start as it should) and
//! `TOOL_HANGS` (the sending process hangs).

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;
use std::{env, process, thread};

use candor::cli::{CommandFinished, Telemetry, run_sender_if_asked};
use candor::{Catalogue, Config, Consent, Notice, Sending, Spool};

const EVENTS: Catalogue = candor::events![CommandFinished].is_server(false).kept_on_disk();

fn main() -> ExitCode {
    testkit::systems::program::install_logger();
    trace();
    if env::var_os("TOOL_NOT_READY").is_none() {
        run_sender_if_asked(config);
    }
    let argument = env::args().nth(1).unwrap_or_default();
    let telemetry = Telemetry::new(config()).no_telemetry(argument == "--no-telemetry");
    telemetry.measure("work", || {
        if argument == "withdraw" {
            // A refusal that cannot be stored also counts.
            let _ = candor::opt_out();
        }
        ExitCode::SUCCESS
    })
}

fn config() -> Config {
    if env::var_os("CANDOR_SENDER").is_some() && env::var_os("TOOL_HANGS").is_some() {
        loop {
            thread::park();
        }
    }
    Config::new("detached-tool", "1.0.0")
        .endpoint(env::var("TOOL_URL").unwrap_or_default())
        .consent(Consent::opt_out(Notice::documented("https://example.com/telemetry")))
        .catalogue(EVENTS)
        // Much longer than any test waits for the end of a command.
        .shutdown_timeout(Duration::from_secs(600))
        .spool(Spool::cli().sending(Sending::Detached))
}

/// Appends a description of this process: its id, its group, its first argument and its standard streams.
fn trace() {
    let Some(path) = env::var_os("TOOL_TRACE") else { return };
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // After the name, which is in parentheses: state, parent, group.
    let group = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(2)).unwrap_or("-");
    let argument = env::args().nth(1).unwrap_or_else(|| "-".to_owned());
    let streams: Vec<String> = (0..3)
        .map(|number| fs::read_link(format!("/proc/self/fd/{number}")))
        .map(|link| link.map_or_else(|_| "-".to_owned(), |path| path.display().to_string()))
        .collect();
    let line = format!("{} {group} {argument} {}\n", process::id(), streams.join(" "));
    let file = OpenOptions::new().append(true).create(true).open(path);
    file.and_then(|mut file| file.write_all(line.as_bytes())).expect("the trace");
}
