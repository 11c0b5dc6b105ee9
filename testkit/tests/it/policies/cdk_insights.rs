//! The promises of CDK Insights, INS-1 to INS-42.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use candor::cli::Telemetry;
use candor::testing::assert_catalogue;
use candor::wire::{Bearer, FlatRecord};
use candor::{Client, Config, DynamicEvent, Env, Histogram, Label, LossReason, Spool};
use serde_json::{Value, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::ins::app::{BUDGET, LICENSE, NOTICE, PROJECT_FILE, QUESTION, VERSION, config, run, tier_of};
use super::ins::catalogue::{CATALOGUE, EDGE};
use super::ins::events::{FixRun, Mode, Platform, Tier};
use super::ins::findings::BASELINE;
use super::{Dir, Ran, idle, play, talk};
use testkit::clients::SOON;
use testkit::systems::edge::Edge;
use testkit::{Reply, Server};

const PAGE: &str = "src/cdk_insights/TELEMETRY.md";
const ON: &str = "{\n  \"output\": \"table\",\n  \"telemetry\": {\n    \"enabled\": true\n  }\n}\n";
const KEY: &str = "TEST-LICENSE-KEY";

fn keyed() -> Env {
    Env::empty().with(LICENSE, KEY)
}

/// A project that has opted in.
fn project() -> Dir {
    Dir::with(PROJECT_FILE, ON)
}

/// The results of a run.
struct Told {
    ran: Ran,
    edge: Edge,
}

impl Told {
    fn count(&self) -> usize {
        self.edge.rows().len()
    }

    /// The only record, as it was sent.
    fn record(&self) -> Value {
        let requests = self.edge.requests();
        assert_eq!(requests.len(), 1, "{:?}", self.ran);
        requests[0].json()
    }

    fn event(&self) -> Value {
        self.record()["event"].clone()
    }
}

fn tell(dir: &Dir, env: &Env, verb: &[&str]) -> Told {
    let edge = Edge::start(EDGE, None).expect("an edge");
    let (here, url) = (dir.text(), edge.url());
    let ran = play(run, &[&["--dir", &here, "--url", &url], verb].concat(), env);
    let told = Told { ran, edge };
    assert_eq!(told.count(), told.edge.requests().len(), "the edge has refused a record");
    if told.count() == 0 {
        assert_eq!(told.edge.connections(), 0, "off means that nobody connects");
    }
    told
}

fn fixed(dir: &Dir, env: &Env) -> usize {
    tell(dir, env, &["fix"]).count()
}

/// A finding in JSON.
fn finding(rule: &str, severity: &str, kind: &str, resource: &str) -> Value {
    json!({"rule": rule, "severity": severity, "resourceType": kind, "resource": resource, "hasFix": true})
}

fn with_findings(findings: &[Value]) -> Dir {
    let dir = project();
    dir.write("findings.json", &Value::from(findings.to_vec()).to_string());
    dir
}

#[test]
fn ins_01_off_by_default() {
    assert_eq!(fixed(&Dir::new(), &keyed()), 0);
}

#[test]
fn ins_02_nothing_until_the_file_says_true() {
    let dir = Dir::with(PROJECT_FILE, "{\"output\": \"table\"}");
    assert_eq!(fixed(&dir, &keyed()), 0);
    dir.write(PROJECT_FILE, ON);
    assert_eq!(fixed(&dir, &keyed()), 1);
}

#[test]
fn ins_03_enabled_false_is_off() {
    assert_eq!(fixed(&Dir::with(PROJECT_FILE, &ON.replace("true", "false")), &keyed()), 0);
}

#[test]
fn ins_04_a_removed_block_is_off() {
    let dir = project();
    assert_eq!(fixed(&dir, &keyed()), 1);
    dir.write(PROJECT_FILE, "{\n  \"output\": \"table\"\n}\n");
    assert_eq!(fixed(&dir, &keyed()), 0);
}

#[test]
fn ins_05_no_licence_key_means_no_request() {
    for env in [Env::empty(), Env::empty().with(LICENSE, ""), Env::empty().with(LICENSE, "  ")] {
        assert_eq!(fixed(&project(), &env), 0);
    }
}

#[test]
fn ins_06_a_licence_key_alone_is_no_consent() {
    assert_eq!(fixed(&Dir::with(PROJECT_FILE, "{}"), &keyed()), 0);
}

#[test]
fn ins_07_both_together_send_and_a_free_key_suffices() {
    let told = tell(&project(), &Env::empty().with(LICENSE, "FREE-0001"), &["fix"]);
    assert_eq!((told.count(), &told.record()["tier"]), (1, &json!("free")));
}

#[test]
fn ins_08_no_machine_id_is_ever_made() {
    let (dir, home) = (project(), Dir::new());
    let env = keyed().with("HOME", home.text()).with("XDG_STATE_HOME", home.text());
    let mut records = [tell(&dir, &env, &["fix"]).record(), tell(&dir, &env, &["fix"]).record()];
    for record in &mut records {
        record.as_object_mut().expect("an object").remove("emittedAt");
    }
    assert_eq!(records[0], records[1], "nothing random is in a record");
    assert_eq!(home.names(), [""; 0]);
    assert_eq!(dir.names(), [PROJECT_FILE]);
}

#[test]
fn ins_09_the_id_is_the_first_half_of_the_keys_hash() {
    let told = tell(&project(), &keyed(), &["fix"]);
    assert_eq!(told.record()["hashedLicenseId"], "8d3e78791c4b1734e1c510a56f559f3d");
    let request = &told.edge.requests()[0];
    let wire = format!("{} {:?} {}", request.target, request.headers, String::from_utf8_lossy(&request.body));
    assert!(!wire.contains(KEY));
}

/// Runs `scan --diff` on a project with a new critical finding, against this address.
fn failing_diff(url: &str) -> Ran {
    let dir = project();
    play(run, &["--dir", &dir.text(), "--url", url, "scan", "--diff"], &keyed())
}

#[test]
fn ins_10_one_and_a_half_seconds_in_all() {
    assert_eq!(BUDGET, Duration::from_millis(1500));
    let slow = [Reply::stall(), Reply::trickle(Duration::from_millis(400)), Reply::endless(200)];
    let threads: Vec<_> = slow
        .into_iter()
        .map(|reply| {
            thread::spawn(move || {
                let server = Server::always(reply);
                let begun = Instant::now();
                let ran = failing_diff(&server.url());
                assert!(begun.elapsed() < SOON, "{:?}", begun.elapsed());
                assert_eq!((ran.code, server.begun()), (1, 1));
            })
        })
        .collect();
    for thread in threads {
        thread.join().expect("a run within its time");
    }
}

/// An address where nobody listens.
fn refused() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    format!("http://{}", listener.local_addr().expect("the port"))
}

