//! Typed events: whatever they contain, what is sent agrees with their schema.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use candor::{
    Catalogue, Client, Count, Event, Hashed, Histogram, Label, LossReason, Properties, PseudonymKey,
    Timestamp,
};
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use serde_json::Value;

use testkit::clients::config_for;
use testkit::schemas::Schema;

/// An event with every kind of field.
#[derive(Clone, Debug, Event)]
#[event(name = "everything")]
struct Everything {
    #[event(distinct_id, property, hashed = "usr")]
    person: String,
    #[event(group = "company", hashed = "com")]
    company: String,
    #[event(hashed_hex = 16)]
    license: String,
    #[event(keyed = "org")]
    org_id: Option<String>,
    #[event(pattern = "[a-z]+(-[a-z0-9]+)*", max = 12)]
    plain: String,
    #[event(pattern = r"v[0-9]{1,3}(\.[0-9]+)?", max = 6, other = "own")]
    version: String,
    #[event(label = Mode)]
    mode: String,
    #[event(label = Size)]
    size: Option<String>,
    #[event(items = 3, hashed = "usr")]
    people: Vec<String>,
    #[event(items = 3, pattern = "[a-z]{1,4}", max = 4)]
    words: Vec<String>,
    #[event(items = 3, label = Mode)]
    modes: Vec<String>,
    #[event(items = 2)]
    sizes: Option<Vec<Size>>,
    #[event(buckets = [-10, 0, 10, 100])]
    offset: i64,
    #[event(buckets = [1, 60])]
    waited_seconds: Option<Duration>,
    elapsed_ms: Duration,
    #[event(as_number)]
    ci: bool,
    flag: bool,
    small: i8,
    large: u64,
    low: i64,
    ratio: f64,
    half: Option<f32>,
    exact: Size,
    word: Word,
    owner: Hashed,
    count: Count,
    words_seen: Histogram<Word>,
    modes_seen: Histogram<Mode>,
    by_word: BTreeMap<Word, u8>,
    at: Option<Timestamp>,
    inner: Inner,
    inners: [Inner; 2],
}

#[derive(Clone, Debug, Properties)]
#[properties(rename_all = "camelCase")]
struct Inner {
    #[event(pattern = "[A-Z]*", max = 5)]
    code_name: String,
    how_many: u32,
    maybe: Option<Size>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Label)]
#[label(rename_all = "kebab-case")]
enum Mode {
    DryRun,
    Apply,
    #[label(other)]
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Label)]
enum Size {
    Small,
    #[label(name = "Größe \u{1F600}")]
    Large,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Label)]
#[label(pattern = "[a-z][a-z0-9]*", max = 8)]
struct Word(String);

const CATALOGUE: Catalogue = candor::events![Everything].notice_version(1);

static ONE: LazyLock<Schema> =
    LazyLock::new(|| Schema::new(&CATALOGUE.event_schema("everything").expect("the schema")));
static BATCH: LazyLock<Schema> = LazyLock::new(|| Schema::new(&CATALOGUE.batch_schema()));

/// Text as applications have it: matching, nearly matching, and arbitrary.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z]{0,6}(-[a-z0-9]{1,4}){0,2}",
        r"v[0-9]{1,4}(\.[0-9]{1,2})?",
        prop_oneof![Just("dry-run"), Just("apply"), Just("small"), Just("ABC"), Just("")]
            .prop_map(String::from),
        any::<String>(),
        vec(any::<char>(), 0..300).prop_map(String::from_iter),
    ]
}

fn inner() -> impl Strategy<Value = Inner> {
    (text(), any::<u32>(), any::<bool>()).prop_map(|(code_name, how_many, is_there)| Inner {
        code_name,
        how_many,
        maybe: is_there.then_some(Size::Large),
    })
}

fn everything() -> impl Strategy<Value = Everything> {
    let texts = (vec(text(), 9), vec(text(), 0..5), vec(text(), 0..5), vec(text(), 0..5));
    let numbers = (any::<i64>(), any::<u64>(), any::<i8>(), any::<f64>(), option::of(any::<f32>()));
    let more =
        (any::<bool>(), option::of(any::<u64>()), vec(text(), 0..8), btree_map(text(), any::<u8>(), 0..6));
    (texts, numbers, more, (inner(), inner(), inner())).prop_map(|(texts, numbers, more, inners)| {
        let (mut one, people, words, modes) = texts;
        let (low, large, small, ratio, half) = numbers;
        let (flag, maybe, seen, by_word) = more;
        let mut take = || one.pop().unwrap_or_default();
        let mut words_seen = Histogram::new();
        let mut modes_seen = Histogram::new();
        for word in seen {
            modes_seen.count_text(&word, large);
            words_seen.count(Word(word));
        }
        Everything {
            person: take(),
            company: take(),
            license: take(),
            org_id: maybe.map(|_| take()),
            plain: take(),
            version: take(),
            mode: take(),
            size: maybe.map(|_| take()),
            word: Word(take()),
            owner: Hashed::new("own", people.first().map_or("", String::as_str)),
            people,
            words,
            modes,
            sizes: maybe.map(|many| vec![Size::Small; usize::try_from(many % 5).unwrap_or(0)]),
            offset: low,
            waited_seconds: maybe.map(Duration::from_secs),
            elapsed_ms: Duration::from_micros(large),
            ci: flag,
            flag,
            small,
            large,
            low,
            ratio,
            half,
            exact: if flag { Size::Small } else { Size::Large },
            count: Count::new(large),
            words_seen,
            modes_seen,
            by_word: by_word.into_iter().map(|(word, many)| (Word(word), many)).collect(),
            at: maybe.map(|_| Timestamp::from_unix_millis(low)),
            inner: inners.0,
            inners: [inners.1, inners.2],
        }
    })
}

