//! The adapter for PostHog's compliance harness, with real HTTP on both sides.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use candor::{Compression, Env, Protocol};
use serde_json::{Value, json};

use testkit::adapter::{self, Settings};
use testkit::clients::{LONG, results, taken};
use testkit::example;
use testkit::{Reply, Server};

const BOTH: [Protocol; 2] = [Protocol::V0, Protocol::V1];

/// An adapter that runs in this process; its thread ends when it is dropped.
struct Adapter {
    url: String,
}

impl Adapter {
    fn start(protocol: Protocol, codec: Compression) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let delays = Some((Duration::from_millis(5), Duration::from_secs(5)));
        let settings = Settings { protocol, codec, delays };
        thread::spawn(move || adapter::serve(&listener, settings));
        Self { url }
    }

    fn get(&self, path: &str) -> Value {
        get(&format!("{}{path}", self.url))
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        self.post_text(path, &body.to_string())
    }

    fn post_text(&self, path: &str, body: &str) -> Value {
        let answer = agent().post(format!("{}{path}", self.url)).content_type("application/json").send(body);
        read(answer.unwrap())
    }

    fn init(&self, server: &Server, more: &Value) {
        let mut wishes =
            json!({ "api_key": "phc_test_key", "host": server.url(), "flush_interval_ms": 60_000 });
        for (key, value) in more.as_object().unwrap() {
            wishes[key] = value.clone();
        }
        assert_eq!(self.post("/init", &wishes)["success"], true);
    }

    fn capture(&self, event: &str) -> Value {
        let wishes =
            json!({ "distinct_id": "user_123", "event": event, "properties": null, "timestamp": null });
        self.post("/capture", &wishes)
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().proxy(None).timeout_global(Some(LONG)).build().new_agent()
}

fn get(url: &str) -> Value {
    read(agent().get(url).call().unwrap())
}

fn read(mut answer: ureq::http::Response<ureq::Body>) -> Value {
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/json");
    serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap()
}

/// A server like the harness's own, which accepts everything.
fn harness() -> Server {
    Server::always(Reply::judged(taken))
}

#[test]
fn health_names_the_sdk_and_what_it_can_do() {
    let cases = [
        (Protocol::V0, Compression::Gzip, json!(["capture_v0", "capture_ai_v0", "encoding_gzip"])),
        (Protocol::V1, Compression::Gzip, json!(["capture_v1", "encoding_gzip"])),
        (Protocol::V1, Compression::Deflate, json!(["capture_v1", "encoding_deflate"])),
        (Protocol::V1, Compression::Brotli, json!(["capture_v1", "encoding_br"])),
        (Protocol::V1, Compression::Zstd, json!(["capture_v1", "encoding_zstd"])),
    ];
    for (protocol, codec, capabilities) in cases {
        let health = Adapter::start(protocol, codec).get("/health");
        let wanted = json!({
            "sdk_name": "candor",
            "sdk_version": env!("CARGO_PKG_VERSION"),
            "adapter_version": "1.0.0",
            "supports_parallel": true,
            "capabilities": capabilities,
        });
        assert_eq!(health, wanted);
    }
}

#[test]
fn a_captured_event_arrives_with_the_id_that_was_returned() {
    for protocol in BOTH {
        let (server, adapter) = (harness(), Adapter::start(protocol, Compression::Gzip));
        adapter.init(&server, &json!({}));
        let wishes = json!({
            "distinct_id": "user_123",
            "event": "order_placed",
            "properties": { "plan": "pro", "$groups": { "company": "acme" }, "when": "2025-01-02T08:34:05+05:30" },
            "timestamp": "2025-01-02T08:34:05+05:30",
        });
        let captured = adapter.post("/capture", &wishes);
        assert_eq!(captured["success"], true);
        assert_eq!(adapter.get("/state")["pending_events"], 1);
        assert_eq!(adapter.post("/flush", &json!({})), json!({ "success": true, "events_flushed": 1 }));
        let events = server.events();
        assert_eq!(events.len(), 1);
        assert_eq!(events[0]["uuid"], captured["uuid"]);
        assert_eq!(events[0]["timestamp"], "2025-01-02T03:04:05.000Z");
        let properties = &events[0]["properties"];
        assert_eq!(properties["plan"], "pro");
        assert_eq!(properties["$groups"], json!({ "company": "acme" }));
        assert_eq!(
            properties["when"], "2025-01-02T08:34:05+05:30",
            "a text that looks like a time is left alone"
        );
        let state = json!({
            "pending_events": 0,
            "total_events_captured": 1,
            "total_events_sent": 1,
            "total_retries": 0,
            "last_error": null,
        });
        assert_eq!(adapter.get("/state"), state);
    }
}

