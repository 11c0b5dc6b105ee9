//! The decision, as one pure function over all layers.
//!
//! A denial always overrides a grant, whatever the order.

use serde::Serialize;

use super::finding::{Heard, Vote};
use super::granted::Granted;
use super::inputs::Inputs;
use super::layers::{self, Layer};
use super::report::LayerReport;
use crate::consent::declaration::Mode;

/// The outcome of a decision. Only [`Granted`](Self::Granted) allows anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentState {
    /// Events may be captured and sent.
    Granted,
    /// Somebody has said no, or something required is missing.
    Denied,
    /// Nobody who may grant has answered yet. Nothing is captured, and nothing is kept for later.
    Deferred,
}

impl ConsentState {
    /// Returns the name of the state in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Denied => "denied",
            Self::Deferred => "deferred",
        }
    }
}

/// A decision, with the report of every layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    state: ConsentState,
    decided_by: Layer,
    layers: Vec<LayerReport>,
    debug_print: bool,
    notice_is_due: bool,
    refusals: u64,
}

impl Decision {
    /// Returns what was decided.
    pub fn state(&self) -> ConsentState {
        self.state
    }

    /// Returns the layer that decided: the first one if several denied.
    pub fn decided_by(&self) -> Layer {
        self.decided_by
    }

    /// Returns the report of each layer.
    pub fn layers(&self) -> &[LayerReport] {
        &self.layers
    }

    /// Returns the report of the layer that decided.
    pub fn deciding_report(&self) -> Option<&LayerReport> {
        self.layers.iter().find(|report| report.layer == self.decided_by)
    }

    /// Returns the token of consent if the decision is granted.
    pub fn granted(&self) -> Option<Granted> {
        (self.state == ConsentState::Granted).then(Granted::new)
    }

    /// Returns whether only the notice is missing. A program with a person at its terminal should show it now.
    pub fn notice_is_due(&self) -> bool {
        self.notice_is_due && self.state == ConsentState::Deferred
    }

    /// Returns whether the deployment asks for sent events to be printed.
    pub fn debug_print(&self) -> bool {
        self.debug_print
    }

    /// Names the grants and their times. A different name means a different grant.
    pub(crate) fn grant_name(&self) -> String {
        let mut name = String::new();
        for report in self.layers.iter().filter(|report| report.vote == Vote::Grant) {
            // Each run fetches the account's answer again, so its time is left out.
            let since =
                report.since.as_deref().filter(|_| report.layer != Layer::Account).unwrap_or_default();
            if !name.is_empty() {
                name.push_str(", ");
            }
            name.push_str(report.layer.name());
            if !since.is_empty() {
                name.push(' ');
                name.push_str(since);
            }
        }
        name
    }

    /// Returns whether events kept on disk under an earlier grant must be deleted: because a denial outlives the
    /// run, or because the grant ended with the notice, endpoint or catalogue that it was given for.
    pub(crate) fn ends_what_is_kept(&self) -> bool {
        let has_ended = |report: &LayerReport| {
            report.vote == Vote::Abstain
                && report.since.is_some()
                && matches!(report.layer, Layer::User | Layer::Mode)
        };
        match self.state {
            ConsentState::Granted => false,
            ConsentState::Denied => self.is_persistent_denial(),
            ConsentState::Deferred => self.layers.iter().any(has_ended),
        }
    }

    /// Returns how often the user had refused when this decision was made.
    pub(crate) fn refusals(&self) -> u64 {
        self.refusals
    }

    /// Returns whether any denial outlives this run.
    pub fn is_persistent_denial(&self) -> bool {
        self.layers.iter().any(|report| report.vote == Vote::Deny && report.layer.is_persistent())
    }
}

/// Decides whether events may be captured and sent.
///
/// A single denial denies, whatever the order. Otherwise the mode says whether silence is enough: if it is not, and
/// nobody who may grant has granted, the decision is deferred.
///
/// ```
/// use candor::consent::{ConsentState, Facts, Inputs, Layer, decide};
/// use candor::{Consent, Env, Notice};
///
/// let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry"));
/// let facts = Facts::new("granted", consent, Some("https://t.example.com".into()));
/// let decision = decide(&Inputs::new(facts.clone(), Env::empty(), 0));
/// assert_eq!(decision.state(), ConsentState::Granted);
///
/// let decision = decide(&Inputs::new(facts, Env::empty().with("DO_NOT_TRACK", "1"), 0));
/// assert_eq!(decision.state(), ConsentState::Denied);
/// assert_eq!(decision.decided_by(), Layer::Universal);
/// ```
pub fn decide(inputs: &Inputs) -> Decision {
    let mut heard = Heard::default();
    let ask = |layer: &Layer| LayerReport::new(*layer, layer.ask(inputs, &mut heard));
    let reports: Vec<_> = Layer::ALL.iter().map(ask).collect();
    let (state, decided_by) = combine(&reports, inputs.facts.consent.mode);
    Decision {
        state,
        decided_by,
        layers: reports,
        debug_print: state == ConsentState::Granted && layers::asks_for_debug(inputs),
        notice_is_due: layers::notice_is_due(inputs),
        refusals: layers::refusals(inputs),
    }
}

/// Combines the reports: a denial overrides every grant. The order of the reports does not affect the state.
pub(crate) fn combine(reports: &[LayerReport], mode: Mode) -> (ConsentState, Layer) {
    let first = |vote: Vote, but: Option<Layer>| {
        let matching = reports.iter().filter(|report| report.vote == vote && Some(report.layer) != but);
        matching.map(|report| report.layer).next()
    };
    if let Some(layer) = first(Vote::Deny, None) {
        return (ConsentState::Denied, layer);
    }
    let enough = reports.iter().any(|report| report.layer == Layer::Mode && report.vote == Vote::Grant);
    if !enough {
        return (ConsentState::Deferred, Layer::Mode);
    }
    match (first(Vote::Grant, Some(Layer::Mode)), mode) {
        (Some(layer), _) => (ConsentState::Granted, layer),
        (None, Mode::OptOut | Mode::Session) => (ConsentState::Granted, Layer::Mode),
        (None, Mode::OptIn) => (ConsentState::Deferred, Layer::Mode),
    }
}
