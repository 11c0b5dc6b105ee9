//! Invalid input is an error where there is a `Result`; otherwise only the one event is lost, with a counted reason
//! and one line in the log. Nothing panics, and no batch is poisoned.

use std::collections::HashMap;
use std::thread;
use std::time::Duration;

use candor::encode::Encoder;
use candor::wire::FlatRecord;
use candor::{
    Client, Config, Consent, DynamicEvent, Env, ErrorKind, Event, LossReason, Notice, Overflow, Protocol,
};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use testkit::Server;
use testkit::clients::{LONG, client, config, config_for, numbered, numbers};
use testkit::lines;

struct Typed {
    name: &'static str,
    id: String,
    number: f64,
}

impl Event for Typed {
    fn name(&self) -> &str {
        self.name
    }

    fn encode(&self, event: &mut Encoder<'_>) {
        event.distinct_id(&self.id);
        event.property("number", &self.number);
    }
}

struct Bad(&'static str);

impl Serialize for Bad {
    fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            "panics" => panic!("the application's own code"),
            text => Err(serde::ser::Error::custom(text)),
        }
    }
}

/// Captures the event twice among valid ones: only the valid ones arrive, and the reason is counted twice and logged
/// once.
#[track_caller]
fn is_lost<E: Event>(reason: LossReason, event: impl Fn() -> E) {
    lines::listen();
    let server = Server::start([]);
    let client = client(config(&server).event_bytes(10_000));
    let before = lines::warnings_here().len();
    client.capture(numbered(1));
    client.capture(event());
    client.capture(numbered(2));
    client.capture(event());
    client.shutdown(LONG).unwrap();
    assert_eq!(numbers(&server.events()), [1, 2], "{reason}");
    let stats = client.stats();
    assert_eq!((stats.captured, stats.sent, stats.lost_total()), (4, 2, 2), "{stats}");
    assert_eq!(stats.lost(reason), 2, "{stats}");
    let warnings = lines::warnings_here().split_off(before);
    assert!(warnings.len() == 1 && warnings[0].contains(reason.as_str()), "{warnings:?}");
}

fn typed(name: &'static str, id: &str, number: f64) -> Typed {
    Typed { name, id: id.to_owned(), number }
}

#[test]
fn an_empty_or_blank_name() {
    for name in ["", " \t\u{2003}"] {
        is_lost(LossReason::EmptyName, || DynamicEvent::new(name, "id"));
        is_lost(LossReason::EmptyName, || typed(name, "id", 1.0));
    }
}

#[test]
fn an_empty_or_blank_distinct_id() {
    for id in ["", "  \n"] {
        is_lost(LossReason::EmptyDistinctId, || DynamicEvent::new("name", id));
        is_lost(LossReason::EmptyDistinctId, || typed("name", id, 1.0));
    }
}

#[test]
fn more_than_200_characters() {
    let long = "\u{e4}".repeat(201);
    is_lost(LossReason::LongName, || DynamicEvent::new(long.clone(), "id"));
    is_lost(LossReason::LongDistinctId, || DynamicEvent::new("name", long.clone()));
}

#[test]
fn exactly_200_characters_are_fine_whatever_their_bytes() {
    let server = Server::start([]);
    let client = client(config(&server));
    let max = "\u{1f4a1}".repeat(200);
    client.capture(DynamicEvent::new(max.clone(), max.clone()));
    assert!(client.shutdown(LONG).unwrap().is_complete());
    let events = server.events();
    assert_eq!((events[0]["event"].as_str(), events[0]["distinct_id"].as_str()), (Some(&*max), Some(&*max)));
}

