//! The process that sends what commands have left on disk.

use std::collections::HashSet;
use std::path::Path;
use std::process;
use std::thread;
use std::time::{Duration, Instant};

use super::kit::Kit;
use super::sender;
use crate::config::Config;
use crate::consent::{CiProvider, ConsentState};
use crate::queue::spool::{FileName, list};

/// How long the process sends at most.
const TIME: Duration = Duration::from_secs(8);

/// When the process ends, whatever it is doing.
const WATCHDOG: Duration = Duration::from_secs(10);

/// Sends what earlier commands have left on disk and ends the process, if this process was started for that; else
/// returns at once. Call it first in `main`, for [`Sending::Detached`](crate::Sending::Detached).
///
/// ```no_run
/// use std::process::ExitCode;
///
/// use candor::cli::{CommandFinished, Telemetry, run_sender_if_asked};
/// use candor::{Catalogue, Config, Consent, Sending, Spool};
///
/// const EVENTS: Catalogue = candor::events![CommandFinished].is_server(false).kept_on_disk();
///
/// fn main() -> ExitCode {
///     run_sender_if_asked(config);
///     Telemetry::new(config()).measure("build", || ExitCode::SUCCESS)
/// }
///
/// fn config() -> Config {
///     Config::new("forge", env!("CARGO_PKG_VERSION"))
///         .endpoint("https://t.example.com")
///         .consent(Consent::opt_in())
///         .catalogue(EVENTS)
///         .spool(Spool::cli().sending(Sending::Detached))
/// }
/// ```
///
/// At the end of a command that leaves events on disk, [`Telemetry`](super::Telemetry) starts the program anew, with one
/// argument that no person types, and does not wait for it. That process
///
/// - is given nothing but the environment: `config` must return the same endpoint, API key and consent as in the
///   command, without its arguments. It is called more than once.
/// - decides about consent by itself before it looks at the disk, and sends nothing if it is not granted, or in
///   continuous integration.
/// - has no standard streams and a process group of its own, so Ctrl-C at the terminal does not end it.
/// - ends at once if another process is sending, which then sends what this command has left too; in any case after
///   8 seconds, and 10 seconds after its start a watchdog ends it. What is not sent by then stays on disk.
/// - starts no other: an environment variable, `CANDOR_SENDER`, tells it and all that it starts.
///
/// It is started only while consent is granted. Where this function was not called, commands leave their events to the
/// next run, as with [`Sending::NextRun`](crate::Sending::NextRun), and the log says so.
pub fn run_sender_if_asked(config: impl Fn() -> Config) {
    if !sender::is_asked() {
        return;
    }
    let watchdog = thread::Builder::new().name("candor-watchdog".to_owned()).spawn(|| {
        thread::sleep(WATCHDOG);
        process::exit(0);
    });
    // Without a watchdog it might never end.
    if watchdog.is_ok() {
        send(&config, Instant::now() + TIME);
    }
    process::exit(0);
}

/// Sends until nothing new comes.
///
/// A process that finds the bucket locked leaves its events to the one that sends. So whoever has sent looks again once
/// it has let go of the lock: what has come since it began is its to send.
fn send(config: &impl Fn() -> Config, deadline: Instant) {
    while Instant::now() < deadline {
        let Some(kit) = Kit::of_sender(config()) else { return };
        // Decided first, looked afterwards.
        if CiProvider::detect(kit.env()).is_some() || kit.status().state != ConsentState::Granted {
            return;
        }
        let Some(dir) = kit.spool_dir() else { return };
        let known = waiting(&dir);
        if known.is_empty() {
            return;
        }
        // What became of it is in the files that are left.
        let _ = kit.client().flush(deadline.saturating_duration_since(Instant::now()));
        drop(kit);
        if waiting(&dir).is_subset(&known) {
            return;
        }
    }
}

/// Returns the files that wait, whatever was tried with them.
fn waiting(dir: &Path) -> HashSet<FileName> {
    list(dir).into_iter().map(|name| name.with_tries(0)).collect()
}
