//! Checks before the queue for events that PostHog would refuse, or would assign to the wrong person.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::reserved::{self, quoted};
use crate::observe::LossReason;

/// How the receiver's rules differ between its protocols.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// How long the name and the distinct id of an event may be.
    pub(crate) max_length: MaxLength,
    /// The receiver itself stores events without a person if many strangers share their distinct id.
    pub(crate) knows_shared_ids: bool,
}

impl Rules {
    /// Those that hold where a protocol states no others.
    pub(crate) const LENIENT: Self = Self { max_length: MaxLength::Characters(200), knows_shared_ids: false };
}

impl Default for Rules {
    fn default() -> Self {
        Self::LENIENT
    }
}

/// How long a text may be, in the unit that the receiver counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MaxLength {
    Bytes(usize),
    Characters(usize),
}

impl MaxLength {
    /// Returns whether a text is longer.
    #[inline]
    pub(super) fn is_exceeded(self, text: &str) -> bool {
        match self {
            Self::Bytes(max) => text.len() > max,
            Self::Characters(max) => text.len() > max && text.chars().count() > max,
        }
    }

    /// Returns how many bytes any text may have.
    #[inline]
    pub(super) fn in_bytes(self) -> usize {
        match self {
            Self::Bytes(max) | Self::Characters(max) => max,
        }
    }
}

/// Ids that programs send by accident for many people. PostHog refuses to identify or merge them, and its v1 server
/// stores their events without a person. In lower case.
const SHARED: [&str; 20] = [
    "0",
    "id",
    "nan",
    "none",
    "null",
    "true",
    "user",
    "email",
    "false",
    "guest",
    "system",
    "backend",
    "anonymous",
    "undefined",
    "distinctid",
    "distinct_id",
    "anonymous-user",
    "[object object]",
    "not_authenticated",
    "00000000-0000-0000-0000-000000000000",
];

/// Returns whether many strangers may share this id, ignoring its case and surrounding whitespace.
pub(super) fn is_shared(id: &str) -> bool {
    let id = id.trim();
    SHARED.iter().any(|shared| id.eq_ignore_ascii_case(shared))
}

/// Returns quickly whether a quoted id may be one that strangers share.
#[inline]
pub(super) fn may_be_shared(quoted: &[u8]) -> bool {
    let [b'"', id @ .., b'"'] = quoted else { return true };
    // Whitespace at the ends, escaped or not, needs the full check.
    let is_plain = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_graphic() && *byte != b'\\');
    if !is_plain(id.first()) || id.last().is_none_or(u8::is_ascii_whitespace) {
        return true;
    }
    (id.len() <= 17 || id.len() == 36)
        && SHARED.iter().any(|shared| id.eq_ignore_ascii_case(shared.as_bytes()))
}

/// Returns whether events of this name create, change or merge persons.
#[inline]
pub(super) fn is_about_a_person(name: &[u8]) -> bool {
    matches!(name, quoted::IDENTIFY | quoted::CREATE_ALIAS | quoted::MERGE_DANGEROUSLY | quoted::SET)
}

/// Returns whether the library sets this property itself. Each such property can be changed by its own method.
pub(super) fn is_set_by_the_library(key: &str) -> bool {
    matches!(key, reserved::GROUPS | reserved::LIB | reserved::LIB_VERSION)
}

/// Returns whether events of this name are useless without a person.
pub(super) fn needs_a_person(name: &[u8]) -> bool {
    matches!(name, quoted::IDENTIFY | quoted::CREATE_ALIAS | quoted::GROUP_IDENTIFY)
}

/// The parts of an event as JSON fragments, and the reserved properties that it has itself.
pub(super) struct Parts<'a> {
    pub(super) name: &'a [u8],
    pub(super) distinct_id: &'a [u8],
    pub(super) properties: &'a [u8],
    pub(super) has_profile: bool,
    pub(super) has_cookieless: bool,
    /// Whether the event is only previewed, so no warning is logged.
    pub(super) is_preview: bool,
}

/// How the receiver must treat the person of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PersonProcessing {
    /// As usual.
    None,
    /// The event is stored without a person, because strangers share its id.
    Personless,
}

/// Checks an event that has an unusual name, id or property.
#[cold]
pub(super) fn validate(parts: &Parts<'_>, rules: Rules) -> Result<PersonProcessing, LossReason> {
    let Some(id) = text(parts.distinct_id) else { return Err(LossReason::EmptyDistinctId) };
    if (parts.has_profile || parts.has_cookieless) && !reserved_are_sound(parts) {
        return Err(LossReason::Malformed);
    }
    if let Some(reason) = reason_against_merge(parts) {
        return Err(reason);
    }
    if !is_shared(&id) {
        return Ok(PersonProcessing::None);
    }
    if is_about_a_person(parts.name) {
        return Err(LossReason::SharedDistinctId);
    }
    if !parts.is_preview {
        log_shared();
    }
    let is_settled = parts.has_profile || rules.knows_shared_ids;
    Ok(if is_settled || needs_a_person(parts.name) {
        PersonProcessing::None
    } else {
        PersonProcessing::Personless
    })
}