#[test]
fn ins_11_the_exit_code_is_the_commands_own() {
    let off = tell(&Dir::new(), &keyed(), &["scan", "--diff"]).ran;
    assert_eq!(off.code, 1, "a new critical finding");
    let status = |status| Server::always(Reply::status(status));
    let servers = [
        status(200),
        status(204),
        status(400),
        status(401),
        status(404),
        status(429),
        status(500),
        status(503),
    ];
    let odd = [
        Server::always(Reply::garbage()),
        Server::always(Reply::reset_before_body()),
        Server::always(Reply::reset_after_body()),
        Server::always(Reply::half(200)),
        Server::always(Reply::status(302).header("location", "http://127.0.0.1:1/")),
    ];
    let mut urls: Vec<String> = servers.iter().chain(&odd).map(Server::url).collect();
    // TLS with a server that does not speak it.
    urls.push(servers[0].url().replace("http://", "https://"));
    urls.push(refused());
    for url in urls {
        assert_eq!(failing_diff(&url).code, 1, "{url}");
        let fix = play(run, &["--dir", &project().text(), "--url", &url, "fix"], &keyed());
        assert_eq!(fix.code, 0, "{url}");
    }
}

#[test]
fn ins_12_a_network_that_is_down_is_not_spoken_of() {
    let dir = project();
    let ran = play(run, &["--dir", &dir.text(), "--url", &refused(), "fix"], &keyed());
    assert_eq!((ran.code, ran.errors.as_str()), (0, ""));
    assert!(ran.output.contains("sent: 0, lost: 1"), "{}", ran.output);
    assert_eq!(dir.names(), [PROJECT_FILE], "nothing is kept for later");
    let server = Server::always(Reply::reset_after_body());
    play(run, &["--dir", &dir.text(), "--url", &server.url(), "fix"], &keyed());
    assert_eq!(server.begun(), 1, "nothing is tried again");
}

