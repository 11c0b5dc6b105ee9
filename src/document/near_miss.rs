//! Finds a misspelt form of a key.

use crate::document::Node;

impl Node {
    /// Finds a key that nearly matches `key`, and returns it as it is written, in dotted form.
    ///
    /// A key nearly matches if each of its parts differs only in case, or by at most two letters added, left out or
    /// replaced: one letter in a part of three to five letters, none in a shorter part. A single name that joins
    /// several parts with other separators is compared in the same way. Neither `key` itself nor `other`, which has
    /// its own meaning, is a near miss.
    pub(crate) fn near_miss(&self, key: &str, other: &str) -> Option<String> {
        let parts: Vec<&str> = key.split('.').collect();
        Search { key, other }.below(self, "", &parts)
    }
}

struct Search<'a> {
    key: &'a str,
    other: &'a str,
}

impl Search<'_> {
    /// Searches one map for the rest of the key.
    fn below(&self, node: &Node, way: &str, parts: &[&str]) -> Option<String> {
        let Node::Map { entries, .. } = node else { return None };
        entries.iter().find_map(|(name, node)| {
            let written = if way.is_empty() { name.clone() } else { format!("{way}.{name}") };
            (1..=parts.len()).find_map(|count| {
                let (head, rest) = parts.split_at(count);
                if !is_near_to_parts(name, head) {
                    return None;
                }
                if !rest.is_empty() {
                    return self.below(node, &written, rest);
                }
                (written != self.key && written != self.other).then(|| written.clone())
            })
        })
    }
}

/// Returns whether a name nearly matches one part of a key, or several parts joined as one dotted name.
fn is_near_to_parts(name: &str, parts: &[&str]) -> bool {
    let pieces = name.split('.');
    let is_near_each =
        pieces.clone().count() == parts.len() && pieces.zip(parts).all(|(piece, part)| is_near(piece, part));
    is_near_each || is_near(name, &parts.join("."))
}

fn is_near(found: &str, wanted: &str) -> bool {
    let limit = match wanted.chars().count() {
        0..=2 => 0,
        3..=5 => 1,
        _ => 2,
    };
    // A character has at most four bytes, so a much longer name is not worth comparing.
    if found.len() > 4 * (wanted.len() + limit) {
        return false;
    }
    let (found, wanted): (Vec<char>, Vec<char>) =
        (found.to_lowercase().chars().collect(), wanted.to_lowercase().chars().collect());
    distance(&found, &wanted) <= limit
}

/// Returns how many letters must be added, left out or replaced to turn one text into the other.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for (row, from) in a.iter().enumerate() {
        let mut left = row + 1;
        let mut diagonal = row;
        for (cell, to) in above.iter_mut().skip(1).zip(b) {
            let best = (diagonal + usize::from(from != to)).min(*cell + 1).min(left + 1);
            (diagonal, left, *cell) = (*cell, best, best);
        }
        if let Some(first) = above.first_mut() {
            *first = row + 1;
        }
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::distance;
    use crate::document::{Format, read};

    const KEY: &str = "deployment.parameters.AnalyticsDisabled";

    fn near_miss(json: &str) -> Option<String> {
        let tree = read(Format::Json, json.as_bytes()).unwrap();
        tree.near_miss(KEY, "deployment.parameters.AnalyticsLogLevel")
    }

    fn nested(outer: &str, middle: &str, inner: &str) -> String {
        format!(r#"{{"{outer}":{{"{middle}":{{"{inner}":"true"}}}}}}"#)
    }

    #[test]
    fn a_key_that_differs_by_case_or_two_letters_is_near() {
        for (outer, middle, inner) in [
            ("deployment", "parameters", "AnalyticDisabled"),
            ("deployment", "parameters", "analyticsdisabled"),
            ("deployment", "parameters", "ANALYTICS_DISABLED"),
            ("deployment", "parameters", "AnalytcisDisabled"),
            ("deployment", "parameters", "AnalyticsDisable"),
            ("deployment", "parameters", "Analytics Disabled "),
            ("deployment", "parameters", "\u{410}nalyticsDisabled"),
            ("deployment", "parameter", "AnalyticsDisabled"),
            ("Deployment", "Parameters", "AnalyticsDisabled"),
            ("deployments", "paramters", "AnalyticsDisabeld"),
        ] {
            let found = near_miss(&nested(outer, middle, inner));
            assert_eq!(found, Some(format!("{outer}.{middle}.{inner}")));
        }
        for flat in [
            "deployment.parameters.AnalyticDisabled",
            "Deployment.Parameter.AnalyticsDisabled",
            "deployment/parameters/AnalyticsDisabled",
            "deployment_parameters_AnalyticsDisabled",
            "deployment.parameters.AnalyticsDisabled.",
        ] {
            assert_eq!(near_miss(&format!(r#"{{"{flat}":1}}"#)).as_deref(), Some(flat));
        }
        let partly_flat = r#"{"deployment":{"parameter.AnalyticsDisabled":true}}"#;
        assert_eq!(near_miss(partly_flat).as_deref(), Some("deployment.parameter.AnalyticsDisabled"));
        let both =
            r#"{"deployment":{"parameters":{"AnalyticsDisabled":"false","analyticsDisabled":"true"}}}"#;
        assert!(near_miss(both).is_some());
    }

    #[test]
    fn a_key_that_differs_by_more_is_another_key() {
        for (outer, middle, inner) in [
            ("deployment", "parameters", "AnalyticsDisabled"),
            ("deployment", "parameters", "AnalyticsLogLevel"),
            ("deployment", "parameters", "AnalyticsEnabled"),
            ("deployment", "parameters", "MetricsDisabled"),
            ("deployment", "outputs", "AnalyticsDisabled"),
            ("environment", "parameters", "AnalyticsDisabled"),
        ] {
            assert_eq!(near_miss(&nested(outer, middle, inner)), None, "{outer}.{middle}.{inner}");
        }
        for json in
            ["{}", "[]", "1", r#"{"deployments":3}"#, r#"{"deployment.parameters.AnalyticsDisabled":1}"#]
        {
            assert_eq!(near_miss(json), None, "{json}");
        }
        assert_eq!(near_miss(&format!(r#"{{"{}":1}}"#, "d".repeat(60_000))), None);
    }

    #[test]
    fn short_parts_allow_fewer_differences() {
        let miss = |json: &str, key: &str| read(Format::Json, json.as_bytes()).unwrap().near_miss(key, "");
        assert!(miss(r#"{"sends":1}"#, "send").is_some());
        assert!(miss(r#"{"sender":1}"#, "send").is_none());
        assert!(miss(r#"{"ON":1}"#, "on").is_some());
        assert!(miss(r#"{"no":1}"#, "on").is_none());
        assert!(miss(r#"{"telemetry":{"disabled":1}}"#, "telemetry.enabled").is_none());
    }

    #[test]
    fn the_distance_is_levenshteins() {
        let letters = |text: &str| text.chars().collect::<Vec<_>>();
        for (a, b, wanted) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "", 3),
            ("kitten", "sitting", 3),
            ("flaw", "lawn", 2),
            ("ab", "ba", 2),
            ("parameters", "parameter", 1),
        ] {
            assert_eq!(distance(&letters(a), &letters(b)), wanted, "{a} {b}");
        }
    }
}
