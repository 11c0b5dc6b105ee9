//! What PostHog would refuse, or would do to the wrong person, found before the queue.
//!
//! Never changes an event itself.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::observe::LossReason;

/// How the receiver's rules differ between its protocols.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rules {
    /// The limits of name and distinct id count bytes (v1, which drops what is longer) and not characters (v0,
    /// which cuts ids).
    pub(crate) counts_bytes: bool,
    /// The receiver itself stores an event under an id that many strangers share without a person.
    pub(crate) knows_shared_ids: bool,
}

/// The longest name and distinct id, in bytes of their JSON if nothing in them needs escaping.
pub(super) const MAX_QUOTED: usize = 202;
const MAX_BYTES: usize = 200;

/// Ids that programs send by accident for everybody. PostHog refuses to identify or merge them, and its v1
/// server stores their events without a person. In lower case, sorted by nothing but habit.
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

/// Returns whether many strangers may share this id, whatever its case and the blanks around it.
pub(super) fn is_shared(id: &str) -> bool {
    let id = id.trim();
    SHARED.iter().any(|shared| id.eq_ignore_ascii_case(shared))
}

/// Says cheaply whether a quoted id may be one of those that strangers share.
#[inline]
pub(super) fn may_be_shared(quoted: &[u8]) -> bool {
    let [b'"', id @ .., b'"'] = quoted else { return true };
    // Blanks at the ends, escaped or not, call for a closer look.
    let is_plain = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_graphic() && *byte != b'\\');
    if !is_plain(id.first()) || id.last().is_none_or(u8::is_ascii_whitespace) {
        return true;
    }
    (id.len() <= 17 || id.len() == 36)
        && SHARED.iter().any(|shared| id.eq_ignore_ascii_case(shared.as_bytes()))
}

/// The names whose events make, change or merge persons.
#[inline]
pub(super) fn is_about_a_person(name: &[u8]) -> bool {
    matches!(name, b"\"$identify\"" | b"\"$create_alias\"" | b"\"$merge_dangerously\"" | b"\"$set\"")
}

/// Properties that the library sets by itself, each with a call of its own that changes it.
pub(super) fn is_set_by_the_library(key: &str) -> bool {
    matches!(key, "$groups" | "$lib" | "$lib_version")
}

/// The names whose events are void without a person.
pub(super) fn needs_a_person(name: &[u8]) -> bool {
    matches!(name, b"\"$identify\"" | b"\"$create_alias\"" | b"\"$groupidentify\"")
}

/// An event's parts as JSON fragments, and which reserved properties it has itself.
pub(super) struct Parts<'a> {
    pub(super) name: &'a [u8],
    pub(super) distinct_id: &'a [u8],
    pub(super) properties: &'a [u8],
    pub(super) has_profile: bool,
    pub(super) has_cookieless: bool,
    /// Whether no warning is to be logged, since the event is only shown.
    pub(super) is_preview: bool,
}

/// What the event needs so that the receiver treats it well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum PersonProcessing {
    /// Nothing.
    None,
    /// To be stored without a person, since its id is no one's.
    Personless,
}

/// Judges an event that has something unusual about it.
#[cold]
pub(super) fn validate(parts: &Parts<'_>, rules: Rules) -> Result<PersonProcessing, LossReason> {
    if rules.counts_bytes && text(parts.name).is_none_or(|name| name.len() > MAX_BYTES) {
        return Err(LossReason::LongName);
    }
    let Some(id) = text(parts.distinct_id) else { return Err(LossReason::EmptyDistinctId) };
    if rules.counts_bytes && id.len() > MAX_BYTES {
        return Err(LossReason::LongDistinctId);
    }
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

/// Checks the two reserved properties whose value can cost the whole batch, or the event.
fn reserved_are_sound(parts: &Parts<'_>) -> bool {
    let object = object_of(parts.properties);
    let Ok(members) = serde_json::from_slice::<Members<'_>>(&object) else { return false };
    let value = |key: &str| members.get(key).map(|value| value.get());
    // v0 refuses the whole request if this one is not a boolean.
    let cookieless = value("$cookieless_mode").is_none_or(|value| matches!(value, "true" | "false"));
    let personless = value("$process_person_profile") == Some("false");
    cookieless && !(personless && needs_a_person(parts.name))
}

/// Describes what is wrong with the second id of an event that makes one person of two.
fn reason_against_merge(parts: &Parts<'_>) -> Option<LossReason> {
    let key = match parts.name {
        b"\"$identify\"" => "$anon_distinct_id",
        b"\"$create_alias\"" | b"\"$merge_dangerously\"" => "alias",
        _ => return None,
    };
    let object = object_of(parts.properties);
    let Ok(members) = serde_json::from_slice::<Members<'_>>(&object) else {
        return Some(LossReason::Malformed);
    };
    let value = members.get(key).map(|value| value.get()).filter(|value| *value != "null")?;
    // The receiver makes text of what is none.
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
        log::warn!(target: "candor", "an event has a distinct id such as `anonymous` or `0`, which strangers share: \
            such events are stored without a person (logged once)");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
    fn every_shared_id_is_found_in_any_case_and_by_the_cheap_look() {
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
        let v1 = Rules { knows_shared_ids: true, counts_bytes: true };
        assert_eq!(judged("viewed", "0", v1), Ok(PersonProcessing::None));
        assert_eq!(judged("viewed", "user_1", Rules::default()), Ok(PersonProcessing::None));
    }

    #[test]
    fn bytes_count_in_v1_and_characters_in_v0() {
        let wide = "\u{e9}".repeat(101);
        assert_eq!(judged(&wide, &wide, Rules::default()), Ok(PersonProcessing::None));
        let v1 = Rules { counts_bytes: true, ..Rules::default() };
        assert_eq!(judged(&wide, "user_1", v1), Err(LossReason::LongName));
        assert_eq!(judged("viewed", &wide, v1), Err(LossReason::LongDistinctId));
        // Escapes count as what they stand for.
        assert_eq!(judged("viewed", &"\u{1}".repeat(200), v1), Ok(PersonProcessing::None));
    }
}