#[test]
fn ins_13_init_asks_only_where_somebody_is_there() {
    let dir = Dir::with(PROJECT_FILE, "{}");
    let alone = play(run, &["--dir", &dir.text(), "init"], &keyed());
    assert!(!alone.output.contains("telemetry?"), "{}", alone.output);
    let asked = talk(run, &["--dir", &dir.text(), "init"], &keyed(), "n\n");
    assert!(asked.output.contains(QUESTION));
}

#[test]
fn ins_14_the_question_comes_after_the_licence_key() {
    let asked = talk(run, &["--dir", &Dir::new().text(), "init"], &keyed(), "\n").output;
    let (license, question) = (asked.find("licence key"), asked.find(QUESTION));
    assert!(license.is_some() && license < question, "{asked}");
}

#[test]
fn ins_15_the_question_holds_the_published_words() {
    let asked = talk(run, &["--dir", &Dir::new().text(), "init"], &keyed(), "\n").output;
    assert!(asked.contains(NOTICE));
    for words in [
        "Anonymous Telemetry",
        "Sending aggregate counts (severities, rule histograms, fix activity) helps us",
        "prioritise rules and improve auto-fix coverage. The license ID is sha256-hashed",
        "before transmission. No resource names, file paths, or code ever leave the machine.",
        "Enable telemetry? (y/N):",
    ] {
        assert!(asked.contains(words), "{words}");
    }
}

/// Answers the question, and returns the setting that the file then has.
fn answered(typed: &str) -> Value {
    let dir = Dir::new();
    assert_eq!(talk(run, &["--dir", &dir.text(), "init"], &keyed(), typed).code, 0);
    let file: Value = serde_json::from_str(&dir.read(PROJECT_FILE)).expect("JSON");
    assert_eq!(fixed(&dir, &keyed()), usize::from(file["telemetry"]["enabled"] == true));
    file
}

#[test]
fn ins_16_enter_declines() {
    for typed in ["\n", "", "n\n", "no\n", "maybe\n", "yy\n", "\u{0}y\n"] {
        assert_eq!(answered(typed), json!({"telemetry": {"enabled": false}}), "{typed:?}");
    }
}

#[test]
fn ins_17_the_answer_is_written_yes_and_no() {
    assert_eq!(answered("y\n"), json!({"telemetry": {"enabled": true}}));
    assert_eq!(answered("Yes\n"), json!({"telemetry": {"enabled": true}}));
    assert_eq!(answered("n\n"), json!({"telemetry": {"enabled": false}}));
}

#[test]
fn ins_18_hardening_the_rest_of_the_file_stays() {
    let before = "{\n\t\"failOnCritical\" : true,\n\t\"output\": \"table\",\n\n\t\"rules\": [1,  2]\n}\n";
    let dir = Dir::with(PROJECT_FILE, before);
    talk(run, &["--dir", &dir.text(), "init"], &keyed(), "y\n");
    let expected = before.replace("2]\n", "2],\n\t\"telemetry\": {\n\t\t\"enabled\": true\n\t}\n");
    assert_eq!(dir.read(PROJECT_FILE), expected);
    talk(run, &["--dir", &dir.text(), "init"], &keyed(), "n\n");
    assert_eq!(dir.read(PROJECT_FILE), expected.replace("\"enabled\": true", "\"enabled\": false"));
}

