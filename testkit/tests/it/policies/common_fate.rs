//! The promises of Common Fate, CF-1 to CF-33. Timestamps and ids always differ, so they are not compared.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use candor::schema::{FieldType, TextPolicy};
use candor::testing::assert_catalogue;
use candor::{Client, Config, DynamicEvent, Env, Event, Hashed, Label, LossReason, Properties};
use serde_json::{Value, json};

use super::cf::app::{People, all_events, config, run};
use super::cf::catalogue::{CATALOGUE, EDGE};
use super::{Dir, play};
use testkit::clients::LONG;
use testkit::lines;
use testkit::systems::edge::Edge;
use testkit::systems::program::Program;
use testkit::{Reply, Server, eventually};

const FILE: &str = super::cf::app::DEPLOYMENT_FILE;
const PAGE: &str = "src/common_fate/TELEMETRY.md";

/// A deployment file with these entries besides the usual ones.
fn deployment(entries: &str) -> Dir {
    Dir::with(
        FILE,
        &format!(
            "version: 2\ndeployment:\n  stackName: cf\n  parameters:\n    IdentityProviderType: cognito\n{entries}"
        ),
    )
}

/// Runs the server once, and returns the number of events that its edge has stored.
fn day(dir: &Dir, env: &Env) -> usize {
    let edge = Edge::start(EDGE, None).expect("an edge");
    let ran = play(run, &["--dir", &dir.text(), "--url", &edge.url()], env);
    assert_eq!((ran.code, ran.errors.as_str()), (0, ""), "{}", ran.output);
    let stored = edge.rows().len();
    if stored == 0 {
        assert_eq!(edge.connections(), 0, "off means that nobody connects");
    }
    stored
}

/// The example's settings, for a client of a test.
fn settings(env: &Env, dir: &Dir, url: &str) -> Config {
    let program = Program {
        arguments: Vec::new(),
        env: env.clone(),
        is_interactive: false,
        policy_file: Some("".into()),
        input: &mut "".as_bytes(),
        output: &mut Vec::new(),
        errors: &mut Vec::new(),
    };
    config(&program, dir.path(), Some(url))
}

fn client(url: &str) -> Client {
    Client::new(settings(&Env::empty(), &Dir::new(), url)).expect("a configuration that works")
}

/// The bodies in which the 8 events would be sent, each alone, with their names in the catalogue.
fn bodies() -> Vec<(String, Value)> {
    let client = client("http://127.0.0.1:9");
    let mut bodies = Vec::new();
    all_events(People::default(), &mut |name, event| {
        let preview = client.preview(&event).expect("a sound event");
        bodies.push((name.to_owned(), serde_json::from_slice(preview.body()).expect("JSON")));
    });
    bodies
}

/// Returns the only event of a body, without the values that always differ.
fn bare(mut body: Value) -> Value {
    let event = body["batch"][0].as_object_mut().expect("an event");
    event.remove("uuid");
    event.remove("timestamp");
    body
}

fn fixture(name: &str) -> Value {
    let file = format!("tests/fixtures/common-fate/{}.json", name.replace([':', '.', '_'], "-"));
    serde_json::from_str(&fs::read_to_string(&file).unwrap_or_else(|error| panic!("{file}: {error}")))
        .expect("JSON")
}

fn body(name: &str) -> Value {
    bodies()
        .into_iter()
        .find(|(known, _)| known == name)
        .map(|(_, body)| body)
        .expect("an event of the catalogue")
}

#[test]
fn cf_01_opting_out_is_possible_at_any_time() {
    let edge = Edge::start(EDGE, None).expect("an edge");
    let dir = deployment("");
    let client = Client::new(settings(&Env::empty(), &dir, &edge.url())).expect("a client");
    all_events(People::default(), &mut |_, event| client.capture(event));
    client.flush(LONG).expect("a flush");
    assert_eq!(edge.rows().len(), 8);
    // While the server runs, without an update: the next request checks again.
    dir.write(FILE, "deployment:\n  parameters:\n    AnalyticsDisabled: \"true\"\n");
    all_events(People::default(), &mut |_, event| client.capture(event));
    client.shutdown(LONG).expect("a shutdown");
    assert_eq!(edge.rows().len(), 8);
    assert_eq!(day(&dir, &Env::empty()), 0);
}