static OFF: LazyLock<Client> = LazyLock::new(|| {
    let config = config_for("http://127.0.0.1:9").pseudonym_key(PseudonymKey::new([7; 32]));
    let denied = config.consent(candor::Consent::opt_in().policy_file(""));
    Client::new(denied).expect("a client that is off")
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_bytes_of_every_event_satisfy_its_schema(event in everything()) {
        match OFF.preview(&event) {
            Ok(preview) => {
                ONE.assert_admits(&serde_json::from_slice(preview.event()).expect("JSON"));
                BATCH.assert_admits(&serde_json::from_slice(preview.body()).expect("JSON"));
            }
            Err(LossReason::EmptyDistinctId) => prop_assert!(event.person.is_empty()),
            Err(reason) => prop_assert!(false, "{reason}"),
        }
    }

    #[test]
    fn no_canary_is_sent_in_a_field_that_is_not_raw(
        mut event in everything(),
        canary in prop::sample::select(CANARIES.to_vec()),
        around in "[ a-z]{0,3}",
    ) {
        let seeded = format!("{around}{canary}{around}");
        let texts = [
            &mut event.person, &mut event.company, &mut event.license, &mut event.plain, &mut event.version,
            &mut event.mode, &mut event.word.0, &mut event.inner.code_name, &mut event.inners[1].code_name,
        ];
        for text in texts {
            text.clone_from(&seeded);
        }
        (event.org_id, event.size) = (Some(seeded.clone()), Some(seeded.clone()));
        (event.people, event.words, event.modes) =
            (vec![seeded.clone(); 2], vec![seeded.clone(); 2], vec![seeded.clone(); 2]);
        event.owner = Hashed::new("own", &seeded);
        event.words_seen.count_text(&seeded, 1);
        event.modes_seen.count_text(&seeded, 1);
        event.by_word.insert(Word(seeded.clone()), 1);
        (event.ratio, event.half) = (0.5, None);
        let preview = OFF.preview(&event).expect("an event");
        let body = String::from_utf8(preview.body().to_vec()).expect("text");
        prop_assert!(!body.contains(canary), "{canary} in {body}");
    }
}

/// Values of every type, including those of the event's fields.
fn values() -> impl Strategy<Value = Value> {
    let of_events = (everything(), any::<prop::sample::Index>()).prop_map(|(mut event, index)| {
        (event.ratio, event.half) = (1.5, Some(0.5));
        event.person.push('x');
        let preview = OFF.preview(&event).expect("an event");
        let event: Value = serde_json::from_slice(preview.event()).expect("JSON");
        let values: Vec<&Value> = event["properties"].as_object().expect("properties").values().collect();
        index.get(&values).to_owned().clone()
    });
    prop_oneof![
        4 => of_events,
        1 => any::<i64>().prop_map(Value::from),
        1 => (-200_i64..300).prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        1 => text().prop_map(Value::from),
        1 => Just(Value::Null),
        1 => vec(text(), 0..5).prop_map(Value::from),
        1 => btree_map(text(), 0..300_u32, 0..3).prop_map(|map| serde_json::to_value(map).expect("JSON")),
    ]
}

static FIELDS: LazyLock<Vec<Schema>> = LazyLock::new(|| {
    let event: Value =
        serde_json::from_str(&CATALOGUE.event_schema("everything").expect("a schema")).expect("JSON");
    let schemas = &event["properties"]["properties"]["properties"];
    let fields = CATALOGUE.events()[0].fields().iter();
    fields.map(|field| Schema::new(&schemas[field.name()].to_string())).collect()
});

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn strict_mode_and_the_json_schema_admit_the_same_values(value in values()) {
        for (field, schema) in CATALOGUE.events()[0].fields().iter().zip(FIELDS.iter()) {
            prop_assert_eq!(field.kind().admits(&value), schema.admits(&value), "{}: {}", field.name(), value);
        }
    }
}

/// Text that must never be sent: paths, addresses of people and machines, secrets, host names.
const CANARIES: [&str; 8] = [
    "/home/ada/projects/secret",
    "C:\\Users\\ada",
    "ada.lovelace@example.com",
    "192.168.17.42",
    "AKIAIOSFODNN7EXAMPLE",
    "ghp_0123456789abcdefghijABCDEFGHIJ",
    "build-host-17.internal.example.com",
    "arn:aws:iam::123456789012:role/admin",
];