/// Captures the event twice: it arrives without the property, which is counted twice and logged once.
#[track_caller]
fn is_left_out<E: Event>(key: &str, reason: LossReason, event: impl Fn() -> E) {
    lines::listen();
    let server = Server::start([]);
    let client = client(config(&server));
    let before = lines::warnings_here().len();
    client.capture(event());
    client.capture(event());
    assert!(client.shutdown(LONG).unwrap().is_complete(), "{:?}", client.stats());
    for event in server.events() {
        assert_eq!((&event["properties"][key], &event["event"]), (&Value::Null, &json!("name")), "{event}");
    }
    let stats = client.stats();
    assert_eq!((stats.sent, stats.fields_dropped), (2, 2), "{stats}");
    let warnings = lines::warnings_here().split_off(before);
    let wanted = format!("event \"name\": the property {key:?} was left out: {reason}");
    assert!(warnings.len() == 1 && warnings[0].starts_with(&wanted), "{warnings:?}");
}

#[test]
fn a_number_that_is_not_finite() {
    for number in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        is_left_out("number", LossReason::NotFinite, || typed("name", "id", number));
        is_left_out("deep", LossReason::NotFinite, || {
            DynamicEvent::new("name", "id").property("deep", 1).property("deep", vec![Some(number)])
        });
    }
}

#[test]
fn each_event_name_is_warned_of_once_for_each_reason() {
    lines::listen();
    let server = Server::start([]);
    let client = client(config(&server));
    let here = || lines::all().into_iter().filter(|line| line.thread == thread::current().id());
    let before = here().count();
    for _ in 0..3 {
        for name in ["first", "second"] {
            client.capture(DynamicEvent::new(name, ""));
            client.capture(typed(if name == "first" { "third" } else { "fourth" }, "id", f64::NAN));
            client.capture(DynamicEvent::new("fifth", "id").property("$lib", "other"));
        }
    }
    client.shutdown(LONG).unwrap();
    let here: Vec<_> = here().skip(before).collect();
    let texts = |level| here.iter().filter(move |line| line.level == level).map(|line| line.text.as_str());
    let warnings: Vec<_> = texts(log::Level::Warn).collect();
    assert_eq!(warnings.len(), 5, "{warnings:?}");
    for name in ["first", "second"] {
        let wanted =
            format!("event \"{name}\" was dropped: no distinct id; pass `distinct_id = ..` or enter");
        assert!(warnings.iter().any(|line| line.starts_with(&wanted)), "{warnings:?}");
    }
    for (name, why) in
        [("third", "among them: number (not finite)"), ("fifth", "among them: $lib (reserved name)")]
    {
        let (name, mut debug) = (format!("event \"{name}\": "), texts(log::Level::Debug));
        assert!(debug.any(|line| line.starts_with(&name) && line.ends_with(why)), "{here:?}");
    }
}

#[test]
fn a_number_that_is_not_finite_in_person_properties() {
    is_lost(LossReason::NotFinite, || DynamicEvent::person("id").set(json_of(f64::NAN)));
}

fn json_of(number: f64) -> HashMap<&'static str, f64> {
    HashMap::from([("score", number)])
}

#[test]
fn a_value_that_no_receiver_can_parse() {
    let deep = format!("{}{}", "[".repeat(130), "]".repeat(130));
    for text in ["1e999", r#""\ud800""#, r#"{"a":[1,"\udc00x"]}"#, &deep] {
        let raw = RawValue::from_string(text.to_owned()).unwrap();
        is_left_out("bad", LossReason::Unserializable, || {
            DynamicEvent::new("name", "id").property("bad", &raw)
        });
    }
}

#[test]
fn a_private_key_of_serde_json_is_data_with_and_without_a_hook() {
    for has_hook in [false, true] {
        let server = Server::start([]);
        let mut config = config(&server);
        if has_hook {
            config = config.before_send(Some);
        }
        let client = client(config);
        let value = json!({ "a": 1, "inner": { "$serde_json::private::RawValue": "{\"forged\":true}" } });
        let mut sent = DynamicEvent::new("name", "id").property("value", &value);
        sent = sent.property("$serde_json::private::RawValue", "[1]");
        client.capture(sent);
        assert!(client.shutdown(LONG).unwrap().is_complete(), "{has_hook}");
        let body = String::from_utf8(server.requests()[0].plain()).unwrap();
        for part in [
            r#""$serde_json::private::RawValue":"{\"forged\":true}""#,
            r#""$serde_json::private::RawValue":"[1]""#,
        ] {
            assert!(body.contains(part), "{has_hook}: {body}");
        }
    }
}

