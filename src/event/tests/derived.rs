//! What each attribute does.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use uuid::Uuid;

use super::{encode, properties};
use crate::schema::ClosedLabel;
use crate::{Count, Event, Hashed, Histogram, Label, LossReason, Properties, Timestamp};

/// Reads an access rule.
#[derive(Event)]
#[event(name = "cf:request.reviewed")]
#[expect(clippy::struct_field_names, reason = "the names are those on the wire")]
struct Reviewed<'a> {
    #[event(distinct_id, property, hashed = "usr")]
    reviewed_by: &'a str,
    #[event(hashed = "usr")]
    requested_by: String,
    #[event(raw = "joins the events of one request")]
    request_id: &'a str,
    review: Review,
    timing: Timing,
    override_timing: Option<Timing>,
    #[event(items = 2, pattern = "[a-z0-9-]+/[a-z0-9-]+@v[0-9]+", max = 30)]
    targets: Vec<&'a str>,
}

#[derive(Clone, Copy, Debug, PartialEq, Label)]
#[label(rename_all = "UPPERCASE")]
enum Review {
    Approve,
    Decline,
}

#[derive(Clone, Copy, Debug, PartialEq, Label)]
enum Mode {
    Asap,
    Scheduled,
}

#[derive(Properties)]
struct Timing {
    duration_seconds: u32,
    mode: Mode,
}

fn reviewed() -> Reviewed<'static> {
    Reviewed {
        reviewed_by: "usr_123",
        requested_by: "usr_123".into(),
        request_id: "req_123",
        review: Review::Approve,
        timing: Timing { duration_seconds: 100, mode: Mode::Asap },
        override_timing: None,
        targets: vec!["commonfate/test-provider@v1"],
    }
}

#[test]
fn an_event_of_common_fate_equals_that_of_its_own_client() {
    let encoded = encode(&reviewed()).unwrap();
    let user = "usr_-CHh8_rdIqAotcBsP64GKQkfzW2hb1JDJ_6u7q4zom4";
    assert_eq!(encoded.distinct_id, format!("\"{user}\""));
    assert_eq!(
        encoded.properties,
        format!(
            "{{\"reviewed_by\":\"{user}\",\"requested_by\":\"{user}\",\"request_id\":\"req_123\",\
             \"review\":\"APPROVE\",\"timing\":{{\"duration_seconds\":100,\"mode\":\"asap\"}},\
             \"targets\":[\"commonfate/test-provider@v1\"]}}"
        )
    );
    assert_eq!(encoded.losses, super::FieldLosses::default());
}

