//! What came of the user's yes.

use std::fmt;

use super::decide::{ConsentState, Decision};
use super::finding::Vote;
use super::layers::Layer;
use super::report::LayerReport;

/// What came of the user's yes: telemetry is on, or stays off for a reason that can be printed.
///
/// The yes is stored in either case. It prints as one line for the person who gave it:
///
/// ```no_run
/// # fn main() -> candor::Result<()> {
/// # let client = candor::Client::disabled();
/// println!("{}", client.opt_in()?); // telemetry stays off: DO_NOT_TRACK=1 is set
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "the user should hear whether telemetry is on now, and if not, why"]
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

    /// Returns what was decided. It can be granted although nothing is captured: after a shutdown.
    pub fn state(&self) -> ConsentState {
        self.decision.state()
    }

    /// Returns the decision, with what every layer said.
    pub fn decision(&self) -> &Decision {
        &self.decision
    }

    /// Returns why telemetry stays off, one sentence for each layer that says no; `None` if it is on.
    ///
    /// Raw values of variables are in it: it is for the person at the terminal.
    pub fn reason(&self) -> Option<String> {
        let report = |layer| self.decision.layers().iter().find(|report| report.layer == layer);
        match self.state() {
            ConsentState::Denied => {
                let denying = self.decision.layers().iter().filter(|report| report.vote == Vote::Deny);
                Some(denying.map(LayerReport::sentence).collect::<Vec<_>>().join("; "))
            }
            // Nobody says no, so the question is what became of the answer that was just stored.
            ConsentState::Deferred => report(Layer::User).map(LayerReport::sentence),
            ConsentState::Granted if self.is_shut_down => {
                Some("this client was shut down, and the yes counts from the next start".to_owned())
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
