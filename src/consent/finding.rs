//! What one source of the gate says, and where its grant counts.

use serde::Serialize;

/// A layer's vote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Vote {
    /// The layer denies.
    Deny,
    /// The layer grants.
    Grant,
    /// The layer neither denies nor grants.
    #[serde(rename = "silent")]
    Abstain,
}

/// A source's vote, where it was read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) vote: Vote,
    /// The variable, the path or the setting that it was read from.
    pub(crate) source: String,
    /// The reason, for people.
    pub(crate) reason: String,
    /// The raw value of a variable, escaped and cut to 64 characters.
    pub(crate) raw_value: Option<String>,
    /// When the vote was given, in RFC 3339.
    pub(crate) since: Option<String>,
    /// Whether the source itself is wrong, which is worth a line in the log.
    pub(crate) malformed: bool,
}

impl Finding {
    pub(crate) fn new(vote: Vote, source: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            vote,
            source: source.into(),
            reason: reason.into(),
            raw_value: None,
            since: None,
            malformed: false,
        }
    }

    pub(crate) fn is_grant(&self) -> bool {
        self.vote == Vote::Grant
    }

    pub(crate) fn abstain(source: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(Vote::Abstain, source, reason)
    }

    pub(crate) fn deny(source: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(Vote::Deny, source, reason)
    }

    pub(crate) fn grant(source: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::new(Vote::Grant, source, reason)
    }

    /// Creates a denial because what was found cannot be read.
    pub(crate) fn wrong(source: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { malformed: true, ..Self::deny(source, reason) }
    }

    /// Creates a denial because somebody else may have written the grant that was found.
    pub(crate) fn doubted(source: impl Into<String>, doubt: &str) -> Self {
        Self::wrong(source, format!("grants, but is not trusted: {doubt}"))
    }

    pub(crate) fn with_raw(mut self, raw: &std::ffi::OsStr) -> Self {
        // The escaping of `OsStr` also shows bytes that are not text.
        #[expect(clippy::unnecessary_debug_formatting, reason = "the escaping is intended")]
        let text = format!("{raw:?}");
        let text = text.strip_prefix('"').unwrap_or(&text);
        let text = text.strip_suffix('"').unwrap_or(text);
        self.raw_value = Some(text.chars().take(64).collect());
        self
    }

    pub(crate) fn with_since(mut self, seconds: u64) -> Self {
        self.since = crate::consent::time_text(seconds);
        self
    }
}

/// Combines the findings of one layer: the first denial, else the first grant, else the first finding.
pub(crate) fn join(findings: impl IntoIterator<Item = Finding>) -> Finding {
    let stronger = |best: Finding, next: Finding| {
        if strength(next.vote) > strength(best.vote) { next } else { best }
    };
    findings.into_iter().reduce(stronger).unwrap_or_else(|| Finding::abstain("", "not declared"))
}

fn strength(vote: Vote) -> u8 {
    match vote {
        Vote::Abstain => 0,
        Vote::Grant => 1,
        Vote::Deny => 2,
    }
}

/// Where a layer's grant counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grants {
    /// The layer never grants.
    Never,
    /// Only where a person sits at the machine. It also answers a notice.
    ForPeople,
    /// Everywhere, including continuous integration.
    Everywhere,
}

/// The grants of the layers asked so far, for the layers that interpret silence.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard {
    grants: Vec<(&'static str, Grants)>,
}

impl Heard {
    /// Records that the named layer has granted.
    pub(crate) fn add(&mut self, layer: &'static str, grants: Grants) {
        self.grants.push((layer, grants));
    }

    /// Returns the name of the first layer that granted.
    pub(crate) fn grant(&self) -> Option<&'static str> {
        self.grants.first().map(|(layer, _)| *layer)
    }

    /// Returns the name of the first layer whose grant counts in this way.
    pub(crate) fn grant_that_counts(&self, counts: Grants) -> Option<&'static str> {
        self.grants.iter().find(|(_, grants)| *grants == counts).map(|(layer, _)| *layer)
    }
}
