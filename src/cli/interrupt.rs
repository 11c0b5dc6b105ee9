//! Reports a command that is ended by Ctrl-C.

use super::command_run::{Finished, Outcome};
use super::finished::{CommandFinished, ErrorCategory};
use super::running::Running;
use super::sender;
use crate::client::Client;
use crate::clock::Clock;
use crate::timestamp::Timestamp;

/// The exit code of a program that was ended by Ctrl-C, as shells have it.
const INTERRUPTED: i32 = 130;

/// Watches for Ctrl-C, unless the application does.
pub(super) fn watch(running: &Running, client: &Client) {
    let (running, client) = (running.clone(), client.clone());
    let handler = move || {
        report(&running, &client);
        std::process::exit(INTERRUPTED);
    };
    if let Err(error) = ctrlc::try_set_handler(handler) {
        log::debug!(target: "candor", "Ctrl-C is left to the application: {error}");
    }
}

fn report(running: &Running, client: &Client) {
    if let Some((command, started)) = running.end() {
        client.capture(CommandFinished::new(
            command,
            Finished {
                outcome: Outcome::Error,
                category: Some(ErrorCategory::Interrupted),
                duration: started.elapsed(),
                ended: Timestamp::of_clock(Clock::System.wall()),
            },
        ));
    }
    // What cannot be delivered in time is lost, and nobody is left to be told.
    let _ = client.shutdown(client.shutdown_timeout());
    sender::start_if_left(client);
}
