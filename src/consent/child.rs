//! Passes a denial on to a child process.
//!
//! Only a denial is passed on, never a grant.

use std::process::Command;

use super::decide::{ConsentState, Decision};
use super::finding::Vote;
use super::layers::Layer;
use crate::settings::variable_prefix;

impl Decision {
    /// Passes a denial on to a child process.
    ///
    /// Sets `<APP>_TELEMETRY_DISABLED=1` on the command, and also `DO_NOT_TRACK=1` if that variable denied. Both
    /// are set on the command itself, so a child with a cleared environment still receives them. A granted or
    /// deferred decision sets nothing: the child decides for itself.
    ///
    /// ```
    /// # use candor::consent::{Facts, Inputs, decide};
    /// # use candor::{Consent, Env};
    /// # let facts = Facts::new("my-tool", Consent::opt_in().no_telemetry_flag(true), None);
    /// # let decision = decide(&Inputs::new(facts, Env::empty(), 0));
    /// let mut command = std::process::Command::new("my-tool-plugin");
    /// decision.apply_to_child("my-tool", &mut command);
    /// ```
    pub fn apply_to_child(&self, app: &str, command: &mut Command) {
        if self.state() != ConsentState::Denied {
            return;
        }
        command.env(format!("{}_TELEMETRY_DISABLED", variable_prefix(app)), "1");
        let mut reports = self.layers().iter();
        if reports.any(|report| report.layer == Layer::Universal && report.vote == Vote::Deny) {
            command.env("DO_NOT_TRACK", "1");
        }
    }
}
