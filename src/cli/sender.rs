//! Starts the process that sends the events that a command has left on disk.

use std::ffi::OsStr;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::{env, io};

use crate::client::Client;

/// The first argument of the sending process.
const ARGUMENT: &str = "__candor-send";

/// The variable that marks a sending process and its children, none of which starts another one.
const MARKER: &str = "CANDOR_SENDER";

/// Whether `main` of this program handles the sending process.
static IS_READY: AtomicBool = AtomicBool::new(false);

/// Records that this program can be started to send; returns whether this process was started for it.
pub(super) fn is_asked() -> bool {
    IS_READY.store(true, Ordering::Relaxed);
    env::args_os().nth(1).is_some_and(|first| first == OsStr::new(ARGUMENT)) && is_marked()
}

fn is_marked() -> bool {
    env::var_os(MARKER).is_some()
}

/// Returns whether the end of this run may start a sending process; warns if the program cannot handle one.
pub(super) fn may_start() -> bool {
    if !IS_READY.load(Ordering::Relaxed) {
        log::warn!(
            target: "candor",
            "Sending::Detached: `main` does not call `candor::cli::run_sender_if_asked` first, so events are left for \
             the next run to send; add the call"
        );
        return false;
    }
    !is_marked() && env::current_exe().is_ok()
}

/// Starts a sending process at the end of a command, if events are left on disk and consent is still granted. Does not
/// wait for it. If it cannot be started, the events stay on disk until the end of the next run.
pub(super) fn start_if_left(client: &Client) {
    if !client.leaves_events_to_sender() {
        return;
    }
    if let Err(error) = start() {
        log::debug!(target: "candor", "the process that sends the events on disk could not be started: {error}");
    }
}

fn start() -> io::Result<()> {
    let mut command = Command::new(env::current_exe()?);
    command.arg(ARGUMENT).env(MARKER, "1");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    detach(&mut command);
    command.spawn().map(drop)
}

/// Detaches the process from Ctrl-C and the end of the terminal.
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
