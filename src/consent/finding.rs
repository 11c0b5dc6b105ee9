//! What one source of the gate says, and where a yes of it counts.

use serde::Serialize;

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

/// What one source says, where it was read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) vote: Vote,
    /// The variable, the path or the setting that it was read from.
    pub(crate) source: String,
    /// Why, for people.
    pub(crate) reason: String,
    /// The raw value of a variable, escaped and cut to 64 characters.
    pub(crate) raw_value: Option<String>,
    /// Since when, in RFC 3339.
    pub(crate) since: Option<String>,
    /// Whether what was found is wrong in itself, and so worth a line in the log.
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

    /// A denial, because what was found cannot be read.
    pub(crate) fn wrong(source: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { malformed: true, ..Self::deny(source, reason) }
    }

    /// A denial, because what was found is a yes that somebody else may have written.
    pub(crate) fn doubted(source: impl Into<String>, doubt: &str) -> Self {
        Self::wrong(source, format!("grants, which is not believed: {doubt}"))
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
        self.since = crate::consent::time_text(seconds);
        self
    }
}

/// Joins what several sources of one layer say: the first denial, else the first grant, else the first word.
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

/// Where a layer's yes counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grants {
    /// It has none to give.
    Never,
    /// Where a person sits at the machine; it also answers a notice.
    ForPeople,
    /// In continuous integration as well.
    Everywhere,
}

/// The grants of the layers that were asked so far, for those that read silence.
#[derive(Clone, Debug, Default)]
pub(crate) struct Heard {
    grants: Vec<(&'static str, Grants)>,
}

impl Heard {
    /// Remembers that a layer of this name has granted.
    pub(crate) fn add(&mut self, layer: &'static str, grants: Grants) {
        self.grants.push((layer, grants));
    }

    /// Returns the name of the first layer that granted.
    pub(crate) fn grant(&self) -> Option<&'static str> {
        self.grants.first().map(|(layer, _)| *layer)
    }

    /// Returns the name of the first layer that granted where `counts` says.
    pub(crate) fn grant_that_counts(&self, counts: Grants) -> Option<&'static str> {
        self.grants.iter().find(|(_, grants)| *grants == counts).map(|(layer, _)| *layer)
    }
}