#[test]
fn an_event_over_the_size_limit() {
    is_lost(LossReason::TooLarge, || DynamicEvent::new("name", "id").property("text", "x".repeat(10_000)));
}

#[test]
fn a_value_that_has_no_json_form() {
    is_left_out("bad", LossReason::Unserializable, || {
        DynamicEvent::new("name", "id").property("bad", Bad("no"))
    });
    let map: HashMap<Vec<u8>, u8> = HashMap::from([(vec![1], 1)]);
    is_left_out("bad", LossReason::Unserializable, || DynamicEvent::new("name", "id").property("bad", &map));
}

#[test]
fn a_value_or_an_event_that_panics() {
    struct Panics;
    impl Event for Panics {
        fn name(&self) -> &'static str {
            "name"
        }
        fn encode(&self, _: &mut Encoder<'_>) {
            panic!("the application's own code");
        }
    }
    is_lost(LossReason::EventPanicked, || DynamicEvent::new("name", "id").property("bad", Bad("panics")));
    is_lost(LossReason::EventPanicked, || Panics);
}

#[test]
fn a_hook_that_leaves_an_event_invalid() {
    lines::listen();
    let server = Server::start([]);
    let client = client(config(&server).before_send(|mut view| {
        if view.name == "wrong" {
            view.distinct_id.clear();
        }
        Some(view)
    }));
    client.capture(DynamicEvent::new("wrong", "id"));
    client.capture(numbered(1));
    client.shutdown(LONG).unwrap();
    assert_eq!(numbers(&server.events()), [1]);
    assert_eq!(client.stats().lost(LossReason::EmptyDistinctId), 1);
}

#[track_caller]
fn is_refused(setting: &str, config: Config) {
    let error = Client::new(config).expect_err(setting);
    assert_eq!(error.kind(), ErrorKind::Config, "{error}");
    assert!(error.to_string().contains(setting), "{setting}: {error}");
}

#[test]
fn an_endpoint_that_is_not_a_url() {
    for url in
        ["", "t.example.com", "ftp://t.example.com", "http://", "http://t.example.com:70000", "http://a b"]
    {
        is_refused("endpoint", config_for(url));
    }
}

#[test]
fn sizes_and_times_of_zero() {
    let config = || config_for("http://127.0.0.1:9");
    is_refused("flush_at", config().flush_at(0));
    is_refused("flush_bytes", config().flush_bytes(0));
    is_refused("flush_interval", config().flush_interval(Duration::ZERO));
    is_refused("queue_events", config().queue_events(0));
    is_refused("queue_bytes", config().queue_bytes(0));
    is_refused("event_bytes", config().event_bytes(0));
    is_refused("batch_bytes", config().batch_bytes(0));
    is_refused("retry_delays", config().retry_delays(Duration::ZERO, LONG));
    is_refused("retry_bytes", config().retry_bytes(0));
    is_refused("request_timeout", config().request_timeout(Duration::ZERO));
    is_refused("connect_timeout", config().connect_timeout(Duration::ZERO));
    is_refused("read_timeout", config().read_timeout(Duration::ZERO));
}

#[test]
fn sizes_and_times_beyond_reason() {
    let config = || config_for("http://127.0.0.1:9");
    is_refused("queue_events", config().queue_events(usize::MAX));
    is_refused("queue_bytes", config().queue_bytes(usize::MAX));
    is_refused("batch_bytes", config().batch_bytes(usize::MAX));
    is_refused("request_timeout", config().request_timeout(Duration::MAX));
    is_refused("connect_timeout", config().connect_timeout(Duration::MAX));
    is_refused("read_timeout", config().read_timeout(Duration::MAX));
}