#[test]
fn an_option_is_sent_or_left_out_but_never_null() {
    let mut event = reviewed();
    event.override_timing = Some(Timing { duration_seconds: 50, mode: Mode::Scheduled });
    assert!(properties(&event).contains(r#""override_timing":{"duration_seconds":50,"mode":"scheduled"}"#));
    assert!(!properties(&reviewed()).contains("null"));
}

#[test]
fn values_that_do_not_match_or_exceed_a_limit_are_dropped_and_counted() {
    let mut event = reviewed();
    event.targets = vec!["/home/ada/secret", "a/b@v1", "c/d@v2", "e/f@v3"];
    let encoded = encode(&event).unwrap();
    assert!(encoded.properties.contains(r#""targets":["a/b@v1","c/d@v2"]"#), "{}", encoded.properties);
    assert_eq!(encoded.losses.dropped, 2);
    assert_eq!(encoded.losses.field, Some("targets"));
}

#[test]
fn an_event_without_its_distinct_id_is_rejected() {
    let event = Reviewed { reviewed_by: "", ..reviewed() };
    assert_eq!(encode(&event).unwrap_err(), LossReason::EmptyDistinctId);
}

#[derive(Label)]
#[label(pattern = "AwsSolutions-[A-Z0-9]+|CDKI-[A-Z0-9-]+", max = 32)]
struct Rule<'a>(&'a str);

#[derive(Clone, Copy, Debug, PartialEq, Label)]
#[label(rename_all = "snake_case")]
enum Verb {
    Sign,
    /// Checks a signature.
    Verify,
    #[label(name = "other", other)]
    Unknown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Label)]
enum Severity {
    Low,
    High,
}

/// An event with every kind of field.
#[derive(Event)]
#[event(name = "kinds", distinct_id = "tool", rename_all = "camelCase")]
struct Kinds<'a> {
    #[event(hashed_hex = 32)]
    license: &'a str,
    #[event(keyed = "org")]
    org_id: Option<&'a str>,
    #[event(pattern = "v[0-9]+", max = 4, other = "other")]
    version: &'a str,
    #[event(pattern = "[a-z]+", max = 4)]
    plain: Option<String>,
    #[event(label = Verb)]
    command: &'a str,
    #[event(label = Severity)]
    severity: &'a str,
    #[event(items = 4, label = Verb)]
    verbs: &'a [String],
    #[event(as_number)]
    ci: bool,
    #[event(buckets = [1, 10, 100])]
    files: u64,
    #[event(buckets = [-5, 0, 1])]
    drift: i32,
    elapsed_ms: Duration,
    #[event(buckets = [1, 60])]
    waited_seconds: Option<Duration>,
    fired: Histogram<Rule<'a>>,
    by_severity: BTreeMap<Severity, Count>,
    rule: Rule<'a>,
    generated_at: Option<Timestamp>,
    ratio: f64,
    pair: [u8; 2],
    #[event(items = 3)]
    sizes: Vec<u16>,
    owner: Hashed,
    #[event(rename = "$set")]
    set: Timing,
    #[event(raw = "a number that means nothing outside")]
    slot_id: u64,
    #[event(timestamp)]
    at: SystemTime,
    #[event(uuid)]
    uuid: Option<Uuid>,
    #[event(skip)]
    #[expect(dead_code, reason = "it is not sent")]
    note: String,
}

fn kinds() -> Kinds<'static> {
    Kinds {
        license: "TEST-LICENSE-KEY",
        org_id: None,
        version: "v12",
        plain: Some("abcd".into()),
        command: "sign",
        severity: "high",
        verbs: &[],
        ci: true,
        files: 12,
        drift: -6,
        elapsed_ms: Duration::from_micros(1_999),
        waited_seconds: Some(Duration::from_secs(61)),
        fired: Histogram::new(),
        by_severity: BTreeMap::from([(Severity::High, Count::new(2))]),
        rule: Rule("CDKI-S3"),
        generated_at: Some(Timestamp::from_unix_millis(1_000)),
        ratio: 0.5,
        pair: [1, 2],
        sizes: vec![1, 2],
        owner: Hashed::new("usr", "usr_123"),
        set: Timing { duration_seconds: 1, mode: Mode::Asap },
        slot_id: 7,
        at: SystemTime::UNIX_EPOCH,
        uuid: None,
        note: "private".into(),
    }
}

#[test]
fn every_kind_of_field_is_encoded_in_its_form() {
    let mut event = kinds();
    event.fired.count_many(Rule("AwsSolutions-S10"), 4);
    assert_eq!(
        properties(&event),
        concat!(
            r#"{"license":"8d3e78791c4b1734e1c510a56f559f3d","version":"v12","plain":"abcd","command":"sign","#,
            r#""severity":"high","verbs":[],"ci":1,"files":"10-99","drift":"<-5","elapsedMs":1,"#,
            r#""waitedSeconds":">=60","fired":{"AwsSolutions-S10":4},"bySeverity":{"high":2},"rule":"CDKI-S3","#,
            r#""generatedAt":"1970-01-01T00:00:01.000Z","ratio":0.5,"pair":[1,2],"sizes":[1,2],"#,
            r#""owner":"usr_-CHh8_rdIqAotcBsP64GKQkfzW2hb1JDJ_6u7q4zom4","#,
            r#""$set":{"duration_seconds":1,"mode":"asap"},"slotId":7}"#,
        )
    );
}

