//! What a layer says, as it is shown.

use serde::Serialize;

use super::finding::{Finding, Vote};
use super::layers::Layer;

/// What a layer says, where it was read, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LayerReport {
    /// The layer.
    pub layer: Layer,
    /// What it says.
    #[serde(rename = "verdict")]
    pub vote: Vote,
    /// The variable, the path or the setting that it was read from.
    pub source: String,
    /// Why, for people.
    pub reason: String,
    /// The raw value of a variable, escaped and cut to 64 characters. It is for the local terminal only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_value: Option<String>,
    /// Since when, in RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Whether what was found is wrong in itself, and so worth a line in the log.
    pub malformed: bool,
}

impl LayerReport {
    pub(crate) fn new(layer: Layer, finding: Finding) -> Self {
        let Finding { vote, source, reason, raw_value, since, malformed } = finding;
        Self { layer, vote, source, reason, raw_value, since, malformed }
    }

    /// Returns one sentence for the person at the terminal; the raw value of a variable may be in it.
    ///
    /// ```
    /// use candor::consent::{Facts, Inputs, decide};
    /// use candor::{Consent, Env};
    ///
    /// let facts = Facts::new("my-tool", Consent::opt_in(), Some("https://t.example.com".into()));
    /// let decision = decide(&Inputs::new(facts, Env::empty().with("DO_NOT_TRACK", "1"), 0));
    /// assert_eq!(decision.deciding_report().unwrap().sentence(), "DO_NOT_TRACK=1 is set");
    /// ```
    pub fn sentence(&self) -> String {
        let (source, reason) = (self.source.escape_debug(), &self.reason);
        match &self.raw_value {
            _ if self.source.is_empty() => reason.clone(),
            None => format!("{source}: {reason}"),
            Some(raw) if matches!(self.layer, Layer::Universal | Layer::AppEnv) && !self.malformed => {
                format!("{source}={raw} is set")
            }
            Some(raw) => format!("{source}={raw}: {reason}"),
        }
    }
}