#[test]
fn ins_19_an_edit_counts_from_the_next_run() {
    let dir = project();
    for (enabled, sent) in [("false", 0), ("true", 1), ("false", 0), ("true", 1)] {
        dir.write(PROJECT_FILE, &ON.replace("true", enabled));
        assert_eq!(fixed(&dir, &keyed()), sent);
    }
}

#[test]
fn ins_20_hardening_the_file_can_be_committed() {
    let dir = Dir::new();
    talk(run, &["--dir", &dir.text(), "init"], &keyed(), "y\n");
    assert_eq!(dir.read(PROJECT_FILE), "{\n  \"telemetry\": {\n    \"enabled\": true\n  }\n}\n");
}

fn keys(object: &Value) -> BTreeSet<&str> {
    object.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn ins_21_exactly_six_fields() {
    let six = BTreeSet::from(["hashedLicenseId", "tier", "cliVersion", "platform", "emittedAt", "event"]);
    for verb in [&["fix"][..], &["scan", "--diff"], &["scan", "--write-baseline"]] {
        assert_eq!(keys(&tell(&project(), &keyed(), verb).record()), six, "{verb:?}");
    }
}

#[test]
fn ins_22_the_tier_is_one_of_four() {
    for (key, tier) in
        [("FREE-1", "free"), ("PRO-1", "pro"), ("TEAM-1", "team"), ("TRIAL-1", "trial"), ("x", "free")]
    {
        let told = tell(&project(), &Env::empty().with(LICENSE, key), &["fix"]);
        assert_eq!(told.record()["tier"], tier, "{key}");
    }
    assert_eq!(tier_of(""), Tier::Free);
}

#[test]
fn ins_23_the_version_has_no_v() {
    assert_eq!(tell(&project(), &keyed(), &["fix"]).record()["cliVersion"], "1.24.0");
}

#[test]
fn ins_24_the_platform_has_its_name_in_node() {
    for (rust, node) in
        [("macos", Some("darwin")), ("linux", Some("linux")), ("windows", Some("win32")), ("haiku", None)]
    {
        assert_eq!(Platform::of(rust).as_ref().map(Label::label), node);
    }
    let here = Platform::of(std::env::consts::OS).expect("a platform of the list");
    assert_eq!(tell(&project(), &keyed(), &["fix"]).record()["platform"], here.label());
}

#[test]
fn ins_25_emitted_at_is_the_time_of_sending() {
    let before = OffsetDateTime::now_utc() - time::Duration::milliseconds(1);
    let record = tell(&project(), &keyed(), &["fix"]).record();
    let at = record["emittedAt"].as_str().expect("a text");
    let at = OffsetDateTime::parse(at, &Rfc3339).expect("ISO 8601");
    assert!(at >= before && at <= OffsetDateTime::now_utc(), "{at}");
}

#[test]
fn ins_26_baseline_written_after_it_was() {
    let dir = with_findings(&[
        finding("AwsSolutions-S10", "HIGH", "AWS::S3::Bucket", "a"),
        finding("AwsSolutions-S10", "LOW", "AWS::S3::Bucket", "b"),
        finding("CDKI-S3-ENCRYPTION", "CRITICAL", "AWS::SQS::Queue", "c"),
    ]);
    let event = tell(&dir, &keyed(), &["scan", "--writeBaseline"]).event();
    assert_eq!(
        event,
        json!({
            "type": "baseline_written",
            "totalFindings": 3,
            "severityCounts": {"CRITICAL": 1, "HIGH": 1, "MEDIUM": 0, "LOW": 1},
            "ruleHistogram": {"AwsSolutions-S10": 2, "CDKI-S3-ENCRYPTION": 1},
            "uniqueServices": 2,
        })
    );
    // A baseline that could not be written is not reported.
    let dir = project();
    std::fs::create_dir(dir.path().join(BASELINE)).expect("a directory in its place");
    let told = tell(&dir, &keyed(), &["scan", "--write-baseline"]);
    assert_eq!((told.ran.code, told.count()), (1, 0));
}

#[test]
fn ins_27_diff_run_whatever_the_exit_code() {
    let findings = [finding("CDKI-A", "LOW", "AWS::S3::Bucket", "a")];
    let dir = with_findings(&findings);
    let expected = |new: u64, known: u64| {
        json!({
            "type": "diff_run", "newFindings": new, "existingSuppressed": known,
            "newSeverities": {"CRITICAL": 0, "HIGH": 0, "MEDIUM": 0, "LOW": new},
            "failedOnCritical": false,
        })
    };
    // Without a baseline its time is left out instead of null.
    assert_eq!(tell(&dir, &keyed(), &["scan", "--diff"]).event(), expected(1, 0));
    tell(&dir, &keyed(), &["scan", "--write-baseline"]);
    let mut event = tell(&dir, &keyed(), &["scan", "--diff"]).event();
    let at = event.as_object_mut().expect("an object").remove("baselineGeneratedAt").expect("its time");
    assert!(OffsetDateTime::parse(at.as_str().expect("a text"), &Rfc3339).is_ok(), "{at}");
    assert_eq!(event, expected(0, 1));
    let failing = with_findings(&[finding("CDKI-A", "CRITICAL", "AWS::S3::Bucket", "a")]);
    let told = tell(&failing, &keyed(), &["scan", "--diff"]);
    assert_eq!((told.ran.code, told.count()), (1, 1));
}

#[test]
fn ins_28_failed_on_critical_is_exit_code_one() {
    for (severity, fails, code) in
        [("CRITICAL", true, 1), ("CRITICAL", false, 0), ("HIGH", true, 0), ("LOW", false, 0)]
    {
        let dir = with_findings(&[finding("CDKI-A", severity, "AWS::S3::Bucket", "a")]);
        dir.write(PROJECT_FILE, &ON.replacen('{', &format!("{{ \"failOnCritical\": {fails},"), 1));
        let told = tell(&dir, &keyed(), &["scan", "--diff"]);
        assert_eq!(told.ran.code, code, "{severity} {fails}");
        assert_eq!(told.event()["failedOnCritical"], json!(code == 1));
    }
}

#[test]
fn ins_29_fix_run_dry_or_applied() {
    let mut unfixable = finding("CDKI-B", "LOW", "AWS::S3::Bucket", "b");
    unfixable["hasFix"] = json!(false);
    let dir = with_findings(&[finding("CDKI-A", "LOW", "AWS::S3::Bucket", "a"), unfixable]);
    let expected = |mode: &str| {
        json!({
            "type": "fix_run", "mode": mode, "applied": 1, "skipped": 1, "errored": 0, "rulesFixed": {"CDKI-A": 1},
        })
    };
    assert_eq!(tell(&dir, &keyed(), &["fix"]).event(), expected("dry-run"));
    assert_eq!(tell(&dir, &keyed(), &["fix", "--apply"]).event(), expected("apply"));
    let filtered = tell(&dir, &keyed(), &["fix", "--rule", "CDKI-A"]).event();
    assert_eq!((&filtered["ruleFilter"], &filtered["skipped"]), (&json!("CDKI-A"), &json!(0)));
}

/// The example's settings.
fn settings(dir: &Dir, env: Env, url: &str) -> Config {
    idle(env, |program| config(program, dir.path(), url, Platform::Linux))
}

/// A client with the example's settings.
fn client(dir: &Dir, url: &str, change: impl FnOnce(Config) -> Config) -> Client {
    Client::new(change(settings(dir, keyed(), url))).expect("a client")
}

#[test]
fn a_spool_cannot_be_switched_on_by_accident() {
    let dir = project();
    for spool in [Spool::cli(), Spool::server().each_event()] {
        let config = settings(&dir, keyed(), "http://127.0.0.1:9").spool(spool);
        let refused = Client::new(config).unwrap_err().to_string();
        assert!(refused.contains("spool") && refused.contains("max_retries(0)"), "{refused}");
    }
    assert_eq!(dir.names(), [PROJECT_FILE]);
}

/// Captures an event through the command-line kit while the network is down. Returns whether telemetry was on, and what
/// the user's home holds then.
fn through_the_kit(change: impl FnOnce(Config) -> Config) -> (bool, Vec<String>) {
    let (dir, home) = (project(), Dir::new());
    let env = keyed().with("HOME", home.text()).with("XDG_STATE_HOME", home.text());
    let telemetry = Telemetry::new(change(settings(&dir, env, &refused()))).own_client();
    let is_on = telemetry.client().is_enabled();
    telemetry.client().capture(FixRun {
        hashed_license_id: KEY,
        mode: Mode::Apply,
        applied: 1,
        skipped: 0,
        errored: 0,
        rules_fixed: Histogram::default(),
        rule_filter: None,
    });
    drop(telemetry);
    assert_eq!(dir.names(), [PROJECT_FILE]);
    (is_on, home.names())
}

#[test]
fn the_kit_keeps_nothing_on_the_machine() {
    let nothing = Vec::<String>::new();
    assert_eq!(through_the_kit(|config| config), (true, nothing.clone()));
    // A line in the catalogue does not switch the spool on. One in the settings switches telemetry off instead.
    let told = |config: Config| config.catalogue(CATALOGUE.kept_on_disk());
    assert_eq!(through_the_kit(told), (true, nothing.clone()));
    assert_eq!(through_the_kit(|config| told(config).spool(Spool::cli())), (false, nothing));
    // Only words that nobody writes by accident do, which shows that the test looks in the right place.
    let kept = |config: Config| config.spool(Spool::cli().at_most_once());
    assert_eq!(through_the_kit(kept), (true, vec!["cdk-insights".to_owned()]));
}

#[test]
fn the_verbs_explain_and_send_nothing() {
    let (dir, home, edge) = (project(), Dir::new(), Edge::start(EDGE, None).expect("an edge"));
    let env = keyed().with("HOME", home.text()).with("XDG_STATE_HOME", home.text());
    let (here, url) = (dir.text(), edge.url());
    let verb =
        |verb: &[&str]| play(run, &[&["--dir", &here, "--url", &url, "telemetry"], verb].concat(), &env);
    let status = verb(&["status", "--exit-code"]);
    assert_eq!((status.code, status.errors.as_str()), (0, ""), "{}", status.output);
    assert!(status.output.starts_with("Telemetry is on"), "{}", status.output);
    assert!(verb(&["show"]).output.contains("baseline_written"));
    assert!(verb(&["log"]).output.contains("does not keep a log"));
    assert_eq!(home.names(), [""; 0]);
    // The user's refusal counts beside the project's yes, and the user can take it back.
    assert_eq!((verb(&["off"]).code, fixed(&dir, &env)), (0, 0));
    assert_eq!((verb(&["on"]).code, fixed(&dir, &env)), (0, 1));
    assert_eq!((verb(&["nonsense"]).code, edge.connections()), (2, 0));
    assert_eq!(dir.read(PROJECT_FILE), ON);
}

#[test]
fn ins_30_there_is_no_fourth_event() {
    let names: Vec<&str> = CATALOGUE.events().iter().map(|schema| schema.name()).collect();
    assert_eq!(names, ["baseline_written", "diff_run", "fix_run"]);
    let edge = Edge::start(EDGE, None).expect("an edge");
    let dir = project();
    let client = client(&dir, &edge.url(), |config| config);
    client.capture(DynamicEvent::new("login", "someone"));
    assert_eq!(client.stats().lost(LossReason::Undeclared), 1);
    client.shutdown(SOON).expect("a shutdown");
    assert_eq!(edge.connections(), 0);
}

#[test]
fn ins_31_hardening_only_names_of_rules_leave() {
    let secret = "arn:aws:s3:::customer";
    let dir = with_findings(&[
        finding("CDKI-A", "LOW", "AWS::S3::Bucket", "a"),
        finding("acme-custom", "LOW", "AWS::S3::Bucket", "b"),
        finding(secret, "LOW", "AWS::S3::Bucket", "c"),
        finding(&format!("CDKI-{}", "A".repeat(80)), "LOW", "AWS::S3::Bucket", "d"),
    ]);
    let event = tell(&dir, &keyed(), &["scan", "--write-baseline"]).event();
    assert_eq!(event["ruleHistogram"], json!({"CDKI-A": 1}));
    for filter in [secret, "../../etc/passwd", "AwsSolutions-s10", "CDKI-A; rm -rf"] {
        assert_eq!(
            tell(&dir, &keyed(), &["fix", "--rule", filter]).event().get("ruleFilter"),
            None,
            "{filter}"
        );
    }
}

// INS-32 is in `canary`.

#[test]
fn ins_33_no_address_but_the_gateways() {
    let told = tell(&project(), &keyed(), &["fix"]);
    assert!(!told.record().to_string().contains("ip\":"));
    let row = &told.edge.rows()[0];
    assert_eq!((&row.ip, &row.country), (&None, &None));
}

#[test]
fn ins_34_sensitive_findings_are_left_out_before() {
    let mut secret = finding("CDKI-HARDCODED-SECRET", "CRITICAL", "AWS::Lambda::Function", "lib/pay.ts:3");
    secret["isSensitive"] = json!(true);
    let dir = with_findings(&[secret, finding("CDKI-A", "LOW", "AWS::S3::Bucket", "a")]);
    let event = tell(&dir, &keyed(), &["scan", "--write-baseline"]).event();
    assert_eq!((&event["totalFindings"], &event["uniqueServices"]), (&json!(1), &json!(1)));
    assert_eq!(event["ruleHistogram"], json!({"CDKI-A": 1}));
}

#[test]
fn ins_35_nobody_has_to_sign_in() {
    let told = tell(&project(), &keyed(), &["fix"]);
    let request = &told.edge.requests()[0];
    for header in ["authorization", "cookie", "x-api-key", "proxy-authorization"] {
        assert_eq!(request.header(header), None, "{header}");
    }
    assert_eq!((request.method.as_str(), told.count()), ("POST", 1));
}

/// Returns the texts in a value, without names.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::String(text) => vec![text.clone()],
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(members) => members.values().flat_map(texts).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn ins_36_the_hash_is_the_only_identifier() {
    let record = |key: &str| tell(&project(), &Env::empty().with(LICENSE, key), &["fix"]).record();
    let (mut one, mut other) = (record("FREE-1"), record("FREE-2"));
    assert_ne!(one["hashedLicenseId"], other["hashedLicenseId"]);
    for record in [&mut one, &mut other] {
        let record = record.as_object_mut().expect("an object");
        record.remove("hashedLicenseId");
        record.remove("emittedAt");
    }
    assert_eq!(one, other, "nothing else tells customers apart");
    let platform = Platform::of(std::env::consts::OS).expect("a platform").label().to_owned();
    let known = ["free".to_owned(), VERSION.to_owned(), platform, "fix_run".to_owned(), "dry-run".to_owned()];
    assert!(texts(&one).iter().all(|text| known.contains(text)), "{one}");
}

#[test]
fn ins_37_records_are_deleted_after_365_days() {
    let told = tell(&project(), &keyed(), &["fix"]);
    let row = &told.edge.rows()[0];
    let parse = |text: &str| OffsetDateTime::parse(text, &Rfc3339).expect("a time");
    let emitted = parse(told.record()["emittedAt"].as_str().expect("a text"));
    assert_eq!((parse(&row.at), parse(&row.expires_at)), (emitted, emitted + time::Duration::days(365)));
    let store = told.edge.store();
    assert_eq!(store.expire(emitted + time::Duration::days(364)), Ok(0));
    assert_eq!(store.expire(emitted + time::Duration::days(366)), Ok(1));
    assert!(store.rows().expect("rows").is_empty());
}

#[test]
fn ins_38_the_whole_path_can_be_audited_in_one_place() {
    assert_catalogue(PAGE, &CATALOGUE);
    let sources = [
        ("app.rs", include_str!("../../../src/cdk_insights/app.rs")),
        ("events.rs", include_str!("../../../src/cdk_insights/events.rs")),
        ("findings.rs", include_str!("../../../src/cdk_insights/findings.rs")),
        ("catalogue.rs", include_str!("../../../src/cdk_insights/catalogue.rs")),
    ];
    let captures: Vec<_> = sources.iter().filter(|(_, text)| text.contains(".capture(")).collect();
    assert_eq!((captures.len(), captures[0].0), (1, "app.rs"));
    assert_eq!(captures[0].1.matches(".capture(").count(), 1);
    let events: Vec<_> = sources.iter().filter(|(_, text)| text.contains("#[derive(Event)]")).collect();
    assert_eq!((events.len(), events[0].0), (1, "events.rs"));
}

#[test]
fn ins_39_fix_needs_no_login() {
    let told = tell(&project(), &keyed(), &["fix"]);
    assert_eq!((told.ran.code, told.count()), (0, 1));
}

#[test]
fn ins_40_what_is_counted() {
    let a = finding("CDKI-A", "HIGH", "AWS::S3::Bucket", "a");
    let b = finding("CDKI-B", "LOW", "AWS::S3::Bucket", "b");
    let dir = with_findings(&[a.clone(), b.clone(), a.clone()]);
    let written = tell(&dir, &keyed(), &["scan", "--write-baseline"]).event();
    assert_eq!(written["totalFindings"], 2, "fingerprints, not findings");
    assert_eq!(written["uniqueServices"], 1);
    let c = finding("CDKI-C", "LOW", "AWS::DynamoDB::Table", "c");
    dir.write("findings.json", &json!([a, c, b]).to_string());
    let diff = tell(&dir, &keyed(), &["scan", "--diff"]).event();
    assert_eq!((&diff["newFindings"], &diff["existingSuppressed"]), (&json!(1), &json!(2)));
}

#[test]
fn ins_41_a_token_can_come_later_without_touching_events() {
    let edge = Edge::start(EDGE, None).expect("an edge");
    let record = || {
        FlatRecord::new(EDGE.path)
            .distinct_id("hashedLicenseId")
            .root("tier")
            .root("cliVersion")
            .root("platform")
            .nested("event", "type")
            .sent_at("emittedAt")
    };
    let bearer = Bearer::new("jwt.of.later", record()).expect("a token");
    for client in [
        client(&project(), &edge.url(), |config| config.envelope(record())),
        client(&project(), &edge.url(), |config| config.envelope(bearer)),
    ] {
        client.capture(fix_run());
        client.shutdown(SOON).expect("a shutdown");
    }
    let requests = edge.requests();
    let headers: Vec<_> = requests.iter().map(|request| request.header("authorization")).collect();
    assert_eq!(headers, [None, Some("Bearer jwt.of.later")]);
    let bodies = requests.iter().map(|request| request.json()["event"].clone()).collect::<Vec<_>>();
    assert_eq!(bodies[0], bodies[1]);
    let page = std::fs::read_to_string(PAGE).expect("the page");
    assert!(page.contains("Totals that are kept longer cannot be traced to a run."));
}

fn fix_run() -> super::ins::events::FixRun<'static> {
    super::ins::events::FixRun {
        hashed_license_id: KEY,
        mode: super::ins::events::Mode::Apply,
        applied: 1,
        skipped: 0,
        errored: 0,
        rules_fixed: candor::Histogram::new(),
        rule_filter: None,
    }
}

#[test]
fn ins_42_hardening_silence_and_machines_stay_off() {
    let dir = Dir::new();
    play(run, &["--dir", &dir.text(), "init"], &keyed());
    assert_eq!(dir.names(), [""; 0]);
    assert_eq!(fixed(&dir, &keyed()), 0);
    for (name, value) in [("DO_NOT_TRACK", "1"), ("CDK_INSIGHTS_TELEMETRY", "0"), ("DO_NOT_TRACK", "?")] {
        assert_eq!(fixed(&project(), &keyed().with(name, value)), 0, "{name}={value}");
    }
    // In continuous integration a committed opt-in counts, and the lack of one does not.
    let ci = keyed().with("CI", "true");
    assert_eq!((fixed(&Dir::with(PROJECT_FILE, "{}"), &ci), fixed(&project(), &ci)), (0, 1));
}
