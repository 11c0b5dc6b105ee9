//! Every way of making a field safe, in one event.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use candor::{Count, Hashed, Histogram, Timestamp};

/// A run ended.
///
/// To see how long runs take.
#[derive(candor::Event)]
#[event(name = "run ended", purpose = "error", link = "https://example.com", since = "1.2", rename_all = "camelCase")]
struct RunEnded<'a> {
    /// Who ran it.
    #[event(distinct_id, property, hashed = "usr")]
    run_by: &'a str,
    #[event(group = "company", keyed = "com")]
    company: Option<String>,
    #[event(hashed_hex = 32)]
    license: Cow<'a, str>,
    #[event(hashed = "rul")]
    rule_id: Arc<str>,
    #[event(keyed = "org")]
    org_id: &'a String,
    #[event(pattern = "v[0-9]+", max = 8, example = "v12")]
    version: String,
    #[event(pattern = "[a-z]+", other = "other")]
    region: Option<&'a str>,
    #[event(label = Written)]
    outcome_text: &'a str,
    #[event(raw = "joins the events of one request", pattern = "[a-z0-9_]+", max = 40)]
    request_id: Option<&'a str>,
    #[event(raw = "a number that means nothing outside")]
    slot_id: u64,
    #[event(items = 8, hashed = "usr")]
    reviewers: Vec<String>,
    #[event(items = 8)]
    outcomes: &'a [Written],
    #[event(items = 4)]
    sizes: Option<Vec<u32>>,
    #[event(buckets = [1, 10, 100])]
    files: usize,
    #[event(buckets = [1, 60])]
    waited_seconds: Option<Duration>,
    elapsed_ms: Duration,
    #[event(as_number)]
    ci: bool,
    outcome: Written,
    owner: Hashed,
    owner_id: Option<Hashed>,
    flags: [bool; 3],
    ratio: f32,
    small: Option<NonZeroU32>,
    count: Count,
    fired: Histogram<Rule<'a>>,
    by_outcome: BTreeMap<Written, Count>,
    by_rule: HashMap<Written, Timing>,
    generated_at: Option<Timestamp>,
    timing: Timing,
    boxed: Box<Timing>,
    #[event(timestamp)]
    at: SystemTime,
    #[event(skip)]
    note: String,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, candor::Label)]
#[label(rename_all = "kebab-case")]
enum Written {
    /// It worked.
    Success,
    #[label(name = "ERROR")]
    Error,
    #[label(other)]
    Other,
}

#[derive(candor::Label)]
#[label(pattern = "AwsSolutions-[A-Z0-9]+", max = 40)]
struct Rule<'a>(&'a str);

#[derive(candor::Properties)]
#[properties(rename_all = "SCREAMING_SNAKE_CASE")]
struct Timing {
    duration_seconds: u32,
    #[properties(rename = "mode")]
    how: Option<Written>,
}

const EVENTS: candor::Catalogue = candor::events![RunEnded].super_properties::<Timing>().notice_version(3);

fn main() {
    let _ = EVENTS;
}
