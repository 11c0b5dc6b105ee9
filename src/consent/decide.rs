//! The decision: one pure function over all layers.
//!
//! Never reads the world, and never lets a yes outweigh a no.

use serde::Serialize;

use super::finding::{Heard, Vote};
use super::granted::Granted;
use super::inputs::Inputs;
use super::layers::{self, Layer};
use super::report::LayerReport;
use crate::consent::declaration::Mode;

/// What was decided. Every gate is written `== Granted`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConsentState {
    /// Events may be captured and sent.
    Granted,
    /// Somebody said no, or something that must be there is not.
    Denied,
    /// Nobody has said anything that counts. Nothing is captured, and nothing is kept for later.
    Deferred,
}

impl ConsentState {
    /// Returns the name of the state in small letters.
    pub fn name(self) -> &'static str {
        match self {
            Self::Granted => "granted",
            Self::Denied => "denied",
            Self::Deferred => "deferred",
        }
    }
}

/// A decision, with the whole of its reasons.
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

    /// Returns the layer that decided; of several denials the first.
    pub fn decided_by(&self) -> Layer {
        self.decided_by
    }

    /// Returns what each layer said.
    pub fn layers(&self) -> &[LayerReport] {
        &self.layers
    }

    /// Returns the report of the layer that decided.
    pub fn deciding_report(&self) -> Option<&LayerReport> {
        self.layers.iter().find(|report| report.layer == self.decided_by)
    }

    /// Returns the token, if the decision is granted.
    pub fn granted(&self) -> Option<Granted> {
        (self.state == ConsentState::Granted).then(Granted::new)
    }

    /// Returns whether nothing but the notice is missing: the moment to show it, on a terminal and to a person.
    pub fn notice_is_due(&self) -> bool {
        self.notice_is_due && self.state == ConsentState::Deferred
    }

    /// Returns whether the deployment asks for debug printing.
    pub fn debug_print(&self) -> bool {
        self.debug_print
    }

    /// Names what was said yes to, and when: where this is another text, it is another yes.
    pub(crate) fn grant_name(&self) -> String {
        let mut name = String::new();
        for report in self.layers.iter().filter(|report| report.vote == Vote::Grant) {
            // The account's answer is fetched anew by each run.
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

    /// Returns whether what was kept on disk under an earlier yes has to go: somebody has said no for good, or the yes has
    /// ended with the notice, the endpoint or the catalogue that it was given for.
    pub(crate) fn ends_what_is_kept(&self) -> bool {
        let has_ended = |report: &LayerReport| {
            report.vote == Vote::Abstain
                && report.since.is_some()
                && matches!(report.layer, Layer::User | Layer::Mode)
        };
        match self.state {
            ConsentState::Granted => false,
            ConsentState::Denied => self.decided_by.is_persistent(),
            ConsentState::Deferred => self.layers.iter().any(has_ended),
        }
    }

    /// Returns how often the user had refused when this was decided.
    pub(crate) fn refusals(&self) -> u64 {
        self.refusals
    }

    /// Returns whether a denial outlives this run, and so takes what is stored with it.
    pub fn is_persistent_denial(&self) -> bool {
        self.layers.iter().any(|report| report.vote == Vote::Deny && report.layer.is_persistent())
    }
}

/// Decides.
///
/// Any denial denies, whatever the order. Else the mode says whether silence is enough: if it is not, and nobody
/// who may grant has granted, the decision is deferred.
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

/// Weighs the reports. The state is the same in any order of them.
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
