//! Reports the commands that were interrupted by Ctrl-C.

use super::command_run::{Finished, Outcome};
use super::finished::{CommandFinished, ErrorCategory};
use super::running::Running;
use super::sender;
use crate::client::Client;
use crate::clock::Clock;
use crate::timestamp::Timestamp;

/// The exit code that shells use for a program interrupted by Ctrl-C.
const INTERRUPTED: i32 = 130;

/// Handles Ctrl-C, unless the application already does.
pub(super) fn watch(running: &Running, client: &Client) {
    let (running, client) = (running.clone(), client.clone());
    let handler = move || {
        report(&running, &client);
        std::process::exit(INTERRUPTED);
    };
    if let Err(error) = ctrlc::try_set_handler(handler) {
        log::debug!(target: "candor", "commands that are interrupted by Ctrl-C are not reported: {error}");
    }
}

fn report(running: &Running, client: &Client) {
    for command in running.end_all() {
        client.capture(CommandFinished::new(
            command.name,
            Finished {
                outcome: Outcome::Error,
                category: Some(ErrorCategory::Interrupted),
                duration: command.started.elapsed(),
                ended: Timestamp::of_clock(Clock::System.wall()),
            },
        ));
    }
    // Events that cannot be delivered in time are lost, and the process ends, so the error is ignored.
    let _ = client.shutdown(client.shutdown_timeout());
    sender::start_if_left(client);
}
