//! Finds a denial that a file expresses without the declared key.

use crate::consent::finding::{Finding, Vote};
use crate::consent::switch::{Reading, SwitchKind, parse_switch};
use crate::document::{Found, Node};

/// A declared switch, and the document in which it is looked up.
pub(crate) struct Switch<'a> {
    pub(crate) tree: &'a Node,
    /// Its dotted key.
    pub(crate) key: &'a str,
    /// Another declared key, which is not a misspelling of this one.
    pub(crate) other: &'a str,
    /// Whether a yes denies.
    pub(crate) disables: bool,
}

impl Switch<'_> {
    /// Returns the report, or a denial in its place if a key of the document is nearly the switch's own, or is its
    /// opposite and denies (`AnalyticsEnabled: "false"`), or is another name for it (`TelemetryDisabled: "true"`).
    pub(crate) fn unless_misspelt(&self, report: Finding) -> Finding {
        if report.vote == Vote::Deny {
            return report;
        }
        if let Some(written) = self.tree.near_miss(self.key, self.other) {
            let written = written.escape_debug();
            let reason =
                format!("may be misspelt as \"{written}\", which counts as a no: correct or rename that key");
            return Finding::wrong(report.source, reason);
        }
        let opposite = opposite(self.key).filter(|key| self.says_no(key, !self.disables));
        match opposite.or_else(|| self.synonym()) {
            Some(written) => instead(report, &written),
            None => report,
        }
    }

    /// Returns another name for the switch, next to it or higher up on its path, unless its value allows telemetry.
    fn synonym(&self) -> Option<String> {
        let parts: Vec<&str> = self.key.split('.').collect();
        (0..parts.len()).rev().find_map(|depth| {
            let path = parts.get(..depth)?.join(".");
            let map = match self.tree.at(&path) {
                _ if path.is_empty() => self.tree,
                Found::Value(node) => node,
                _ => return None,
            };
            let Node::Map { entries, .. } = map else { return None };
            // The rest of the path may be part of one dotted name.
            let rest = format!("{}.", parts.get(depth..parts.len() - 1)?.join("."));
            let group = depth.checked_sub(1).and_then(|above| parts.get(above)).copied().unwrap_or_default();
            entries.iter().find_map(|(name, node)| {
                let written = join(&path, name);
                if written == self.key || written == self.other {
                    return None;
                }
                let bare = name.strip_prefix(&rest).unwrap_or(name);
                if denies_as_synonym(bare, node) || denies_in_group(group, name, node) {
                    return Some(written);
                }
                // The groups of the switch's own path are maps of their own here.
                let is_own = parts.get(depth) == Some(&name.as_ref());
                let Node::Map { entries, .. } = node else { return None };
                let (inner, _) =
                    entries.iter().find(|(inner, node)| !is_own && denies_in_group(name, inner, node))?;
                Some(join(&written, inner))
            })
        })
    }

    /// Does the same if part of the path to the switch is missing and the switch denies, as after a forgotten
    /// indent or heading.
    pub(super) fn unless_misplaced(&self, report: Finding) -> Finding {
        if report.vote == Vote::Deny {
            return report;
        }
        match shortened(self.key).into_iter().find(|key| self.says_no(key, self.disables)) {
            Some(written) => instead(report, &written),
            None => report,
        }
    }

    fn says_no(&self, key: &str, disables: bool) -> bool {
        let kind = if disables { SwitchKind::LegacyString } else { SwitchKind::Enabled { may_grant: false } };
        match self.tree.at(key) {
            _ if key == self.other => false,
            Found::Value(Node::Bool(value)) => *value == disables,
            Found::Value(Node::Text(text)) => parse_switch(kind, text.as_ref()) == Reading::Deny,
            _ => false,
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Returns whether a key is a name for a switch of telemetry, and its value does not allow it.
fn denies_as_synonym(name: &str, value: &Node) -> bool {
    let Some(synonym) = Synonym::of(name) else { return false };
    let kind = match synonym {
        Synonym::TurnsOff => SwitchKind::LegacyString,
        Synonym::TurnsOn | Synonym::Subject => SwitchKind::Enabled { may_grant: false },
    };
    match value {
        Node::Bool(value) => *value == (synonym == Synonym::TurnsOff),
        Node::Text(text) => match parse_switch(kind, text.as_ref()) {
            Reading::Deny => true,
            // `analytics: "G-123"` is not a misspelt no.
            Reading::Malformed => synonym != Synonym::Subject,
            Reading::Abstain | Reading::Grant => false,
        },
        // It may be 1 or 0, which is not a value of the switch either.
        Node::Number => synonym != Synonym::Subject,
        // A group of settings, such as `telemetry: {..}`, or nothing that could be meant as a yes or a no.
        _ => false,
    }
}

/// Returns whether a key of a group such as `telemetry` or `analytics` turns it off: `optOut: true`. The value must be a
/// clear no, since the name of the key alone may mean anything.
fn denies_in_group(group: &str, name: &str, value: &Node) -> bool {
    let is_clear = match value {
        Node::Bool(_) => true,
        Node::Text(text) => parse_switch(SwitchKind::LegacyString, text.as_ref()) != Reading::Malformed,
        _ => false,
    };
    is_clear && Synonym::of(group) == Some(Synonym::Subject) && denies_as_synonym(&join(group, name), value)
}

/// What a key does that is another name for a switch of telemetry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Synonym {
    /// A yes turns telemetry off: `DisableAnalytics`.
    TurnsOff,
    /// A no turns telemetry off: `telemetry_enabled`.
    TurnsOn,
    /// It only names telemetry, so it may be something other than a switch: `analytics`.
    Subject,
}

impl Synonym {
    /// Returns what a key of this name does; `None` if it is not the name of such a switch.
    fn of(name: &str) -> Option<Self> {
        const SUBJECTS: [&str; 3] = ["telemetry", "analytics", "tracking"];
        let letters: String = name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|letter| letter.to_ascii_lowercase())
            .collect();
        if letters == "donottrack" {
            return Some(Self::TurnsOff);
        }
        let verb = SUBJECTS
            .iter()
            .find_map(|subject| letters.strip_prefix(subject).or_else(|| letters.strip_suffix(subject)))?;
        match verb {
            "disabled" | "disable" | "off" | "optout" | "no" => Some(Self::TurnsOff),
            "enabled" | "enable" | "on" | "optin" => Some(Self::TurnsOn),
            "" => Some(Self::Subject),
            _ => None,
        }
    }
}

