//! Captures one event and ends gracefully, to measure the cost for a short-lived program.
//!
//! Run it with `--url URL`, and with `--api-key KEY` if the endpoint requires one. With `--spool DIR`, its state
//! directory, the event is kept there and sent by the next run, and this run does not wait.

use std::process::ExitCode;
use std::time::Duration;

use candor::{Config, Consent, Env, Notice, Spool};

fn main() -> ExitCode {
    let (mut url, mut key, mut spool) = (None, None, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--url" => url = arguments.next(),
            "--api-key" => key = arguments.next(),
            "--spool" => spool = arguments.next(),
            _ => url = None,
        }
    }
    let Some(url) = url else {
        eprintln!("usage: oneshot --url URL [--api-key KEY] [--spool DIR]");
        return ExitCode::from(2);
    };
    match run(&url, key, spool) {
        Ok(delivered) => {
            println!("{{\"delivered\":{delivered}}}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("oneshot: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(url: &str, key: Option<String>, spool: Option<String>) -> candor::Result<u64> {
    let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry"));
    let mut config = Config::new("oneshot", "1.0.0").endpoint(url).env(Env::empty()).consent(consent.clone());
    if let Some(key) = key {
        config = config.api_key(key);
    }
    if let Some(dir) = spool {
        config = config.consent(consent.state_dir(dir)).spool(Spool::cli());
    }
    let guard = candor::init(config)?;
    candor::event!("command finished", distinct_id = "node-7", outcome = "success", duration_ms = 12);
    Ok(guard.client().shutdown(Duration::from_secs(5))?.delivered)
}
