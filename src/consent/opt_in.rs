//! The result of opting in.

use std::fmt;

use super::decide::{ConsentState, Decision};
use super::finding::Vote;
use super::layers::Layer;
use super::report::LayerReport;

/// The result of opting in: telemetry is on, or stays off for a reason that can be printed.
///
/// The grant is stored in either case. The result prints as one line for the person who gave it:
///
/// ```no_run
/// # fn main() -> candor::Result<()> {
/// # let client = candor::Client::disabled();
/// println!("{}", client.opt_in()?); // telemetry stays off: DO_NOT_TRACK=1 is set
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "tell the user whether telemetry is now on and, if it is not, why"]
pub struct OptIn {
    decision: Decision,
    is_shut_down: bool,
}

impl OptIn {
    pub(crate) fn new(decision: Decision, is_shut_down: bool) -> Self {
        Self { decision, is_shut_down }
    }

    /// Returns whether telemetry is on now.
    pub fn is_on(&self) -> bool {
        self.state() == ConsentState::Granted && !self.is_shut_down
    }

    /// Returns what was decided. After a shutdown this can be granted although nothing is captured.
    pub fn state(&self) -> ConsentState {
        self.decision.state()
    }

    /// Returns the decision, with the report of every layer.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// Returns why telemetry stays off, with one sentence for each layer that denies; `None` if it is on.
    ///
    /// It may contain raw values of variables, so it is only for the person at the terminal.
    pub fn reason(&self) -> Option<String> {
        let report = |layer| self.decision.layers().iter().find(|report| report.layer == layer);
        match self.state() {
            ConsentState::Denied => {
                let denying = self.decision.layers().iter().filter(|report| report.vote == Vote::Deny);
                Some(denying.map(LayerReport::sentence).collect::<Vec<_>>().join("; "))
            }
            // No layer denies, so the stored answer did not count. Its own report says why.
            ConsentState::Deferred => report(Layer::User).map(LayerReport::sentence),
            ConsentState::Granted if self.is_shut_down => {
                Some("this client was shut down; the grant takes effect at the next start".to_owned())
            }
            ConsentState::Granted => None,
        }
    }
}

impl fmt::Display for OptIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.reason() {
            Some(reason) => write!(f, "telemetry stays off: {reason}"),
            None => f.write_str("telemetry is on"),
        }
    }
}
