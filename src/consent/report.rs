//! The report of one layer.

use serde::Serialize;

use super::finding::{Finding, Vote};
use super::layers::Layer;

/// A layer's vote, where it was read, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LayerReport {
    /// The layer.
    pub layer: Layer,
    /// Its vote.
    #[serde(rename = "verdict")]
    pub vote: Vote,
    /// The variable, the path or the setting that it was read from.
    pub source: String,
    /// The reason, for people.
    pub reason: String,
    /// The raw value of a variable, escaped and cut to 64 characters. Only for whoever runs the program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw_value: Option<String>,
    /// When the vote was given, in RFC 3339.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Whether the source itself is wrong, which is worth a line in the log.
    pub malformed: bool,
}

impl LayerReport {
    pub(crate) fn new(layer: Layer, finding: Finding) -> Self {
        let Finding { vote, source, reason, raw_value, since, malformed } = finding;
        Self { layer, vote, source, reason, raw_value, since, malformed }
    }

    /// Returns one sentence for whoever runs the program. It may contain the raw value of a variable.
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
