//! The properties of every event of a client, encoded once. An event marks the ones that it overrides with bits.

use super::reserved::{self, is_lifted};
use super::rules::Rules;
use crate::json::write_string;

/// The maximum number of common properties, because an event has one bit for each that it overrides.
pub(crate) const MAX_COMMON: usize = 60;

/// The bits of all possible entries.
pub(super) const ALL: u64 = (1 << MAX_COMMON) - 1;

/// The bit of the entry for `$groups`, which is always the first entry and is empty if the client has no groups.
pub(super) const GROUPS: u64 = 1;

/// Common properties, encoded to be copied after an event's own.
#[derive(Debug, Default)]
pub(crate) struct CommonProperties {
    entries: Vec<Entry>,
    groups: Vec<Entry>,
    all: Vec<u8>,
    filter: u64,
    groups_filter: u64,
    has_lifted: bool,
    has_profile: bool,
    rules: Rules,
}

#[derive(Debug)]
struct Entry {
    key: String,
    fragment: Vec<u8>,
}

impl CommonProperties {
    /// Encodes the client's groups and properties, whose values are already JSON text. A later property replaces an
    /// earlier one of the same name.
    pub(crate) fn new(groups: &[(String, String)], properties: &[(String, Vec<u8>)]) -> Self {
        let mut common = Self::default();
        for (kind, key) in groups {
            let mut value = Vec::new();
            write_string(&mut value, key);
            upsert(&mut common.groups, kind, &value);
        }
        let mut fragment = Vec::new();
        if !common.groups.is_empty() {
            fragment.extend_from_slice(reserved::quoted::GROUPS);
            fragment.extend_from_slice(b":{");
            join(&mut fragment, &common.groups);
            fragment.push(b'}');
        }
        common.entries.push(Entry { key: reserved::GROUPS.to_owned(), fragment });
        for (key, value) in properties {
            upsert(&mut common.entries, key, value);
        }
        common.entries.truncate(MAX_COMMON);
        common.filter = common.entries.iter().fold(0, |bits, entry| bits | bit_of(&entry.key));
        common.groups_filter = common.groups.iter().fold(0, |bits, entry| bits | bit_of(&entry.key));
        common.has_lifted = common.entries.iter().any(|entry| is_lifted(&entry.key));
        common.has_profile = common.bit(reserved::PROCESS_PERSON_PROFILE) != 0;
        join(&mut common.all, &common.entries);
        common
    }

    /// Sets the rules of the receiver's protocol.
    pub(crate) fn with_rules(self, rules: Rules) -> Self {
        Self { rules, ..self }
    }

    /// Returns the same rules without properties, for events that already have the common ones.
    pub(crate) fn bare(&self) -> Self {
        Self { rules: self.rules, ..Self::default() }
    }

    /// Returns whether the client sets for all events whether they have a person.
    #[inline]
    pub(super) fn has_profile(&self) -> bool {
        self.has_profile
    }

    /// Returns the rules of the receiver's protocol.
    #[inline]
    pub(super) fn rules(&self) -> Rules {
        self.rules
    }

    /// Returns the bit of a common property of this name, or 0 if there is none.
    #[inline]
    pub(crate) fn bit(&self, key: &str) -> u64 {
        if self.filter & bit_of(key) == 0 { 0 } else { position(&self.entries, key) }
    }

    /// Returns the bit of a client group of this type, or 0 if there is none.
    pub(crate) fn group_bit(&self, kind: &str) -> u64 {
        if self.groups_filter & bit_of(kind) == 0 { 0 } else { position(&self.groups, kind) }
    }

    /// Appends the properties whose bit is not set in `overridden`. If `first`, no comma precedes them.
    pub(crate) fn write(&self, overridden: u64, out: &mut Vec<u8>, mut first: bool) {
        if overridden == 0 {
            if !first && !self.all.is_empty() {
                out.push(b',');
            }
            out.extend_from_slice(&self.all);
            return;
        }
        for (index, entry) in self.entries.iter().enumerate() {
            if overridden >> index & 1 == 0 && !entry.fragment.is_empty() {
                if !first {
                    out.push(b',');
                }
                first = false;
                out.extend_from_slice(&entry.fragment);
            }
        }
    }

