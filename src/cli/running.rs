//! The command that is running now, which ends once: by itself, or by Ctrl-C.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;

/// The command under way, if any.
#[derive(Clone, Debug, Default)]
pub(super) struct Running(Arc<Mutex<Option<(&'static str, Instant)>>>);

impl Running {
    pub(super) fn begin(&self, command: &'static str) {
        *self.0.lock() = Some((command, Instant::now()));
    }

    /// Ends the command; returns its name and when it began, unless it has ended already.
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
