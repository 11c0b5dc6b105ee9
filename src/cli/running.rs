//! The commands that are running, each of which ends only once: normally or by Ctrl-C.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

/// The running commands: several if one runs inside another, or on another thread.
#[derive(Clone, Debug, Default)]
pub(super) struct Running(Arc<Mutex<Commands>>);

#[derive(Debug, Default)]
struct Commands {
    begun: u64,
    running: Vec<Command>,
}

/// A running command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Command {
    number: u64,
    pub(super) name: &'static str,
    pub(super) started: Instant,
}

impl Running {
    pub(super) fn begin(&self, name: &'static str) -> Command {
        let mut commands = self.0.lock();
        commands.begun += 1;
        let command = Command { number: commands.begun, name, started: Instant::now() };
        commands.running.push(command);
        command
    }

    /// Ends a command; returns `false` if it has already ended.
    pub(super) fn end(&self, command: Command) -> bool {
        let running = &mut self.0.lock().running;
        let place = running.iter().position(|running| running.number == command.number);
        place.map(|place| running.remove(place)).is_some()
    }

    /// Returns whether no command is running.
    pub(super) fn is_idle(&self) -> bool {
        self.0.lock().running.is_empty()
    }

    /// Ends all commands and returns them, with the first one first.
    #[cfg(any(feature = "ctrlc", test))]
    pub(super) fn end_all(&self) -> Vec<Command> {
        std::mem::take(&mut self.0.lock().running)
    }
}

#[cfg(test)]
mod tests {
    use super::Running;

    #[test]
    fn each_command_ends_once() {
        let running = Running::default();
        let outer = running.begin("build");
        let inner = running.begin("build");
        assert!(running.end(outer));
        assert!(!running.end(outer));
        assert_eq!(running.end_all(), [inner]);
        assert!(!running.end(inner) && running.is_idle());
    }
}