/// The same struct for both encoders.
#[derive(Clone, Debug, Event, serde::Serialize)]
#[event(name = "both", distinct_id = "tool")]
struct Both {
    #[event(raw = "compared byte for byte")]
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[event(raw = "compared byte for byte")]
    maybe: Option<String>,
    flag: bool,
    small: u8,
    low: i64,
    large: u64,
    ratio: f64,
    half: f32,
    #[event(items = 10, raw = "compared byte for byte")]
    texts: Vec<String>,
    #[event(items = 10)]
    numbers: Vec<i32>,
    pair: [u16; 2],
    nested: Nested,
    #[serde(skip_serializing_if = "Option::is_none")]
    absent: Option<Nested>,
}

#[derive(Clone, Debug, Properties, serde::Serialize)]
struct Nested {
    #[event(raw = "compared byte for byte")]
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<i16>,
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_derived_event_is_written_as_serde_json_writes_the_struct(
        (texts, maybe) in (vec(any::<String>(), 0..8), option::of(any::<String>())),
        (small, low, large) in any::<(u8, i64, u64)>(),
        ratio in prop::num::f64::NORMAL | prop::num::f64::ZERO | prop::num::f64::SUBNORMAL,
        half in prop::num::f32::NORMAL,
        numbers in vec(any::<i32>(), 0..10),
        size in option::of(any::<i16>()),
    ) {
        let nested = Nested { name: texts.concat(), size };
        let both = Both {
            text: texts.join(" "),
            absent: maybe.as_ref().map(|_| nested.clone()),
            maybe,
            flag: size.is_some(),
            small,
            low,
            large,
            ratio,
            half,
            texts,
            numbers,
            pair: [u16::from(small), 0],
            nested,
        };
        let wanted = serde_json::to_string(&both).expect("JSON");
        let preview = Client::disabled().preview(&both).expect("an event");
        let event = String::from_utf8(preview.event().to_vec()).expect("text");
        let properties = event.split_once("\"properties\":").expect("properties").1;
        let own = wanted.strip_suffix('}').expect("an object");
        prop_assert!(properties.starts_with(own), "{properties}\n{own}");
        prop_assert!(properties[own.len()..].starts_with(",\"$"), "{properties}");
    }
}

/// An event with raw text.
#[derive(Event)]
#[event(name = "raw", distinct_id = "tool")]
struct Raw<'a> {
    #[event(raw = "every character there is", max = 10000)]
    text: &'a str,
}

#[test]
fn every_unicode_character_survives_the_round_trip() {
    let all: Vec<char> = (0..=u32::from(char::MAX)).filter_map(char::from_u32).collect();
    // 2,048 code points are surrogates, which a string cannot contain.
    assert_eq!(all.len(), 0x11_0000 - 2048);
    let client = Client::disabled();
    for part in all.chunks(10_000) {
        let text = String::from_iter(part);
        let preview = client.preview(&Raw { text: &text }).expect("an event");
        let event: Value = serde_json::from_slice(preview.event()).expect("JSON");
        assert_eq!(event["properties"]["text"].as_str(), Some(text.as_str()));
    }
}

#[test]
fn raw_text_that_is_too_long_is_dropped_as_a_whole() {
    let client = Client::disabled();
    let has_text = |text: &str| {
        let preview = client.preview(&Raw { text }).expect("an event");
        String::from_utf8_lossy(preview.event()).contains("\"text\"")
    };
    assert!(has_text(&"é".repeat(10_000)));
    assert!(!has_text(&"é".repeat(10_001)));
}

#[test]
fn dropped_and_replaced_values_are_counted() {
    let server = testkit::Server::start([]);
    let client = testkit::clients::client(testkit::clients::config(&server));
    client.capture(Partly { version: "v1", plan: "daily", org: Some("acme") });
    client.capture(Partly { version: "v1 on /home/ada", plan: "my own plan", org: None });
    client.flush(testkit::clients::LONG).expect("a flush");
    let stats = client.stats();
    // One field lacks the pseudonym key, one does not match its pattern, and one is replaced with its `other`.
    assert_eq!((stats.sent, stats.fields_dropped, stats.fields_replaced), (2, 2, 1));
    let events = server.events();
    assert_eq!(events[0]["properties"]["version"], "v1");
    assert!(events[0]["properties"].get("org").is_none());
    assert!(events[1]["properties"].get("version").is_none());
    assert_eq!(events[1]["properties"]["plan"], "other");
}

/// An event that is only partly sent.
#[derive(Event)]
#[event(name = "partly", distinct_id = "tool")]
struct Partly<'a> {
    #[event(pattern = "v[0-9]+")]
    version: &'a str,
    #[event(pattern = "[a-z]+", other = "other")]
    plan: &'a str,
    #[event(keyed = "org")]
    org: Option<&'a str>,
}