#[test]
fn a_time_without_an_offset_is_in_utc_and_one_that_is_not_text_is_refused() {
    let (server, adapter) = (harness(), Adapter::start(Protocol::V0, Compression::Gzip));
    adapter.init(&server, &json!({}));
    let at = |time: Value| {
        adapter.post("/capture", &json!({ "distinct_id": "user_123", "event": "a", "timestamp": time }))
    };
    for time in ["2025-01-02T03:04:05", "2025-01-02T03:04:05.25", "2025-01-02T03:04:05.123456"] {
        assert_eq!(at(json!(time))["success"], true, "{time}");
    }
    for wrong in [json!(1_735_787_045), json!("yesterday"), json!("2025-01-02T03:04:05.")] {
        assert_eq!(at(wrong.clone())["success"], false, "{wrong}");
    }
    adapter.post("/flush", &json!({}));
    let times: Vec<_> = server.events().iter().map(|event| event["timestamp"].clone()).collect();
    let wanted = ["2025-01-02T03:04:05.000Z", "2025-01-02T03:04:05.250Z", "2025-01-02T03:04:05.123456Z"];
    assert_eq!(times, wanted);
}

#[test]
fn an_event_that_will_not_be_sent_is_answered_with_an_error() {
    for protocol in BOTH {
        let (server, adapter) = (harness(), Adapter::start(protocol, Compression::Gzip));
        adapter.init(&server, &json!({}));
        for (route, id, event) in [
            ("/capture", " ", "a"),
            ("/capture", "user_123", ""),
            ("/capture", "anonymous", "$identify"),
            ("/capture_ai", "", "$ai_generation"),
        ] {
            let answer = adapter.post(route, &json!({ "distinct_id": id, "event": event }));
            assert_eq!(answer["success"], false, "{route} {id:?} {event:?}");
            assert!(answer["error"].as_str().unwrap().starts_with("the event is dropped: "), "{answer}");
        }
        assert_eq!(adapter.capture("b")["success"], true);
        assert_eq!(adapter.post("/flush", &json!({}))["events_flushed"], 1);
        let wide =
            json!({ "distinct_id": "u", "event": "$ai_span", "properties": { "x": "y".repeat(2 << 20) } });
        assert_eq!(adapter.post("/capture_ai", &wide)["success"], true);
        assert_eq!(adapter.post("/flush", &json!({}))["events_flushed"], 1);
        assert_eq!(adapter.post("/capture", &wide)["success"], false);
    }
}

#[test]
fn the_settings_of_init_are_applied() {
    for protocol in BOTH {
        let (server, adapter) = (harness(), Adapter::start(protocol, Compression::Gzip));
        adapter.init(
            &server,
            &json!({ "flush_at": 2, "enable_compression": true, "disable_geoip": true, "historical_migration": true }),
        );
        adapter.capture("a");
        adapter.capture("b");
        let request = &server.wait_for(1)[0];
        assert_eq!(request.header("content-encoding"), Some("gzip"));
        let body = request.json();
        assert_eq!(body["historical_migration"], true);
        assert_eq!(body["batch"][0]["properties"]["$geoip_disable"], true);
        adapter.init(&server, &json!({ "disable_geoip": false }));
        adapter.capture("c");
        adapter.post("/flush", &json!({}));
        let request = &server.wait_for(2)[1];
        assert_eq!(request.header("content-encoding"), None);
        let body = request.json();
        assert_eq!(body.get("historical_migration"), None);
        assert_eq!(body["batch"][0]["properties"].get("$geoip_disable"), None);
    }
}

