//! The full life of a client, to verify that it leaves no trace if the environment refuses consent.
//!
//! Takes `--url URL`, and decides on the real environment; prints one line of JSON. Consent is granted unless the
//! environment refuses it.
//!
//! ```sh
//! DO_NOT_TRACK=1 strace -f cargo run --example off -- --url http://127.0.0.1:8000
//! ```

use std::process::ExitCode;
use std::time::Duration;

use candor::{Config, Consent, Notice};

const CAPTURES: u32 = 1_000_000;

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    match (args.next().as_deref(), args.next(), args.next()) {
        (Some("--url"), Some(url), None) => match live(url) {
            Ok(line) => {
                println!("{line}");
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        },
        _ => {
            eprintln!("usage: off --url URL");
            ExitCode::from(2)
        }
    }
}

fn live(url: String) -> candor::Result<String> {
    let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry"));
    let config = Config::new("candor-off", env!("CARGO_PKG_VERSION")).endpoint(url).consent(consent);
    let guard = candor::init(config)?;
    let state = guard.client().state().name();
    for number in 0..CAPTURES {
        candor::event!("cf:request.created", distinct_id = "usr_1", seq = number, has_reason = true);
    }
    candor::flush(Duration::from_secs(5))?;
    candor::shutdown(Duration::from_secs(5))?;
    let stats = candor::stats();
    Ok(format!(
        r#"{{"state":"{state}","captures":{CAPTURES},"captured":{},"sent":{}}}"#,
        stats.captured, stats.sent
    ))
}