#[test]
fn text_that_is_not_as_declared_is_never_sent() {
    let verbs = ["verify".to_owned(), "ada@example.com".to_owned()];
    let mut event = Kinds { verbs: &verbs, ..kinds() };
    event.version = "v1; rm -rf /";
    event.plain = Some("abcde".into());
    event.command = "--key=secret";
    event.severity = "/etc/passwd";
    event.rule = Rule("my own rule");
    event.fired.count(Rule("my own rule"));
    let encoded = encode(&event).unwrap();
    assert!(
        encoded
            .properties
            .contains(r#""version":"other","command":"other","verbs":["verify","other"],"ci":1"#),
        "{}",
        encoded.properties
    );
    for gone in ["plain", "severity", "\"rule\"", "rm -rf", "abcde", "secret", "passwd", "ada", "my own"] {
        assert!(!encoded.properties.contains(gone), "{gone} in {}", encoded.properties);
    }
    assert_eq!((encoded.losses.dropped, encoded.losses.clamped), (4, 3));
}

#[test]
fn numbers_fall_into_their_buckets() {
    let bucket = |files| {
        let text = properties(&Kinds { files, ..kinds() });
        let start = text.find("\"files\":\"").unwrap() + 9;
        text[start..].split('"').next().unwrap().to_owned()
    };
    let expected = [(0, "<1"), (1, "1-9"), (9, "1-9"), (10, "10-99"), (99, "10-99"), (100, ">=100")];
    for (files, label) in expected {
        assert_eq!(bucket(files), label);
    }
    assert_eq!(bucket(u64::MAX), ">=100");
    let drift = |drift| properties(&Kinds { drift, ..kinds() });
    assert!(drift(-5).contains(r#""drift":"-5 to -1""#));
    assert!(drift(0).contains(r#""drift":"0""#));
    assert!(drift(1).contains(r#""drift":">=1""#));
}

#[test]
fn a_keyed_field_needs_the_key_of_its_client() {
    let event = Kinds { org_id: Some("acme"), ..kinds() };
    let keyed = properties(&event);
    assert!(keyed.contains("\"orgId\":\"org_") && !keyed.contains("acme"));
    assert_ne!(keyed, properties(&Kinds { org_id: Some("other"), ..kinds() }));
    // Without a key nothing can be sent.
    let (mut buffers, common) = Default::default();
    let mut encoder = super::Encoder::new(&mut buffers, &common, event.name());
    event.encode(&mut encoder);
    assert_eq!(encoder.losses().dropped, 1);
}

#[test]
fn a_number_that_is_not_finite_is_left_out() {
    for ratio in [f64::NAN, f64::INFINITY] {
        let encoded = encode(&Kinds { ratio, ..kinds() }).unwrap();
        assert!(!encoded.properties.contains("\"ratio\""), "{}", encoded.properties);
        let losses = encoded.losses;
        assert_eq!(
            (losses.refused, losses.dropped, losses.field),
            (Some(LossReason::NotFinite), 1, Some("ratio"))
        );
    }
}

#[test]
fn labels_read_back_and_unknown_words_become_other() {
    assert_eq!(Verb::from_label("verify"), Some(Verb::Verify));
    assert_eq!(Verb::from_label("upload"), Some(Verb::Unknown));
    assert_eq!(Severity::from_label("middling"), None);
    assert_eq!(Review::Decline.label(), "DECLINE");
    assert_eq!(Verb::ALL, [Verb::Sign, Verb::Verify, Verb::Unknown]);
}

#[test]
fn a_histogram_counts_and_stays_bounded() {
    let mut verbs = Histogram::<Verb>::new();
    verbs.count_text("sign", 2);
    verbs.count_text("upload", 1);
    verbs.count_text("download", 1);
    verbs.count_many(Verb::Sign, u64::MAX);
    assert_eq!((verbs.get("sign"), verbs.get("other"), verbs.get("upload")), (u64::MAX, 2, 0));
    let mut rules = Histogram::<Rule<'_>>::new();
    for number in 0..300 {
        rules.count_text(&format!("CDKI-{number}"), 1);
    }
    let event = Kinds { fired: Histogram::new(), ..kinds() };
    let before = encode(&event).unwrap().losses.dropped;
    let rules: &'static Histogram<Rule<'static>> = Box::leak(Box::new(rules.clone()));
    let full = encode(&Kinds { fired: rules.clone(), ..kinds() }).unwrap();
    assert_eq!(full.losses.dropped - before, 44);
    assert_eq!(full.properties.matches("CDKI-").count(), 257);
}

/// An event with a value of any type.
#[derive(Event)]
#[event(name = "generic", distinct_id = "tool")]
struct Generic<T, U: Default> {
    value: Option<T>,
    #[event(skip)]
    #[expect(dead_code, reason = "it is not sent")]
    unused: U,
}

#[test]
fn generic_events_are_bounded_by_what_they_send() {
    let schema = Generic::<u8, String> { value: Some(3), unused: String::new() };
    assert_eq!(properties(&schema), r#"{"value":3}"#);
    assert!(!Event::schema(&schema).unwrap().fields()[0].is_required());
}

/// An event with its own group.
#[derive(Event)]
#[event(name = "grouped", purpose = "error", link = "https://example.com", since = "2.0")]
struct Grouped<'a> {
    #[event(distinct_id, raw = "the application's own name for the node")]
    node: &'a str,
    #[event(group = "company", hashed = "com")]
    company: Option<&'a str>,
}

#[test]
fn groups_have_their_own_policy() {
    let grouped = |company| encode(&Grouped { node: "node-7", company }).unwrap();
    assert_eq!(grouped(None).groups, "");
    let groups = grouped(Some("acme")).groups;
    assert!(groups.starts_with("\"company\":\"com_") && !groups.contains("acme"), "{groups}");
    assert_eq!(grouped(None).distinct_id, "\"node-7\"");
}

#[test]
fn a_raw_distinct_id_must_satisfy_the_general_rules() {
    let node = |node: &str| encode(&Grouped { node, company: None }).map(|encoded| encoded.distinct_id);
    for blank in ["", " ", "\t\n", "\u{3000}"] {
        assert_eq!(node(blank).unwrap_err(), LossReason::EmptyDistinctId, "{blank:?}");
    }
    assert_eq!(node(&"é".repeat(201)).unwrap_err(), LossReason::LongDistinctId);
    assert!(node(&"é".repeat(200)).is_ok());
    assert_eq!(node("a\"b").unwrap(), r#""a\"b""#);
}

#[test]
fn a_schema_agrees_with_the_source() {
    let event = Grouped { node: "", company: None };
    let schema = event.schema().unwrap();
    assert_eq!((schema.name(), schema.description()), ("grouped", "An event with its own group."));
    assert_eq!((schema.purpose().name(), schema.since()), ("error", Some("2.0")));
    assert_eq!(schema.distinct_id().raw(), Some("the application's own name for the node"));
    assert_eq!(schema.groups()[0].name(), "company");
}

#[derive(Event)]
#[event(name = "hashed ids")]
#[expect(clippy::struct_field_names, reason = "each is an id")]
struct HashedIds {
    #[event(distinct_id, hashed = "usr")]
    user_id: u64,
    #[event(hashed = "usr")]
    same_id: &'static str,
    #[event(hashed = "neg")]
    low_id: i128,
    #[event(hashed_hex = 16)]
    run_id: Option<Uuid>,
    #[event(hashed = "usr")]
    nobody_id: Option<u8>,
    #[event(raw = "a random number of this run")]
    raw_id: Option<Uuid>,
}

#[test]
fn ids_that_are_numbers_or_uuids_are_hashed_as_their_text() {
    let uuid = Uuid::from_u128(0xa1a2_a3a4_b1b2_c1c2_d1d2_d3d4_d5d6_d7d8);
    let event = HashedIds {
        user_id: u64::MAX,
        same_id: "18446744073709551615",
        low_id: i128::MIN,
        run_id: Some(uuid),
        nobody_id: None,
        raw_id: Some(uuid),
    };
    let encoded = encode(&event).unwrap();
    let hash = Hashed::new("usr", "18446744073709551615").to_string();
    assert_eq!(encoded.distinct_id, format!("\"{hash}\""));
    let low = Hashed::new("neg", "-170141183460469231731687303715884105728");
    let mut run = Vec::new();
    crate::field::write_hex("a1a2a3a4-b1b2-c1c2-d1d2-d3d4d5d6d7d8", 16, &mut run);
    let run = String::from_utf8(run).unwrap();
    assert_eq!(
        encoded.properties,
        format!(
            r#"{{"same_id":"{hash}","low_id":"{low}","run_id":{run},"raw_id":"a1a2a3a4-b1b2-c1c2-d1d2-d3d4d5d6d7d8"}}"#
        )
    );
}