#[test]
fn max_retries_n_are_n_plus_one_requests() {
    for protocol in BOTH {
        let (server, adapter) =
            (Server::always(Reply::status(503)), Adapter::start(protocol, Compression::Gzip));
        adapter.init(&server, &json!({ "max_retries": 3 }));
        adapter.capture("a");
        assert_eq!(adapter.post("/flush", &json!({}))["events_flushed"], 0);
        assert_eq!(server.requests().len(), 4);
        let state = adapter.get("/state");
        assert_eq!((&state["total_retries"], &state["pending_events"]), (&json!(3), &json!(0)));
        assert!(state["last_error"].as_str().unwrap().contains("503"), "{state}");
    }
}

#[test]
fn a_partial_success_resends_only_events_to_be_retried() {
    let server = Server::scripted(|number| {
        Reply::judged(move |request| {
            results(request, |event| match (event["event"].as_str(), number) {
                (Some("later"), 0) => json!({ "result": "retry", "details": "not_persisted" }),
                (Some("never"), _) => json!({ "result": "drop", "details": "invalid_options" }),
                _ => json!({ "result": "ok" }),
            })
        })
    });
    let adapter = Adapter::start(Protocol::V1, Compression::Gzip);
    adapter.init(&server, &json!({}));
    for event in ["now", "later", "never"] {
        adapter.capture(event);
    }
    assert_eq!(adapter.post("/flush", &json!({}))["events_flushed"], 2);
    let names: Vec<Vec<_>> = server
        .requests()
        .iter()
        .map(|request| request.events().iter().map(|event| event["event"].clone()).collect())
        .collect();
    assert_eq!(json!(names), json!([["now", "later", "never"], ["later"]]));
}

#[test]
fn options_are_sent_where_the_protocol_expects_them() {
    let wishes = json!({
        "distinct_id": "user_123",
        "event": "a",
        "properties": {},
        "options": {
            "process_person_profile": false,
            "cookieless_mode": true,
            "disable_skew_correction": true,
            "product_tour_id": "tour-1",
        },
    });
    for protocol in BOTH {
        let (server, adapter) = (harness(), Adapter::start(protocol, Compression::Gzip));
        adapter.init(&server, &json!({}));
        adapter.post("/capture", &wishes);
        adapter.post("/flush", &json!({}));
        let event = &server.events()[0];
        if protocol == Protocol::V1 {
            assert_eq!(event["options"], wishes["options"]);
        } else {
            let properties = &event["properties"];
            assert_eq!(properties["$process_person_profile"], false);
            assert_eq!(properties["$cookieless_mode"], true);
            assert_eq!(properties["$ignore_sent_at"], true);
            assert_eq!(properties["$product_tour_id"], "tour-1");
        }
    }
}

#[test]
fn capture_ai_keeps_the_requested_id() {
    let (server, adapter) = (harness(), Adapter::start(Protocol::V0, Compression::Gzip));
    adapter.init(&server, &json!({}));
    let uuid = "0198c0de-0000-7000-8000-000000000abc";
    let wishes =
        json!({ "distinct_id": "user_1", "event": "$ai_generation", "properties": null, "uuid": uuid });
    assert_eq!(adapter.post("/capture_ai", &wishes), json!({ "success": true, "uuid": uuid }));
    assert_eq!(adapter.post("/flush", &json!({}))["events_flushed"], 1);
    let requests = server.requests();
    assert_eq!((requests.len(), &*requests[0].target), (1, "/i/v0/ai/batch/"));
    assert_eq!(requests[0].uuids(), [uuid]);
}