/// Checks the two reserved properties whose value can make the receiver refuse the batch or the event.
fn reserved_are_sound(parts: &Parts<'_>) -> bool {
    let object = object_of(parts.properties);
    let Ok(members) = serde_json::from_slice::<Members<'_>>(&object) else { return false };
    let value = |key: &str| members.get(key).map(|value| value.get());
    // v0 refuses the whole request if this one is not a boolean.
    let cookieless = value(reserved::COOKIELESS_MODE).is_none_or(|value| matches!(value, "true" | "false"));
    let personless = value(reserved::PROCESS_PERSON_PROFILE) == Some("false");
    cookieless && !(personless && needs_a_person(parts.name))
}

/// Returns the reason against the second id of an event that merges two persons, if any.
fn reason_against_merge(parts: &Parts<'_>) -> Option<LossReason> {
    let key = match parts.name {
        quoted::IDENTIFY => reserved::ANON_DISTINCT_ID,
        quoted::CREATE_ALIAS | quoted::MERGE_DANGEROUSLY => "alias",
        _ => return None,
    };
    let object = object_of(parts.properties);
    let Ok(members) = serde_json::from_slice::<Members<'_>>(&object) else {
        return Some(LossReason::Malformed);
    };
    let value = members.get(key).map(|value| value.get()).filter(|value| *value != "null")?;
    // The receiver converts other values to text.
    let id = text(value.as_bytes()).unwrap_or_else(|| value.to_owned());
    if id.trim().is_empty() {
        return Some(LossReason::EmptyDistinctId);
    }
    is_shared(&id).then_some(LossReason::SharedDistinctId)
}

type Members<'a> = BTreeMap<String, &'a RawValue>;

fn object_of(properties: &[u8]) -> Vec<u8> {
    [b"{", properties, b"}"].concat()
}

fn text(quoted: &[u8]) -> Option<String> {
    serde_json::from_slice(quoted).ok()
}

fn log_shared() {
    use std::sync::atomic::{AtomicBool, Ordering};
    static LOGGED: AtomicBool = AtomicBool::new(false);
    if !LOGGED.swap(true, Ordering::Relaxed) {
        log::warn!(target: "candor", "an event has a distinct id such as `anonymous` or `0`, which many people share: \
            such events are stored without a person; use an id of one person (logged once)");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Buffers, CommonProperties, Encoder};
    use crate::timestamp::Timestamp;

    fn judged(name: &str, id: &str, rules: Rules) -> Result<PersonProcessing, LossReason> {
        let (name, id) = (format!("{name:?}"), serde_json::to_vec(id).unwrap());
        let parts = Parts {
            name: name.as_bytes(),
            distinct_id: &id,
            properties: b"",
            has_profile: false,
            has_cookieless: false,
            is_preview: false,
        };
        validate(&parts, rules)
    }

    #[test]
    fn every_shared_id_is_found_in_any_case_and_by_the_quick_check() {
        for id in SHARED {
            for id in
                [id.to_owned(), id.to_uppercase(), format!(" {id}"), format!("\t{id}"), format!("{id} ")]
            {
                assert!(is_shared(&id), "{id}");
                assert!(may_be_shared(&serde_json::to_vec(&id).unwrap()), "{id}");
            }
        }
        assert!(!is_shared("user_1") && !is_shared("anonymous2") && !is_shared(""));
    }

    #[test]
    fn strangers_are_not_merged_and_their_other_events_have_no_person() {
        for name in ["$identify", "$create_alias", "$merge_dangerously", "$set"] {
            assert_eq!(
                judged(name, "Anonymous", Rules::default()),
                Err(LossReason::SharedDistinctId),
                "{name}"
            );
        }
        assert_eq!(judged("viewed", "0", Rules::default()), Ok(PersonProcessing::Personless));
        let v1 = Rules { knows_shared_ids: true, ..Rules::default() };
        assert_eq!(judged("viewed", "0", v1), Ok(PersonProcessing::None));
        assert_eq!(judged("viewed", "user_1", Rules::default()), Ok(PersonProcessing::None));
    }

    #[test]
    fn bytes_count_in_v1_and_characters_in_v0() {
        let wide = "\u{e9}".repeat(101);
        let closed = |name: &str, id: &str, max_length| {
            let rules = Rules { max_length, ..Rules::default() };
            let (mut buffers, common) = (Buffers::default(), CommonProperties::default().with_rules(rules));
            let mut encoder = Encoder::new(&mut buffers, &common, name);
            encoder.distinct_id(id);
            encoder.finish(Timestamp::from_unix_millis(0), usize::MAX).map(drop)
        };
        let (v0, v1) = (MaxLength::Characters(200), MaxLength::Bytes(200));
        assert_eq!(closed(&wide, &wide, v0), Ok(()));
        assert_eq!(closed(&wide, "user_1", v1), Err(LossReason::LongName));
        assert_eq!(closed("viewed", &wide, v1), Err(LossReason::LongDistinctId));
        let long = "\u{e9}".repeat(201);
        assert_eq!(closed(&long, "user_1", v0), Err(LossReason::LongName));
        assert_eq!(closed("viewed", &long, v0), Err(LossReason::LongDistinctId));
        // An escape counts as the character that it encodes.
        assert_eq!(closed("viewed", &"\u{1}".repeat(200), v1), Ok(()));
    }
}
