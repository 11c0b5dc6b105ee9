//! The layers of the gate, and what each of them can say.
//!
//! Never weighs one layer against another.

use serde::Serialize;

/// A layer that is asked. The order is for explanation only: one denial wins wherever it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Layer {
    /// L0: whether telemetry is built in at all.
    Build,
    /// L1: `DO_NOT_TRACK`.
    Universal,
    /// L2: the application's own variables and the application's deny aliases.
    AppEnv,
    /// L3: the flag that the application was called with.
    Flag,
    /// L4: the machine's policy.
    MachinePolicy,
    /// L5: the account's toggle.
    Account,
    /// L6: the deployment's parameters.
    Deployment,
    /// L6: the project's file.
    Project,
    /// L7: the user's stored choice.
    User,
    /// L8: what must be there besides consent: a session, a licence key, an endpoint, an API key.
    Preconditions,
    /// L9: continuous integration, and builds that are not released.
    Environment,
    /// L10: withdrawal in this process, and the server's own stop.
    Runtime,
    /// How silence is read: the mode, and the notice if it asks for one.
    Mode,
}

impl Layer {
    /// Returns the name of the layer in small letters and underscores.
    pub fn name(self) -> &'static str {
        match self {
            Self::Build => "build",
            Self::Universal => "universal",
            Self::AppEnv => "app_env",
            Self::Flag => "flag",
            Self::MachinePolicy => "machine_policy",
            Self::Account => "account",
            Self::Deployment => "deployment",
            Self::Project => "project",
            Self::User => "user",
            Self::Preconditions => "preconditions",
            Self::Environment => "environment",
            Self::Runtime => "runtime",
            Self::Mode => "mode",
        }
    }

    /// Returns whether a denial of this layer outlives the run: it then also takes what is stored.
    pub fn is_persistent(self) -> bool {
        matches!(
            self,
            Self::MachinePolicy
                | Self::Account
                | Self::Deployment
                | Self::Project
                | Self::User
                | Self::Runtime
        )
    }
}

/// What a layer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Vote {
    /// No.
    Deny,
    /// Yes.
    Grant,
    /// Nothing.
    #[serde(rename = "silent")]
    Abstain,
}

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

    pub(crate) fn new(
        layer: Layer,
        vote: Vote,
        source: impl Into<String>,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            layer,
            vote,
            source: source.into(),
            reason: reason.into(),
            raw_value: None,
            since: None,
            malformed: false,
        }
    }

    pub(crate) fn abstain(layer: Layer, source: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(layer, Vote::Abstain, source, reason)
    }

    pub(crate) fn deny(layer: Layer, source: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(layer, Vote::Deny, source, reason)
    }

    pub(crate) fn grant(layer: Layer, source: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(layer, Vote::Grant, source, reason)
    }

    /// A denial, because what was found cannot be read.
    pub(crate) fn wrong(layer: Layer, source: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { malformed: true, ..Self::deny(layer, source, reason) }
    }

    /// A denial, because what was found is a yes that somebody else may have written.
    pub(crate) fn doubted(layer: Layer, source: impl Into<String>, doubt: &str) -> Self {
        Self::wrong(layer, source, format!("grants, which is not believed: {doubt}"))
    }

    pub(crate) fn with_raw(mut self, raw: &std::ffi::OsStr) -> Self {
        // Escaped by its own rules, so that bytes which are no text show as what they are.
        #[expect(clippy::unnecessary_debug_formatting, reason = "the escaping is what is wanted")]
        let text = format!("{raw:?}");
        let text = text.strip_prefix('"').unwrap_or(&text);
        let text = text.strip_suffix('"').unwrap_or(text);
        self.raw_value = Some(text.chars().take(64).collect());
        self
    }

    pub(crate) fn with_since(mut self, seconds: u64) -> Self {
        self.since = super::time_text(seconds);
        self
    }
}

/// Joins what several sources of one layer say: the first denial, else the first grant, else the last word.
pub(crate) fn join(layer: Layer, reports: impl IntoIterator<Item = LayerReport>) -> LayerReport {
    let mut joined: Option<LayerReport> = None;
    for report in reports {
        let stronger = joined.as_ref().is_none_or(|best| strength(report.vote) > strength(best.vote));
        if stronger {
            joined = Some(report);
        }
    }
    joined.unwrap_or_else(|| LayerReport::abstain(layer, "", "not declared"))
}

fn strength(vote: Vote) -> u8 {
    match vote {
        Vote::Abstain => 0,
        Vote::Grant => 1,
        Vote::Deny => 2,
    }
}