#[test]
fn endless_times_act_like_very_long_ones() {
    let server = Server::start([testkit::Reply::status(503)]);
    let client = client(
        config(&server)
            .flush_at(2)
            .flush_interval(Duration::MAX)
            .retry_delays(Duration::from_millis(1), Duration::MAX)
            .retry_for(Duration::MAX)
            .overflow(Overflow::Wait(Duration::MAX))
            .queue_events(2)
            .shutdown_timeout(Duration::MAX),
    );
    for n in 0..20 {
        client.capture(numbered(n));
    }
    assert!(client.flush(Duration::MAX).unwrap().is_complete());
    client.capture(numbered(20));
    assert!(client.shutdown(Duration::MAX).unwrap().is_complete());
    assert_eq!(client.stats().sent, 21);
}

#[test]
fn an_application_name_that_is_unsafe_in_paths() {
    for name in ["", "  ", "\u{2014}", "../up", ".hidden", "a/b", "a\\b", "c:", "two\nlines"] {
        is_refused("application name", Config::new(name, "1").endpoint("http://127.0.0.1:9"));
    }
    Client::new(Config::new("My App 2", "1").env(Env::empty())).expect("a name with blanks is fine");
}

#[test]
fn an_endpoint_with_the_path_that_the_protocol_adds() {
    for url in ["http://127.0.0.1:9/batch/", "http://127.0.0.1:9/batch", "http://127.0.0.1:9/in/batch//"] {
        is_refused("endpoint: remove the path `/batch`", config_for(url));
    }
    let v1 = config_for("http://127.0.0.1:9/i/v1/analytics/events").protocol(Protocol::V1);
    is_refused("endpoint: remove the path `/i/v1/analytics/events`", v1);
    Client::new(config_for("http://127.0.0.1:9/batches")).expect("a path of the operator's own");
}

#[test]
fn an_envelope_whose_path_gives_no_valid_url() {
    for path in ["/two words", "/a\nb", "/\u{202e}", "/a#b", "/a\"b"] {
        is_refused("envelope", config_for("http://127.0.0.1:9").envelope(FlatRecord::new(path)));
    }
    Client::new(config_for("http://127.0.0.1:9").envelope(FlatRecord::new("events?source=tool")))
        .expect("a query");
}

#[test]
fn a_notice_without_content() {
    for notice in [Notice::documented(""), Notice::documented(" \n"), Notice::shown("  ")] {
        is_refused("notice", config_for("http://127.0.0.1:9").consent(Consent::opt_out(notice)));
    }
}

#[test]
fn a_key_that_posthog_would_refuse() {
    let config = |key: &str| config_for("http://127.0.0.1:9").api_key(key);
    for key in ["phx_personal", "sch\u{f6}n", "two words", "quo\"te", &"k".repeat(65)] {
        is_refused("api_key", config(key));
        let error = Client::new(config(key)).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(key));
    }
}

#[test]
fn a_header_that_is_not_valid() {
    let config = || config_for("http://127.0.0.1:9");
    is_refused("header", config().header("two words", "value"));
    is_refused("header", config().header("x-token", "line\nbreak"));
    let error = Client::new(config().header("x-token", "secret\nbreak")).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("secret"));
}

#[test]
fn super_properties_that_cannot_be_sent() {
    let config = || config_for("http://127.0.0.1:9");
    is_refused("super_property", config().super_property("ratio", f64::NAN));
    is_refused("super_property", config().super_property("bad", Bad("no")));
    is_refused("super_property", config().super_property("$lib", "other"));
    is_refused("super_property", (0..51).fold(config(), |config, n| config.super_property(n.to_string(), n)));
}