#[test]
fn cf_02_the_four_metrics_are_there() {
    let fields = |name: &str| CATALOGUE.event(name).expect("an event").fields();
    let has = |name: &str, field: &str| fields(name).iter().any(|known| known.name() == field);
    assert!(has("cf:rule.created", "targets"), "access providers in use");
    assert!(has("cf:rule.created", "requires_approval"), "rules that require approval");
    assert!(has("cf:request.reviewed", "pending_duration_seconds"), "time to approval");
    assert!(
        body("cf:groupidentify:deployment")["batch"][0]["properties"]["$group_set"]["version"].is_string()
    );
}

#[test]
fn cf_03_nothing_beyond_the_list() {
    for (name, body) in bodies() {
        let event = &body["batch"][0];
        let schema = CATALOGUE.event(event["event"].as_str().expect("a name")).expect("a listed event");
        let mut properties = event["properties"].as_object().expect("properties").clone();
        if let Some(set) = event.get("$set") {
            properties.insert("$set".to_owned(), set.clone());
        }
        for key in ["$lib", "$lib_version", "$groups"] {
            properties.remove(key);
        }
        for (key, value) in properties {
            let field = schema.fields().iter().find(|field| field.name() == key);
            assert!(field.is_some_and(|field| field.kind().admits(&value)), "{name}: {key} = {value}");
        }
    }
    let client = client("http://127.0.0.1:9");
    client.capture(DynamicEvent::new("cf:rule.deleted", "usr_123").property("rule_name", "prod admins"));
    assert_eq!(client.stats().lost(LossReason::Undeclared), 1);
}

/// Returns the number of printed batches in the log that contain this text.
fn printed(text: &str) -> usize {
    lines::all().iter().filter(|line| line.target == "candor::batch" && line.text.contains(text)).count()
}

#[test]
fn cf_04_debug_prints_each_event_and_still_sends() {
    lines::listen();
    for (dir, env, person) in [
        (deployment("    AnalyticsLogLevel: \"debug\"\n"), Env::empty(), "usr_cf04file"),
        (deployment(""), Env::empty().with("CF_ANALYTICS_LOG_LEVEL", "debug"), "usr_cf04env"),
    ] {
        let edge = Edge::start(EDGE, None).expect("an edge");
        play(run, &["--dir", &dir.text(), "--url", &edge.url(), "--requester", person], &env);
        assert_eq!(edge.rows().len(), 8);
        let hashed = Hashed::new("usr", person).to_string();
        assert!(printed(&hashed) > 0, "{person}");
        assert!(
            lines::all()
                .iter()
                .any(|line| line.text.contains("cf:rule.updated") && line.text.contains(&hashed))
        );
    }
}

#[test]
fn cf_05_without_it_nothing_is_printed() {
    lines::listen();
    let edge = Edge::start(EDGE, None).expect("an edge");
    let arguments = ["--dir", &deployment("").text(), "--url", &edge.url(), "--requester", "usr_cf05"];
    let ran = play(run, &arguments, &Env::empty());
    assert_eq!((edge.rows().len(), ran.errors.as_str()), (8, ""));
    assert_eq!(printed(&Hashed::new("usr", "usr_cf05").to_string()), 0);
}

#[test]
fn cf_06_analytics_disabled_turns_it_off() {
    for value in ["\"true\"", "'1'", "\"yes\"", "true"] {
        assert_eq!(
            day(&deployment(&format!("    AnalyticsDisabled: {value}\n")), &Env::empty()),
            0,
            "{value}"
        );
    }
}