    /// Appends the client's groups whose bit is not set in `overridden` to an event's own groups.
    pub(crate) fn write_groups(&self, overridden: u64, out: &mut Vec<u8>) {
        for (index, entry) in self.groups.iter().enumerate() {
            if overridden >> index & 1 == 0 {
                if !out.is_empty() {
                    out.push(b',');
                }
                out.extend_from_slice(&entry.fragment);
            }
        }
    }

    /// Returns whether one of them is a property that PostHog's v1 protocol moves out of the properties.
    pub(crate) fn has_lifted(&self) -> bool {
        self.has_lifted
    }

    /// Returns the size of the encoded common properties, in bytes.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }
}

fn upsert(entries: &mut Vec<Entry>, key: &str, value: &[u8]) {
    let mut fragment = Vec::with_capacity(key.len() + value.len() + 3);
    write_string(&mut fragment, key);
    fragment.push(b':');
    fragment.extend_from_slice(value);
    match entries.iter_mut().find(|entry| entry.key == key) {
        Some(entry) => entry.fragment = fragment,
        None => entries.push(Entry { key: key.to_owned(), fragment }),
    }
}

fn join(out: &mut Vec<u8>, entries: &[Entry]) {
    let start = out.len();
    for entry in entries.iter().filter(|entry| !entry.fragment.is_empty()) {
        if out.len() > start && out.last() != Some(&b'{') {
            out.push(b',');
        }
        out.extend_from_slice(&entry.fragment);
    }
}

/// Returns one of 64 bits for a key, so most keys are distinguished without comparing text. The upper half is for
/// reserved names, so the application's names never collide with the library's.
#[inline]
fn bit_of(key: &str) -> u64 {
    let bytes = key.as_bytes();
    let (first, last) = (bytes.first().copied().unwrap_or(0), bytes.last().copied().unwrap_or(0));
    let half = usize::from(first == b'$') << 5;
    1 << (half + ((usize::from(first ^ last.rotate_left(3)) + bytes.len()) & 31))
}

#[cold]
fn position(entries: &[Entry], key: &str) -> u64 {
    entries.iter().position(|entry| entry.key == key).map_or(0, |index| 1 << index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(common: &CommonProperties, overridden: u64) -> String {
        let mut out = Vec::new();
        common.write(overridden, &mut out, true);
        String::from_utf8(out).unwrap()
    }

    fn sample() -> CommonProperties {
        CommonProperties::new(
            &[("deployment".into(), "dep_1".into())],
            &[("$lib".into(), b"\"candor\"".to_vec()), ("plan".into(), b"1".to_vec())],
        )
    }

    #[test]
    fn an_overridden_property_is_left_out_and_the_rest_stays() {
        let common = sample();
        assert_eq!(text(&common, 0), r#""$groups":{"deployment":"dep_1"},"$lib":"candor","plan":1"#);
        assert_eq!(text(&common, common.bit("$lib")), r#""$groups":{"deployment":"dep_1"},"plan":1"#);
        assert_eq!(text(&common, common.bit("$groups") | common.bit("plan")), r#""$lib":"candor""#);
        assert_eq!(common.bit("other"), 0);
    }

    #[test]
    fn the_last_of_two_equal_names_wins() {
        let twice = [("a".to_owned(), b"1".to_vec()), ("a".to_owned(), b"2".to_vec())];
        assert_eq!(text(&CommonProperties::new(&[], &twice), 0), r#""a":2"#);
    }

    #[test]
    fn own_groups_keep_the_clients_other_groups() {
        let common = sample();
        let mut out = br#""company":"acme""#.to_vec();
        common.write_groups(common.group_bit("company"), &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), r#""company":"acme","deployment":"dep_1""#);
    }
}
