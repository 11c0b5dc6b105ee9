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
    /// opposite and denies: `AnalyticsEnabled: "false"`.
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
        match opposite(self.key).filter(|key| self.says_no(key, !self.disables)) {
            Some(written) => instead(report, &written),
            None => report,
        }
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

fn instead(report: Finding, written: &str) -> Finding {
    let reason = format!("is overridden by \"{}\", which says no: correct that key", written.escape_debug());
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
    use super::{opposite, shortened};

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