#[test]
fn cf_07_removing_the_entry_turns_it_on_again() {
    let dir = deployment("    AnalyticsDisabled: \"true\"\n");
    assert_eq!(day(&dir, &Env::empty()), 0);
    let without = dir.read(FILE).replace("    AnalyticsDisabled: \"true\"\n", "");
    dir.write(FILE, &without);
    assert_eq!(day(&dir, &Env::empty()), 8);
}

#[test]
fn cf_08_the_three_variables() {
    let dir = deployment("");
    for value in ["true", "TRUE", "True", "1", "yes", "on", "tru"] {
        assert_eq!(day(&dir, &Env::empty().with("CF_ANALYTICS_DISABLED", value)), 0, "{value}");
    }
    for value in ["", "false", "0"] {
        assert_eq!(day(&dir, &Env::empty().with("CF_ANALYTICS_DISABLED", value)), 8, "{value}");
    }
    let edge = Edge::start(EDGE, None).expect("an edge");
    play(run, &["--dir", &dir.text()], &Env::empty().with("CF_ANALYTICS_URL", edge.url()));
    assert_eq!(edge.rows().len(), 8);
    let program = |env: Env| {
        let program = Program {
            arguments: Vec::new(),
            env,
            is_interactive: false,
            policy_file: Some("".into()),
            input: &mut "".as_bytes(),
            output: &mut Vec::new(),
            errors: &mut Vec::new(),
        };
        candor::status(&config(&program, dir.path(), None)).endpoint
    };
    assert_eq!(program(Env::empty()).as_deref(), Some("https://t.commonfate.io"));
}

#[test]
fn cf_09_a_batch_without_a_key() {
    let edge = Edge::start(EDGE, None).expect("an edge");
    play(run, &["--dir", &deployment("").text(), "--url", &edge.url()], &Env::empty());
    for request in edge.requests() {
        assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/batch/"));
        let keys: Vec<String> = request.json().as_object().expect("an object").keys().cloned().collect();
        assert_eq!(keys, ["batch"]);
    }
}

/// The event as the published page shows it, which is older than the recorded payloads.
#[derive(candor::Event)]
#[event(name = "cf:request.created")]
struct OlderRequestCreated<'a> {
    has_reason: bool,
    #[event(pattern = "[a-z0-9-]+/[a-z0-9-]+@v[0-9]+", max = 80)]
    provider: &'a str,
    #[event(distinct_id, property, hashed = "usr")]
    requested_by: &'a str,
    requires_approval: bool,
    #[event(hashed = "rul")]
    rule_id: &'a str,
    timing: OlderTiming,
}

#[derive(Properties)]
struct OlderTiming {
    #[event(rename = "duration_seconds")]
    duration: Duration,
    mode: OlderMode,
}

#[derive(Clone, Copy, Label)]
enum OlderMode {
    Asap,
}