#[test]
fn parallel_tests_have_separate_clients_and_a_flush_blocks_no_other() {
    let server = Server::always(Reply::judged(|request| {
        let reply = taken(request);
        if request.header("x-test-id") == Some("slow") { reply.held() } else { reply }
    }));
    let adapter = Adapter::start(Protocol::V1, Compression::Gzip);
    for id in ["slow", "quick"] {
        let wishes = json!({ "api_key": "phc_test_key", "host": server.url(), "flush_interval_ms": 60_000 });
        adapter.post(&format!("/init?test_id={id}"), &wishes);
    }
    let event = json!({ "distinct_id": "user_123", "event": "a", "properties": null, "timestamp": null });
    adapter.post("/capture?test_id=slow", &event);
    thread::scope(|scope| {
        let slow = scope.spawn(|| adapter.post("/flush?test_id=slow", &json!({})));
        server.wait_for(1);
        adapter.post("/capture?test_id=quick", &event);
        assert_eq!(adapter.post("/flush?test_id=quick", &json!({}))["events_flushed"], 1);
        assert_eq!(adapter.get("/state?test_id=slow")["total_events_sent"], 0);
        server.release();
        assert_eq!(slow.join().unwrap()["events_flushed"], 1);
    });
    let ids: Vec<_> =
        server.requests().iter().map(|request| request.header("x-test-id").map(str::to_owned)).collect();
    assert_eq!(ids, [Some("slow".to_owned()), Some("quick".to_owned())]);
}

#[test]
fn reset_discards_everything_and_sends_nothing() {
    let (server, adapter) = (harness(), Adapter::start(Protocol::V0, Compression::Gzip));
    adapter.init(&server, &json!({}));
    adapter.capture("a");
    assert_eq!(adapter.post("/reset", &json!({})), json!({ "success": true }));
    assert_eq!(adapter.get("/state")["total_events_captured"], 0);
    assert_eq!(adapter.capture("b")["success"], false);
    adapter.init(&server, &json!({}));
    adapter.capture("c");
    adapter.post("/flush", &json!({}));
    assert_eq!(server.events().iter().map(|event| event["event"].clone()).collect::<Vec<_>>(), ["c"]);
}

#[test]
fn an_invalid_request_is_answered_and_does_no_harm() {
    let (server, adapter) = (harness(), Adapter::start(Protocol::V0, Compression::Gzip));
    assert_eq!(
        adapter.post("/init", &json!({ "api_key": "phc_test_key", "host": "no url" }))["success"],
        false
    );
    assert_eq!(adapter.post("/init", &json!({ "api_key": "  ", "host": server.url() }))["success"], false);
    adapter.init(&server, &json!({}));
    assert_eq!(adapter.post_text("/capture", "{")["success"], false);
    assert_eq!(adapter.post_text("/capture", "[]")["success"], false);
    assert_eq!(adapter.post("/capture", &json!({ "event": "a", "distinct_id": 7 }))["success"], false);
    let wrong = json!({ "event": "a", "distinct_id": "b", "properties": [1] });
    assert_eq!(adapter.post("/capture", &wrong)["success"], false);
    assert_eq!(adapter.get("/nowhere")["success"], false);
    adapter.capture("a");
    assert_eq!(adapter.post("/flush", &json!({}))["events_flushed"], 1);
}

/// A program that is ended with its test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn the_program_reads_port_mode_and_codec_from_the_environment() {
    let mut command = example("compliance_adapter");
    command.env("PORT", "0").env("CAPTURE_MODE", "v1").env("COMPRESSION", "deflate").env("DO_NOT_TRACK", "1");
    let mut program = Running(command.stdout(Stdio::piped()).spawn().unwrap());
    let mut line = String::new();
    BufReader::new(program.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port = line.trim().rsplit(':').next().unwrap();
    let health = get(&format!("http://127.0.0.1:{port}/health"));
    assert_eq!(health["capabilities"], json!(["capture_v1", "encoding_deflate"]));
}

#[test]
fn a_mode_or_codec_that_does_not_exist_is_refused() {
    let refused = |mode: &str, codec: &str| {
        Settings::from_env(&Env::empty().with("CAPTURE_MODE", mode).with("COMPRESSION", codec)).is_err()
    };
    assert!(refused("v2", "gzip") && refused("v1", "lz4") && refused("v0", "br"));
    assert!(!refused("v0", "gzip") && !refused("v1", "zstd"));
    assert!(Settings::from_env(&Env::empty()).is_ok_and(|it| it.protocol == Protocol::V0));
}
