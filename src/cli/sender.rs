//! Starts the process that sends what a command has left on disk.

use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{env, io};

use crate::client::Client;

/// The first argument of a process that sends.
const ARGUMENT: &str = "__candor-send";

/// Set for a process that sends and for all that it starts, none of which starts another.
const MARKER: &str = "CANDOR_SENDER";

/// Whether `main` of this program knows what to do in such a process.
static IS_READY: AtomicBool = AtomicBool::new(false);

/// Notes that this program can be started to send; returns whether this process was.
pub(super) fn is_asked() -> bool {
    IS_READY.store(true, Ordering::Relaxed);
    env::args_os().nth(1).is_some_and(|first| first == OsStr::new(ARGUMENT)) && is_marked()
}

fn is_marked() -> bool {
    env::var_os(MARKER).is_some()
}

/// Returns whether the end of this run may start a process that sends; says once what is missing in the program.
pub(super) fn may_start() -> bool {
    if !IS_READY.load(Ordering::Relaxed) {
        log::warn!(
            target: "candor",
            "Sending::Detached: main does not begin with candor::cli::run_sender_if_asked, so the next run sends what \
             this one leaves; call it there"
        );
        return false;
    }
    !is_marked() && env::current_exe().is_ok()
}

/// Starts a process that sends what a command that has ended left on disk, if it left anything and consent still holds.
/// Waits for nothing. If it cannot be started the events stay where they are, for the end of the next run.
pub(super) fn start_if_left(client: &Client) {
    if !client.leaves_events_to_sender() {
        return;
    }
    if let Err(error) = start() {
        log::debug!(target: "candor", "no process was started to send what is on disk: {error}");
    }
}

fn start() -> io::Result<()> {
    let mut command = Command::new(env::current_exe()?);
    command.arg(ARGUMENT).env(MARKER, "1");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    detach(&mut command);
    command.spawn().map(drop)
}

/// Keeps Ctrl-C and the end of the terminal from the process.
#[cfg(unix)]
fn detach(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

#[cfg(windows)]
fn detach(command: &mut Command) {
    use std::os::windows::process::CommandExt;
    const DETACHED_PROCESS: u32 = 0x0000_0008;
    const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;
    command.creation_flags(DETACHED_PROCESS | CREATE_NEW_PROCESS_GROUP);
}

#[cfg(not(any(unix, windows)))]
fn detach(_: &mut Command) {}