fn instead(report: Finding, written: &str) -> Finding {
    let reason = format!(
        "is overridden by \"{}\", which says no: write the right key instead, or remove that one",
        written.escape_debug()
    );
    Finding::wrong(report.source, reason)
}

/// Returns the key with `disabled` in place of `enabled` at its end, or vice versa.
fn opposite(key: &str) -> Option<String> {
    [("disabled", "enabled"), ("Disabled", "Enabled"), ("DISABLED", "ENABLED")].into_iter().find_map(
        |(no, yes)| {
            let swapped = |from, to| key.strip_suffix(from).map(|stem: &str| format!("{stem}{to}"));
            swapped(no, yes).or_else(|| swapped(yes, no))
        },
    )
}

/// Returns the key without each of the parts before its last one, and the last part alone.
fn shortened(key: &str) -> Vec<String> {
    let parts: Vec<&str> = key.split('.').collect();
    let Some((last, way)) = parts.split_last() else { return Vec::new() };
    let without = (0..way.len()).map(|left_out| {
        let kept = parts.iter().enumerate().filter(|(index, _)| *index != left_out);
        kept.map(|(_, part)| *part).collect::<Vec<_>>().join(".")
    });
    without.chain((way.len() > 1).then(|| (*last).to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::{Synonym, opposite, shortened};

    #[test]
    fn other_names_for_the_switch_are_recognised() {
        for name in [
            "TelemetryDisabled",
            "DisableAnalytics",
            "disable_telemetry",
            "ANALYTICS_DISABLE",
            "noTelemetry",
            "telemetry-off",
            "Analytics.OptOut",
            "TrackingDisabled",
            "DO_NOT_TRACK",
        ] {
            assert_eq!(Synonym::of(name), Some(Synonym::TurnsOff), "{name}");
        }
        for name in ["TelemetryEnabled", "EnableAnalytics", "telemetry_opt_in"] {
            assert_eq!(Synonym::of(name), Some(Synonym::TurnsOn), "{name}");
        }
        assert_eq!(Synonym::of("Analytics"), Some(Synonym::Subject));
        for name in [
            "MetricsDisabled",
            "AnalyticsLogLevel",
            "TelemetryEndpoint",
            "",
            "Disabled",
            "AnalyticsBucketName",
        ] {
            assert_eq!(Synonym::of(name), None, "{name}");
        }
    }

    #[test]
    fn a_key_has_its_opposite_and_its_shorter_forms() {
        assert_eq!(opposite("a.AnalyticsDisabled").as_deref(), Some("a.AnalyticsEnabled"));
        assert_eq!(opposite("telemetry.enabled").as_deref(), Some("telemetry.disabled"));
        assert_eq!(opposite("telemetry.off"), None);
        assert_eq!(shortened("a.b.c"), ["b.c", "a.c", "c"]);
        assert_eq!(shortened("a.b"), ["b"]);
        assert!(shortened("a").is_empty());
    }
}
