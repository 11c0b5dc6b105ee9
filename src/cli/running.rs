//! The command that is currently running, which ends only once: normally or by Ctrl-C.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

/// The running command, if any.
#[derive(Clone, Debug, Default)]
pub(super) struct Running(Arc<Mutex<Option<(&'static str, Instant)>>>);

impl Running {
    pub(super) fn begin(&self, command: &'static str) {
        *self.0.lock() = Some((command, Instant::now()));
    }

    /// Ends the command; returns its name and its start, or `None` if it has already ended.
    pub(super) fn end(&self) -> Option<(&'static str, Instant)> {
        self.0.lock().take()
    }
}

#[cfg(test)]
mod tests {
    use super::Running;

    #[test]
    fn a_command_ends_once() {
        let running = Running::default();
        assert_eq!(running.end(), None);
        running.begin("build");
        assert_eq!(running.end().map(|(command, _)| command), Some("build"));
        assert_eq!(running.end(), None);
    }
}
