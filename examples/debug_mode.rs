//! Shows each batch as it would be sent, and sends nothing: `Config::dry_run`. With `Config::debug`, or with
//! `DEBUG_MODE_TELEMETRY_LOG=debug` in the environment, batches are printed and sent.
//!
//! For developers who want to see what their events look like, and for users who want to check.

use std::time::Duration;

use candor::{Config, Consent, Env, Notice};

/// Prints candor's log lines; an application has its own logger.
struct Printer;

impl log::Log for Printer {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target().starts_with("candor")
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            println!("{} {}: {}", record.level(), record.target(), record.args());
        }
    }

    fn flush(&self) {}
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    log::set_logger(&Printer).map_err(|error| error.to_string())?;
    log::set_max_level(log::LevelFilter::Info);
    let guard = candor::init(
        Config::new("debug-mode", env!("CARGO_PKG_VERSION"))
            .endpoint("https://t.example.com")
            // An empty environment, so the example also prints in continuous integration.
            .env(Env::empty())
            .consent(Consent::opt_out(Notice::documented("https://example.com/telemetry")))
            .dry_run(true),
    )?;
    candor::event!("server started", distinct_id = "node-7", replicas = 3, tls = true);
    candor::event!("order placed", distinct_id = "user_1", items = 3, groups = { company = "acme" });
    guard.client().shutdown(Duration::from_secs(1))?;
    println!("{}", guard.client().stats());
    Ok(())
}
