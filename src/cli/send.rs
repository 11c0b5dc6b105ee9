//! The process that sends the events that commands have left on disk.

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

/// The maximum time that the process spends sending.
const TIME: Duration = Duration::from_secs(8);

/// The time after which the process ends, whatever it is doing.
const WATCHDOG: Duration = Duration::from_secs(10);

/// Sends the events that earlier commands have left on disk and ends the process, if the process was started for that;
/// otherwise returns immediately. [`Sending::Detached`](crate::Sending::Detached) needs it as the first call in `main`.
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
/// At the end of a command that leaves events on disk, [`Telemetry`](super::Telemetry) starts the program again, with
/// an internal argument, and does not wait for it. That process
///
/// - gets only the environment: `config` must return the same endpoint, API key and consent as in the command, without
///   its arguments. It is called more than once.
/// - decides about consent before it looks at the disk, and sends nothing if consent is not granted or in continuous
///   integration.
/// - has no standard streams and its own process group, so Ctrl-C at the terminal does not end it.
/// - ends immediately if another process is sending, which then also sends the events that this command left. It stops
///   sending after 8 seconds, and a watchdog ends it 10 seconds after its start. Events not sent by then stay on disk.
/// - never starts another one: it and its children have the environment variable `CANDOR_SENDER`.
///
/// It is started only while consent is granted. If this function is not called, commands leave their events to the next
/// run, as with [`Sending::NextRun`](crate::Sending::NextRun), and log a warning.
pub fn run_sender_if_asked(config: impl Fn() -> Config) {
    if !sender::is_asked() {
        return;
    }
    let watchdog = thread::Builder::new().name("candor-watchdog".to_owned()).spawn(|| {
        thread::sleep(WATCHDOG);
        process::exit(0);
    });
    // Without the watchdog, the process might never end.
    if watchdog.is_ok() {
        send(&config, Instant::now() + TIME);
    }
    process::exit(0);
}

/// Sends until there is nothing new.
///
/// A process that finds the bucket locked leaves its events to the one that is sending. So that one looks again after
/// it has released the lock, and sends the events that have arrived since it began.
fn send(config: &impl Fn() -> Config, deadline: Instant) {
    while Instant::now() < deadline {
        let Some(kit) = Kit::of_sender(config()) else { return };
        // Consent is decided before the directory is read.
        if CiProvider::detect(kit.env()).is_some() || kit.status().state != ConsentState::Granted {
            return;
        }
        let Some(dir) = kit.spool_dir() else { return };
        let known = waiting(&dir);
        if known.is_empty() {
            return;
        }
        // The result shows in the files that are left.
        let _ = kit.client().flush(deadline.saturating_duration_since(Instant::now()));
        drop(kit);
        if waiting(&dir).is_subset(&known) {
            return;
        }
    }
}

/// Returns the files that wait, regardless of their attempts.
fn waiting(dir: &Path) -> HashSet<FileName> {
    list(dir).into_iter().map(|name| name.with_tries(0)).collect()
}
