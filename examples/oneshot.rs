//! Captures one event and ends gracefully: what a short-lived program pays.
//! Run it with `--url URL`, and `--api-key KEY` where the endpoint wants one.

use std::process::ExitCode;
use std::time::Duration;

use candor::{Config, Consent, Env, Notice};

fn main() -> ExitCode {
    let (mut url, mut key) = (None, None);
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--url" => url = arguments.next(),
            "--api-key" => key = arguments.next(),
            _ => url = None,
        }
    }
    let Some(url) = url else {
        eprintln!("usage: oneshot --url URL [--api-key KEY]");
        return ExitCode::from(2);
    };
    match run(&url, key) {
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

fn run(url: &str, key: Option<String>) -> candor::Result<u64> {
    let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry"));
    let mut config = Config::new("oneshot", "1.0.0").endpoint(url).env(Env::empty()).consent(consent);
    if let Some(key) = key {
        config = config.api_key(key);
    }
    let guard = candor::init(config)?;
    candor::event!("command finished", distinct_id = "node-7", outcome = "success", duration_ms = 12);
    Ok(guard.client().shutdown(Duration::from_secs(5))?.delivered)
}