#[test]
fn cf_10_the_published_example_is_reproduced() {
    let client = Client::new(
        settings(&Env::empty(), &Dir::new(), "http://127.0.0.1:9")
            .catalogue(candor::events![OlderRequestCreated<'_>].groups(&[("deployment", "")])),
    )
    .expect("a client");
    let event = OlderRequestCreated {
        has_reason: true,
        provider: "commonfate/test-provider@v1",
        requested_by: "usr_123",
        requires_approval: true,
        rule_id: "rul_123",
        timing: OlderTiming { duration: Duration::from_secs(100), mode: OlderMode::Asap },
    };
    let body: Value =
        serde_json::from_slice(client.preview(&event).expect("a preview").body()).expect("JSON");
    let at = body["batch"][0]["timestamp"].as_str().expect("a timestamp");
    let rfc3339 = &time::format_description::well_known::Rfc3339;
    assert!(time::OffsetDateTime::parse(at, rfc3339).is_ok(), "{at}");
    assert_eq!(
        bare(body),
        json!({"batch": [{
            "distinct_id": "usr_-CHh8_rdIqAotcBsP64GKQkfzW2hb1JDJ_6u7q4zom4",
            "event": "cf:request.created",
            "library": "cf-analytics-go",
            "library_version": "dev",
            "properties": {
                "$groups": {"deployment": "dep_123"},
                "$lib": "cf-analytics-go",
                "$lib_version": "dev",
                "has_reason": true,
                "provider": "commonfate/test-provider@v1",
                "requested_by": "usr_-CHh8_rdIqAotcBsP64GKQkfzW2hb1JDJ_6u7q4zom4",
                "requires_approval": true,
                "rule_id": "rul_LNS4E5we6G3DpSsY2DnEu8coV7azNnjuUztaQ5SW0jo",
                "timing": {"duration_seconds": 100, "mode": "asap"},
            },
            "type": "capture",
        }]})
    );
}

#[test]
fn cf_11_hashes_like_go() {
    for (prefix, id, hash) in [
        ("usr", "usr_123", "usr_-CHh8_rdIqAotcBsP64GKQkfzW2hb1JDJ_6u7q4zom4"),
        ("rul", "rul_123", "rul_LNS4E5we6G3DpSsY2DnEu8coV7azNnjuUztaQ5SW0jo"),
        ("x", "something", "x_kh6XMrBb8gxpzREC4mAOSNs862lIy8tjE9fNDBWrjRE"),
    ] {
        assert_eq!(Hashed::new(prefix, id).to_string(), hash);
    }
}

#[test]
fn cf_12_hardening_escapes_like_go() {
    for (id, hash) in [
        ("a<b>&c", "x_6IjvKcQmR6ka7py1yJEkI5ui74mGHxm3QdkMD7wv8YI"),
        ("\u{e9}", "x_8ohgF-nHq6z4BLVNZHh9zithHJVEuiHzr_3RJqblAIY"),
        ("\u{2028}", "x_Tkd8212WNDqY1qEms8xKPr2l1dG_S_NxJVtWSXMyHsQ"),
        ("\u{2029}", "x_jwSQBkGLcUo_kYugBDdJNEbiKwQpFN3C8ZZMh6z7f9M"),
        ("\u{8}", "x_IwfPhjQGBahIFQR5jEOt4oGBJo-85oMeJXKtGDClmNU"),
        ("\u{c}", "x_g1Xy0S4roYmQx-_3lMCH5KlBK3zeO5V5sUsO6Lb6xdE"),
        ("\u{1}", "x_uBz7CmcV5Ts3M0W0norZTrVf13dRncU5Nz0GNJc8GG4"),
        ("\n\r\t", "x_3PmKCaPoMUq9_klzllFfnQQmJzQ8SjHkGfMzaQWzPqw"),
        ("\u{7f}", "x_b-dnQOEqk9VZj-aFy2rT08lORGCQZaVoZraWR3cgJuw"),
        ("\"\\", "x_xwYfD-JpLFFwA_9vKkY_w2qrcOMOpqRfl_z3tWEa7HQ"),
    ] {
        assert_eq!(Hashed::new("x", id).to_string(), hash);
    }
}

#[test]
fn cf_13_hardening_an_empty_id_stays_empty() {
    assert_eq!(Hashed::new("usr", "").to_string(), "");
    let client = client("http://127.0.0.1:9");
    let mut lost = Vec::new();
    all_events(
        People { requester: "usr_1", reviewer: "" },
        &mut |name, event| match client.preview(&event) {
            Ok(_) => {}
            Err(reason) => lost.push((name.to_owned(), reason)),
        },
    );
    // An event without an id is not sent.
    let about_nobody = |name: &str| (name.to_owned(), LossReason::EmptyDistinctId);
    assert_eq!(lost, [about_nobody("cf:request.reviewed"), about_nobody("cf:request.revoked")]);
}

#[test]
fn cf_14_hardening_an_id_hashes_equally_everywhere() {
    let event = &body("cf:rule.created")["batch"][0];
    assert_eq!(event["distinct_id"], event["properties"]["created_by"]);
    assert_eq!(event["distinct_id"], body("cf:request.reviewed")["batch"][0]["properties"]["requested_by"]);
}

#[test]
fn cf_15_identify() {
    let event = &body("cf:identify:user_info")["batch"][0];
    assert_eq!(event["$set"], json!({"role": "admin", "group_count": 2, "available_rules": 1}));
    assert_eq!((&event["event"], &event["type"]), (&json!("$identify"), &json!("identify")));
    assert_eq!(event["properties"].get("$set"), None);
}

#[test]
fn cf_16_group_identify() {
    let event = &body("cf:groupidentify:deployment")["batch"][0];
    assert_eq!(event["distinct_id"], "$deployment_dep_123");
    assert_eq!(event.get("type"), None);
    let set = &event["properties"]["$group_set"];
    for key in ["group_count", "idp", "stage", "user_count", "version"] {
        assert!(!set[key].is_null(), "{key}");
    }
    assert_eq!(event["properties"]["$group_type"], "deployment");
    assert_eq!(event["properties"]["$group_key"], "dep_123");
}

#[test]
fn cf_17_all_eight_events_equal_the_recorded_payloads() {
    let bodies = bodies();
    assert_eq!(bodies.len(), 8);
    for (name, body) in bodies {
        assert_eq!(bare(body), bare(fixture(&name)), "{name}");
    }
    // They also equal them when sent, whatever they are batched with.
    let edge = Edge::start(EDGE, None).expect("an edge");
    play(run, &["--dir", &deployment("").text(), "--url", &edge.url()], &Env::empty());
    let sent: Vec<Value> = edge.requests().iter().flat_map(testkit::Received::events).collect();
    let sent = sent.into_iter().map(|event| bare(json!({"batch": [event]})));
    let mut recorded = Vec::new();
    all_events(People::default(), &mut |name, _| recorded.push(bare(fixture(name))));
    assert_eq!(sent.collect::<Vec<_>>(), recorded);
}

#[test]
fn cf_18_the_page_is_made_from_the_code_and_a_stale_one_fails() {
    assert_catalogue(PAGE, &CATALOGUE);
    let page = fs::read_to_string(PAGE).expect("the page");
    let stale = Dir::with("page.md", &page.replace("Whether the rule has a filter", "Whether"));
    let path = stale.path().join("page.md");
    let caught = std::panic::catch_unwind(|| assert_catalogue(&path, &CATALOGUE));
    assert!(caught.is_err() || std::env::var_os("CANDOR_RENEW").is_some());
}

#[test]
fn cf_19_every_event_has_a_recorded_payload() {
    let events: BTreeSet<String> =
        bodies().iter().map(|(name, _)| format!("{}.json", name.replace([':', '.', '_'], "-"))).collect();
    let files = fs::read_dir("tests/fixtures/common-fate").expect("the recorded payloads");
    let files: BTreeSet<String> =
        files.map(|file| file.expect("a file").file_name().to_string_lossy().into_owned()).collect();
    assert_eq!(events, files);
    assert_eq!(CATALOGUE.events().len(), events.len());
}

/// Puts text wherever an application might do so by mistake, and returns what would be sent.
fn sent_about(text: &str) -> String {
    let dir = deployment(&format!(
        "    AdministratorEmail: {text}\n    CognitoDomainPrefix: {text}\n    SignInUrl: {text}\n"
    ));
    let edge = Edge::start(EDGE, None).expect("an edge");
    let env = Env::empty().with("AWS_REGION", text).with("AWS_ACCOUNT_ID", text).with("USER", text);
    let arguments =
        ["--dir", &dir.text(), "--url", &edge.url(), "--requester", text, "--reviewer", &format!("{text}2")];
    play(run, &arguments, &env);
    assert_eq!(edge.rows().len(), 8, "{text}");
    let sent: Vec<String> =
        edge.requests().iter().map(|request| format!("{:?} {}", request.headers, request.json())).collect();
    sent.join("\n")
}

#[test]
fn cf_20_never_an_email_address() {
    assert!(!sent_about("ada@example.com").contains("ada@example.com"));
}

#[test]
fn cf_21_never_an_account_id() {
    assert!(!sent_about("123456789012").contains("123456789012"));
}

#[test]
fn cf_22_never_the_name_or_description_of_a_rule() {
    for schema in CATALOGUE.events() {
        for field in schema.fields() {
            let name = field.name();
            assert!(!["name", "description", "rule_name", "reason"].contains(&name), "{name}");
        }
    }
    assert!(!sent_about("production-admins").contains("production-admins"));
}

#[test]
fn cf_23_never_the_region() {
    assert!(!sent_about("ap-southeast-2").contains("ap-southeast-2"));
}

#[test]
fn cf_24_never_a_sign_in_url() {
    assert!(!sent_about("https://acme.auth.example.com").contains("acme"));
}

#[test]
fn cf_25_addresses_are_not_kept() {
    let edge = Edge::start(EDGE, None).expect("an edge");
    play(run, &["--dir", &deployment("").text(), "--url", &edge.url()], &Env::empty());
    for row in edge.rows() {
        assert_eq!((row.ip, row.country), (None, None));
        assert!(row.record.contains("\"$geoip_disable\":true"), "{}", row.record);
        assert!(!row.record.contains("\"$ip\""));
    }
    // If no edge adds it, the client itself does.
    let client = Client::new(settings(&Env::empty(), &Dir::new(), "http://127.0.0.1:9").geoip_disable(true));
    let mut bodies = String::new();
    let client = client.expect("a client");
    all_events(People::default(), &mut |_, event| {
        bodies += &client.preview(&event).expect("a preview").to_string();
    });
    assert_eq!(bodies.matches("\"$geoip_disable\":true").count(), 8);
}

#[test]
fn cf_26_the_server_alone_tells() {
    // Properties that a browser would have added.
    for (name, body) in bodies() {
        let text = body.to_string();
        for browser in ["$current_url", "$referrer", "$browser", "$screen", "$session_id", "user_agent"] {
            assert!(!text.contains(browser), "{name}: {browser}");
        }
    }
    let edge = Edge::start(EDGE, None).expect("an edge");
    play(run, &["--dir", &deployment("").text(), "--url", &edge.url()], &Env::empty());
    assert!(edge.requests().iter().all(|request| request.header("user-agent") == Some("common-fate/0.9.0")));
}

#[test]
fn cf_27_hardening_identifiers_are_hashed_or_say_why_not() {
    for schema in CATALOGUE.events() {
        for field in schema.fields().iter().chain([schema.distinct_id()]) {
            let identifies = field.name().ends_with("_id") || field.name().ends_with("_by");
            let hashed = matches!(field.kind(), FieldType::Text(TextPolicy::Hashed { .. }));
            assert!(!identifies || hashed || field.raw().is_some(), "{}: {}", schema.name(), field.name());
        }
    }
    let page = fs::read_to_string(PAGE).expect("the page");
    assert!(page.contains("| `request_id` | text that matches `req_[A-Za-z0-9]+`"), "{page}");
    assert!(page.contains("**sent as it is**: a random id of the request"));
}

#[test]
fn cf_28_hardening_batches_of_three_ten_retries_and_a_close_that_drops() {
    // Three events are sent at once, however long the interval.
    let server = Server::start([Reply::status(503), Reply::status(503)]);
    let patient = settings(&Env::empty(), &Dir::new(), &server.url())
        .retry_delays(Duration::from_millis(1), Duration::from_millis(5))
        .flush_interval(Duration::from_secs(3600));
    let client = Client::new(patient).expect("a client");
    let mut left = 3;
    all_events(People::default(), &mut |_, event| {
        if left > 0 {
            client.capture(event);
            left -= 1;
        }
    });
    let requests = server.wait_for(3);
    assert!(requests.iter().all(|request| request.events().len() == 3));
    eventually("delivery", || client.stats().sent == 3);
    // 10 retries are 11 requests.
    let server = Server::always(Reply::status(500));
    let hasty = settings(&Env::empty(), &Dir::new(), &server.url())
        .retry_delays(Duration::from_millis(1), Duration::from_millis(1));
    let client = Client::new(hasty).expect("a client");
    let mut once = true;
    all_events(People::default(), &mut |_, event| {
        if std::mem::take(&mut once) {
            client.capture(event);
        }
    });
    eventually("the end of the retries", || client.stats().lost(LossReason::RetriesExhausted) == 1);
    assert_eq!(server.requests().len(), 11);
    // A close without a timeout drops the batch that waits for its retry.
    let server = Server::always(Reply::status(503));
    let slow = settings(&Env::empty(), &Dir::new(), &server.url());
    let client = Client::new(slow.retry_delays(LONG, LONG)).expect("a client");
    let mut once = true;
    all_events(People::default(), &mut |_, event| {
        if std::mem::take(&mut once) {
            client.capture(event);
        }
    });
    server.wait_for(1);
    client.shutdown(Duration::ZERO).expect("a shutdown");
    eventually("the loss to be counted", || client.stats().lost(LossReason::ShuttingDown) == 1);
}

struct Large(usize);

impl Event for Large {
    fn name(&self) -> &str {
        "large"
    }

    fn encode(&self, event: &mut candor::encode::Encoder<'_>) {
        event.distinct_id("usr_1");
        event.property("text", &"x".repeat(self.0));
    }
}

#[test]
fn cf_29_hardening_500_kb_a_batch_and_32_kb_a_message() {
    let server = Server::start([]);
    // Strict mode would refuse an event that is defined only in this test.
    let loose = candor::Config::new("common-fate", "0.9.0")
        .env(Env::empty())
        .consent(testkit::clients::granted())
        .endpoint(server.url())
        .protocol(candor::Protocol::Legacy)
        .batch_bytes(500_000)
        .event_bytes(32_000);
    let client = Client::new(loose).expect("a client");
    client.capture(Large(32_001));
    for _ in 0..40 {
        client.capture(Large(31_000));
    }
    client.shutdown(LONG).expect("a shutdown");
    assert_eq!((client.stats().lost(LossReason::TooLarge), client.stats().sent), (1, 40));
    let sizes: Vec<usize> = server.requests().iter().map(|request| request.body.len()).collect();
    assert!(sizes.len() > 1 && sizes.iter().all(|size| *size <= 500_000), "{sizes:?}");
}

#[test]
fn cf_30_the_page_names_who_processes_it() {
    let page = fs::read_to_string(PAGE).expect("the page");
    assert!(page.contains("| Cloudflare Workers |") && page.contains("| PostHog |"));
}

#[test]
fn cf_31_results_are_published_in_aggregate_only() {
    let page = fs::read_to_string(PAGE).expect("the page");
    assert!(page.contains("results are published in aggregate only"));
    // The edge stores only the random id of a deployment, so only aggregated results can be published.
    let edge = Edge::start(EDGE, None).expect("an edge");
    play(run, &["--dir", &deployment("").text(), "--url", &edge.url()], &Env::empty());
    let ids: BTreeSet<String> = edge.rows().into_iter().map(|row| row.distinct_id).collect();
    assert!(
        ids.iter().all(|id| id.starts_with("usr_") && id.len() == 47 || id == "$deployment_dep_123"),
        "{ids:?}"
    );
}

#[test]
fn cf_32_every_event_has_its_purpose_and_a_link() {
    for schema in CATALOGUE.events() {
        assert!(!schema.why().is_empty(), "{}", schema.name());
        assert_eq!(schema.link(), Some("https://github.com/common-fate/rfds/discussions/8"));
    }
}

#[test]
fn cf_33_hardening_the_page_says_pseudonymous() {
    for text in [fs::read_to_string(PAGE).expect("the page"), CATALOGUE.notice()] {
        assert!(text.contains("pseudonymous, not anonymous"), "{text}");
        assert!(!text.contains("untraceable") && !text.contains("completely anonymous"));
    }
}

/// The environment of a server that has a state directory: below this one.
fn with_state(dir: &Dir) -> Env {
    Env::empty().with("XDG_STATE_HOME", dir.path().join("state"))
}

/// What is on the server's disk below its state directory, as text.
fn kept(dir: &Dir) -> String {
    fn walk(dir: &std::path::Path, found: &mut String) {
        for entry in fs::read_dir(dir).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            found.push_str(&String::from_utf8_lossy(&fs::read(&path).unwrap_or_default()));
            walk(&path, found);
        }
    }
    let mut found = String::new();
    walk(&dir.path().join("state"), &mut found);
    found
}

#[test]
fn an_outage_and_two_restarts_cost_no_event() {
    let (dir, edge) = (deployment(""), Edge::start(EDGE, None).expect("an edge"));
    let day = |who: &str| {
        let ran =
            play(run, &["--dir", &dir.text(), "--url", &edge.url(), "--requester", who], &with_state(&dir));
        assert_eq!(ran.code, 0, "{}", ran.output);
        ran.output
    };
    edge.set_away(true);
    assert!(day("ada@example.com").contains("sent: 0, kept: 8, lost: 0"));
    day("usr_bob");
    assert_eq!(edge.rows().len(), 0);
    let on_disk = kept(&dir);
    assert_eq!(on_disk.matches("cf:rule.archived").count(), 2);
    // The same bytes as on the wire, with people hashed.
    assert!(!on_disk.contains("ada@example.com") && !on_disk.contains("usr_bob"), "{on_disk}");
    edge.set_away(false);
    assert!(day("usr_eve").contains("sent: 24, lost: 0"));
    assert_eq!(edge.rows().len(), 24, "each once");
    for (who, events) in [("ada@example.com", 8), ("usr_bob", 8), ("usr_eve", 8)] {
        let hashed = Hashed::new("usr", who).to_string();
        let about = edge.rows().iter().filter(|row| row.record.contains(&hashed)).count();
        assert_eq!(about + 1, events, "all but the deployment's own are about {who}");
    }
    assert_eq!(kept(&dir), "");
}

#[test]
fn a_server_that_runs_on_sends_what_an_outage_has_left() {
    let (dir, edge) = (deployment(""), Edge::start(EDGE, None).expect("an edge"));
    let hasty = settings(&with_state(&dir), &dir, &edge.url())
        .retry_delays(Duration::from_millis(1), Duration::from_millis(20));
    let client = Client::new(hasty).expect("a client");
    edge.set_away(true);
    all_events(People::default(), &mut |_, event| client.capture(event));
    eventually("the events to be kept", || client.stats().spooled == 8);
    eventually("more retries than the vendor's ten", || client.stats().requests > 12);
    edge.set_away(false);
    eventually("the events to arrive", || edge.rows().len() == 8);
    client.shutdown(LONG).expect("a shutdown");
    assert_eq!((client.stats().sent, client.stats().lost_total()), (8, 0));
}

#[test]
fn a_no_takes_what_an_outage_has_left_on_disk() {
    let (dir, edge) = (deployment(""), Edge::start(EDGE, None).expect("an edge"));
    let arguments = ["--dir", &dir.text(), "--url", &edge.url()];
    edge.set_away(true);
    play(run, &arguments, &with_state(&dir));
    edge.set_away(false);
    let (before, connections) = (kept(&dir), edge.connections());
    assert!(before.contains("cf:rule.updated"));
    // A variable is a no for this run alone, and touches nothing.
    play(run, &arguments, &with_state(&dir).with("DO_NOT_TRACK", "1"));
    assert_eq!(kept(&dir), before);
    // The deployment's no lasts.
    dir.write(FILE, "deployment:\n  parameters:\n    AnalyticsDisabled: \"true\"\n");
    play(run, &arguments, &with_state(&dir));
    assert_eq!(kept(&dir), "");
    assert!(!dir.path().join("state/common-fate/spool").exists());
    assert_eq!((edge.rows().len(), edge.connections()), (0, connections));
}

#[test]
fn the_page_and_the_notice_say_what_is_kept() {
    for text in [fs::read_to_string(PAGE).expect("the page"), CATALOGUE.notice()] {
        assert!(text.contains("kept on this machine for up to 7 days"), "{text}");
    }
}
