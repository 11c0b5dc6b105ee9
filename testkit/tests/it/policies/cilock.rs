//! The promises of cilock, CK-1 to CK-34. CK-35 to CK-43 are about web sites.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Stdio;
use std::time::Duration;

use candor::cli::{CommandRun, Finished, Outcome, Telemetry};
use candor::consent::CiProvider;
use candor::schema::Labels;
use candor::testing::assert_catalogue;
use candor::{Client, Config, Env, Label, LossReason, Spool};
use serde_json::{Value, json};

use super::ck::app::{TOOLCHAIN, VERSION, config, is_private, record, run};
use super::ck::catalogue::{CATALOGUE, EDGE};
use super::ck::events::{Arch, Attestor, Ci, ErrorCategory, Os, SignerType};
use super::ck::session::{Session, now};
use super::{Dir, Ran, idle, play};
use testkit::clients::LONG;
use testkit::example;
use testkit::systems::edge::{Edge, Row};
use testkit::systems::program::Options;
use testkit::{Received, Reply, Server};

const PAGE: &str = "src/cilock/TELEMETRY.md";
const TOKEN: &str = "tsp_0123456789abcdef";

/// A session that has just begun.
fn session() -> Session {
    Session::new(TOKEN.to_owned(), now())
}

fn signed_in(session: &Session) -> Dir {
    let dir = Dir::new();
    session.write(dir.path()).expect("a session on disk");
    dir
}

/// The results of a run.
struct Told {
    ran: Ran,
    edge: Edge,
}

impl Told {
    fn rows(&self) -> Vec<Row> {
        self.edge.rows()
    }

    /// The only record, as it was sent.
    fn record(&self) -> Value {
        let requests = self.edge.requests();
        assert_eq!((requests.len(), self.rows().len()), (1, 1), "{:?}", self.ran);
        requests[0].json()
    }
}

/// Runs a verb against an edge that knows the token.
fn tell_in(dir: &Dir, env: &Env, verb: &[&str]) -> Told {
    let edge = Edge::start(EDGE, None).expect("an edge");
    edge.store().issue(TOKEN, "tenant_7f3a").expect("a token");
    let (here, url) = (dir.text(), edge.url());
    let ran = play(run, &[&["--dir", &here, "--url", &url], verb].concat(), env);
    Told { ran, edge }
}

fn tell(verb: &[&str]) -> Told {
    tell_in(&signed_in(&session()), &Env::empty(), verb)
}

/// Returns whether a run with this directory and environment connects to the edge.
fn connects(dir: &Dir, env: &Env) -> bool {
    let told = tell_in(dir, env, &["run"]);
    assert_eq!(told.ran.code, 0);
    told.edge.connections() > 0
}

fn keys(object: &Value) -> BTreeSet<&str> {
    object.as_object().expect("an object").keys().map(String::as_str).collect()
}

#[test]
fn ck_01_posts_to_cli_t_with_the_token() {
    let told = tell(&["run"]);
    let request = &told.edge.requests()[0];
    assert_eq!((request.method.as_str(), request.target.as_str()), ("POST", "/cli/t"));
    assert_eq!(request.header("authorization"), Some(&*format!("Bearer {TOKEN}")));
}

#[test]
fn ck_01_hardening_the_token_travels_encrypted_or_not_at_all() {
    for url in
        ["https://platform.example.com", "http://127.0.0.1:8080/x", "http://[::1]:80/", "http://localhost"]
    {
        assert!(is_private(url), "{url}");
    }
    for url in [
        "http://platform.example.com",
        "http://127.0.0.1.example.com",
        "http://localhost.evil",
        "http://[2001:db8::1]",
        "http://user@platform.example.com",
        "ftp://x",
        "",
    ] {
        assert!(!is_private(url), "{url}");
        let ran = play(run, &["--dir", &signed_in(&session()).text(), "--url", url, "run"], &Env::empty());
        assert!(ran.output.contains("denied, decided by preconditions (endpoint: not set"), "{}", ran.output);
    }
}

#[test]
fn ck_02_the_edge_refuses_the_anonymous() {
    let edge = Edge::start(EDGE, None).expect("an edge");
    edge.store().issue("another", "tenant_7f3a").expect("a token");
    let dir = signed_in(&session());
    let ran = play(run, &["--dir", &dir.text(), "--url", &edge.url(), "run"], &Env::empty());
    assert!(ran.output.contains("sent: 0, lost: 1"), "{}", ran.output);
    assert_eq!((ran.code, edge.requests().len(), edge.rows().len()), (0, 1, 0));
    // A token of one account is not valid for another.
    edge.store().issue(TOKEN, "tenant_other").expect("a token");
    play(run, &["--dir", &dir.text(), "--url", &edge.url(), "run"], &Env::empty());
    assert_eq!((edge.requests().len(), edge.rows().len()), (2, 0));
}

#[test]
fn ck_03_no_session_no_request() {
    assert!(!connects(&Dir::new(), &Env::empty()));
    assert!(connects(&signed_in(&session()), &Env::empty()));
}

#[test]
fn ck_04_one_record_for_each_run_that_ended() {
    for (verb, code) in [
        (&["run"][..], 0),
        (&["sign", "--key", "k"], 0),
        (&["sign"], 0),
        (&["sign", "--key", "k", "--kms", "k"], 1),
        (&["verify"], 0),
        (&["verify", "--fail"], 1),
        (&["nonsense"], 1),
    ] {
        let told = tell(verb);
        assert_eq!((told.ran.code, told.rows().len()), (code, 1), "{verb:?}");
    }
    // A run that panics has also ended.
    let edge = Edge::start(EDGE, None).expect("an edge");
    edge.store().issue(TOKEN, "tenant_7f3a").expect("a token");
    let (dir, url) = (signed_in(&session()), edge.url());
    let arguments = ["--dir", &dir.text(), "--url", &url, "run", "--panic"];
    assert!(catch_unwind(AssertUnwindSafe(|| play(run, &arguments, &Env::empty()))).is_err());
    let rows = edge.rows();
    assert_eq!(rows.len(), 1);
    assert!(rows[0].record.contains("\"error_category\":\"internal\""), "{}", rows[0].record);
}

#[test]
fn ck_04_no_record_at_the_start_and_none_of_a_run_that_is_killed() {
    let server = Server::start([]);
    let dir = signed_in(&session());
    let start = || {
        let mut command = example("cilock");
        command.env_clear().args(["--dir", &dir.text(), "--url", &server.url(), "run", "--wait"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("a process");
        let mut line = String::new();
        let output = child.stdout.as_mut().expect("its output");
        BufReader::new(output).read_line(&mut line).expect("its first line");
        assert!(line.starts_with("telemetry: granted"), "{line}");
        child
    };
    let mut killed = start();
    killed.kill().expect("an end");
    killed.wait().expect("its end");
    assert_eq!(server.connections(), 0);
    let mut ended = start();
    assert_eq!(server.connections(), 0, "the run has only begun");
    drop(ended.stdin.take());
    ended.wait().expect("its end");
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn ck_05_exactly_these_fields() {
    let always = BTreeSet::from([
        "ts",
        "account",
        "run_id",
        "cli_version",
        "os",
        "arch",
        "go_version",
        "command",
        "attestors",
        "ci",
        "ci_provider",
        "outcome",
        "duration_ms",
        "user_ref",
    ]);
    assert_eq!(keys(&tell(&["run"]).record()), always);
    let mut all = always;
    all.extend(["signer_type", "error_category"]);
    let told = tell(&["verify", "--fail", "--key", "k"]);
    assert_eq!(keys(&told.record()), all);
    let declared =
        CATALOGUE.events()[0].fields().iter().map(candor::schema::FieldSchema::name).collect::<BTreeSet<_>>();
    assert_eq!(declared, all);
    let row = &told.rows()[0];
    assert_eq!((row.ip.as_deref(), row.country.as_deref()), (Some("127.0.0.1"), Some("ZZ")));
    assert_eq!(serde_json::from_str::<Value>(&row.record).expect("JSON"), told.record());
}

#[test]
fn ck_06_ts_is_the_end_in_milliseconds() {
    let before = now() * 1000;
    let ts = tell(&["run"]).record()["ts"].as_u64().expect("a whole number");
    assert!(ts >= before && ts < (now() + 1) * 1000, "{ts}");
}

#[test]
fn ck_07_the_account_is_the_sessions() {
    let session = Session { account: "tenant_other".to_owned(), ..session() };
    let edge = Edge::start(EDGE, None).expect("an edge");
    edge.store().issue(TOKEN, "tenant_other").expect("a token");
    play(run, &["--dir", &signed_in(&session).text(), "--url", &edge.url(), "run"], &Env::empty());
    assert_eq!(edge.rows()[0].distinct_id, "tenant_other");
    assert_eq!(edge.requests()[0].json()["account"], "tenant_other");
}

#[test]
fn ck_08_user_ref_is_opaque_or_absent() {
    assert_eq!(tell(&["run"]).record()["user_ref"], "u_51c09d");
    let with = |user_ref: Option<&str>| {
        let session = Session { user_ref: user_ref.map(str::to_owned), ..session() };
        tell_in(&signed_in(&session), &Env::empty(), &["run"]).record()
    };
    assert!(!keys(&with(None)).contains("user_ref"));
    for name in ["ada@example.com", "Ada Lovelace", "a b", &"u".repeat(65)] {
        assert!(!keys(&with(Some(name))).contains("user_ref"), "{name}");
    }
}

#[test]
fn ck_09_run_id_lives_for_one_run() {
    let dir = signed_in(&session());
    let id = |told: &Told| told.record()["run_id"].as_str().expect("a text").to_owned();
    let (one, two) = (tell_in(&dir, &Env::empty(), &["run"]), tell_in(&dir, &Env::empty(), &["run"]));
    assert_ne!(id(&one), id(&two));
    assert_eq!(id(&one).len(), 36);
    assert_eq!(dir.names(), ["session.json"]);
    assert!(!dir.read("session.json").contains(&id(&two)));
}

#[test]
fn ck_10_the_version_has_a_v() {
    assert_eq!((VERSION, &tell(&["run"]).record()["cli_version"]), ("v0.4.1", &json!("v0.4.1")));
}

#[test]
fn ck_11_os_and_arch_have_their_names_in_go() {
    for (rust, go) in [
        ("linux", "linux"),
        ("macos", "darwin"),
        ("windows", "windows"),
        ("freebsd", "freebsd"),
        ("haiku", "other"),
    ] {
        assert_eq!(Os::of(rust).label(), go);
    }
    for (rust, go) in
        [("x86_64", "amd64"), ("aarch64", "arm64"), ("x86", "386"), ("arm", "arm"), ("powerpc", "other")]
    {
        assert_eq!(Arch::of(rust).label(), go);
    }
    let record = tell(&["run"]).record();
    assert_eq!(record["os"], Os::of(std::env::consts::OS).label());
    assert_eq!(record["arch"], Arch::of(std::env::consts::ARCH).label());
}

#[test]
fn ck_12_the_toolchain_stands_under_gos_key() {
    assert_eq!(tell(&["run"]).record()["go_version"], TOOLCHAIN);
    assert!(TOOLCHAIN.starts_with("rust1."), "{TOOLCHAIN}");
}

#[test]
fn ck_13_the_verb_without_its_arguments() {
    for (arguments, command) in [
        (&["sign", "--key", "secret", "customer.tar"][..], "sign"),
        (&["run", "--", "make", "release"], "run"),
        (&["verify", "artifact.tar"], "verify"),
        (&["deploy", "customer-portal"], "other"),
        (&["SIGN"], "other"),
    ] {
        let record = tell(arguments).record();
        assert_eq!(record["command"], command);
        for argument in &arguments[1..] {
            assert!(!record.to_string().contains(*argument), "{argument}");
        }
    }
}

#[test]
fn ck_14_attestors_by_their_registered_names() {
    let told = tell(&[
        "run",
        "--attestor",
        "git",
        "--attestor",
        "commandrun",
        "--attestor",
        "acme-internal",
        "--attestor",
        "sbom",
    ]);
    assert_eq!(told.record()["attestors"], json!(["git", "commandrun", "sbom"]));
    assert_eq!(tell(&["run"]).record()["attestors"], json!([]));
    let words = words(Attestor::LABELS);
    assert!(["git", "commandrun", "sbom"].iter().all(|name| words.contains(*name)), "{words:?}");
}

fn words(labels: Labels) -> BTreeSet<String> {
    match labels {
        Labels::Closed { words, .. } => words.iter().map(|word| word.name.to_owned()).collect(),
        _ => BTreeSet::new(),
    }
}

fn set(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[test]
fn ck_15_the_signers_kind() {
    assert_eq!(words(SignerType::LABELS), set(&["fulcio", "kms", "file", "spiffe"]));
    for (flag, kind) in [("--fulcio", "fulcio"), ("--kms", "kms"), ("--key", "file"), ("--spiffe", "spiffe")]
    {
        assert_eq!(tell(&["sign", flag, "value"]).record()["signer_type"], kind);
    }
    assert_eq!(tell(&["sign"]).record()["signer_type"], "fulcio");
    assert_eq!(tell(&["verify"]).record().get("signer_type"), None);
}

#[test]
fn ck_16_ci_is_zero_or_one() {
    assert_eq!(tell(&["run"]).record()["ci"], json!(0));
    let env = Env::empty().with("CI", "true");
    assert_eq!(tell_in(&signed_in(&session()), &env, &["run"]).record()["ci"], json!(1));
}

#[test]
fn ck_17_the_provider_is_one_of_six() {
    assert_eq!(
        words(Ci::LABELS),
        set(&["github_actions", "gitlab", "jenkins", "circleci", "local", "unknown"])
    );
    for (variables, provider) in [
        (&[][..], "local"),
        (&["GITHUB_ACTIONS"], "github_actions"),
        (&["GITLAB_CI"], "gitlab"),
        (&["JENKINS_URL", "BUILD_ID"], "jenkins"),
        (&["CIRCLECI"], "circleci"),
        (&["BUILDKITE"], "unknown"),
        (&["CI"], "unknown"),
    ] {
        let env = variables.iter().fold(Env::empty(), |env, &name| env.with(name, "true"));
        let record = tell_in(&signed_in(&session()), &env, &["run"]).record();
        assert_eq!(
            (&record["ci_provider"], &record["ci"]),
            (&json!(provider), &json!(u8::from(provider != "local")))
        );
    }
    for provider in CiProvider::ALL {
        assert!(words(Ci::LABELS).contains(Ci::of(Some(*provider)).label()));
    }
}

#[test]
fn ck_18_the_outcome_is_success_or_error() {
    assert_eq!(words(Outcome::LABELS), set(&["success", "error"]));
    assert_eq!(tell(&["verify"]).record()["outcome"], "success");
    assert_eq!(tell(&["verify", "--fail"]).record()["outcome"], "error");
}

#[test]
fn ck_19_an_error_has_a_category_and_a_success_none() {
    let known = words(ErrorCategory::LABELS);
    assert!(
        ["config", "auth", "signing", "verification", "policy", "network"]
            .iter()
            .all(|name| known.contains(*name))
    );
    for (verb, category) in [
        (&["verify", "--fail"][..], Some("policy")),
        (&["sign", "--key", "k", "--kms", "k"], Some("config")),
        (&["run"], None),
    ] {
        assert_eq!(tell(verb).record().get("error_category").and_then(Value::as_str), category);
    }
    let told = tell(&["verify", "--fail", "--policy", "/srv/acme/policy.rego"]);
    assert!(
        told.ran.errors.contains("/srv/acme/policy.rego does not allow"),
        "the person at the terminal is told"
    );
    assert!(!told.record().to_string().contains("acme"));
}

#[test]
fn ck_20_the_duration_is_that_of_the_run() {
    let session = session();
    let record = |duration| {
        let finished = finished(duration);
        let client = client("http://127.0.0.1:9", &session);
        let told = record(&session, &Options::default(), "run", &finished, None);
        serde_json::from_slice::<Value>(client.preview(&told).expect("a preview").body()).expect("JSON")
    };
    assert_eq!(record(Duration::from_micros(1_999))["duration_ms"], json!(1));
    assert_eq!(record(Duration::ZERO)["duration_ms"], json!(0));
    assert!(tell(&["run"]).record()["duration_ms"].is_u64());
}

/// The result of a run of this duration.
fn finished(duration: Duration) -> Finished<ErrorCategory> {
    let mut seen = None;
    CommandRun::start(ErrorCategory::Internal, |finished| seen = Some(finished)).success();
    let mut finished = seen.expect("a report");
    finished.duration = duration;
    finished
}

/// The example's settings.
fn settings(env: Env, url: &str, session: &Session) -> Config {
    idle(env, |program| config(program, Some(session), url)).expect("settings")
}

/// A client with the example's settings.
fn client(url: &str, session: &Session) -> Client {
    Client::new(settings(Env::empty(), url, session)).expect("a client")
}

#[test]
fn a_spool_cannot_be_switched_on_by_accident() {
    for spool in [Spool::cli(), Spool::server().each_event()] {
        let config = settings(Env::empty(), "http://127.0.0.1:9", &session()).spool(spool);
        let refused = Client::new(config).unwrap_err().to_string();
        assert!(refused.contains("spool") && refused.contains("max_retries(0)"), "{refused}");
    }
}

/// Captures a record through the command-line kit, for a platform that breaks off. Returns how many requests it has
/// seen, and what the user's home holds then.
fn through_the_kit(change: impl FnOnce(Config) -> Config) -> (usize, Vec<String>) {
    let (home, server, session) = (Dir::new(), Server::always(Reply::reset_after_body()), session());
    let env = Env::empty().with("HOME", home.text()).with("XDG_STATE_HOME", home.text());
    let telemetry = Telemetry::new(change(settings(env, &server.url(), &session))).own_client();
    let record = record(&session, &Options::default(), "run", &finished(Duration::ZERO), None);
    telemetry.client().capture(record);
    drop(telemetry);
    (server.begun(), home.names())
}

#[test]
fn the_kit_sends_one_request_and_keeps_nothing_on_the_machine() {
    let nothing = Vec::<String>::new();
    assert_eq!(through_the_kit(|config| config), (1, nothing.clone()));
    // A line in the catalogue does not switch the spool on. One in the settings switches telemetry off instead.
    let told = |config: Config| config.catalogue(CATALOGUE.kept_on_disk());
    assert_eq!(through_the_kit(told), (1, nothing.clone()));
    assert_eq!(through_the_kit(|config| told(config).spool(Spool::cli())), (0, nothing));
}

#[test]
fn the_verbs_explain_and_send_nothing() {
    let (dir, home, server) = (signed_in(&session()), Dir::new(), Server::start([]));
    let env = Env::empty().with("HOME", home.text()).with("XDG_STATE_HOME", home.text());
    let (here, url) = (dir.text(), server.url());
    let verb =
        |verb: &[&str]| play(run, &[&["--dir", &here, "--url", &url, "telemetry"], verb].concat(), &env);
    let status = verb(&["status", "--exit-code"]);
    assert_eq!((status.code, status.errors.as_str()), (0, ""), "{}", status.output);
    assert!(!status.output.contains(TOKEN));
    assert!(verb(&["show", "cli_run"]).output.contains("go_version"));
    assert!(verb(&["log"]).output.contains("does not keep a log"));
    assert_eq!(home.names(), [""; 0]);
    assert_eq!((verb(&["off"]).code, connects(&dir, &env)), (0, false));
    assert_eq!((verb(&["on"]).code, connects(&dir, &env)), (0, true));
    assert_eq!((verb(&["nonsense"]).code, server.connections()), (2, 0));
}

/// Changes the record of a run, and posts it again as another program might.
fn forged(change: impl Fn(&mut Value), headers: &[(&str, &str)]) -> (u16, Vec<Row>) {
    let told = tell(&["sign", "--key", "k"]);
    let mut record = told.record();
    record["run_id"] = json!("00000000-0000-4000-8000-000000000000");
    change(&mut record);
    let status = post(&told.edge.url(), &record.to_string(), headers);
    (status, told.rows().split_off(1))
}

fn post(url: &str, body: &str, headers: &[(&str, &str)]) -> u16 {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut request = agent.post(format!("{url}/cli/t")).header("authorization", format!("Bearer {TOKEN}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.send(body).expect("an answer").status().as_u16()
}

#[test]
fn ck_21_address_and_country_are_the_edges_own() {
    let forge = |record: &mut Value| {
        record["ip"] = json!("203.0.113.7");
        record["country"] = json!("AU");
    };
    let headers =
        [("cf-connecting-ip", "203.0.113.7"), ("cf-ipcountry", "AU"), ("x-forwarded-for", "203.0.113.7")];
    let (status, rows) = forged(forge, &headers);
    assert_eq!((status, rows.len()), (200, 1));
    assert_eq!((rows[0].ip.as_deref(), rows[0].country.as_deref()), (Some("127.0.0.1"), Some("ZZ")));
    assert!(!rows[0].record.contains("203.0.113.7") && !rows[0].record.contains("AU"));
    assert_eq!(rows[0].dropped, "country,ip");
}

#[test]
fn ck_22_the_edge_lists_clamps_and_checks() {
    // An unlisted name is removed, and the record is kept.
    let (status, rows) = forged(|record| record["hostname"] = json!("build-7"), &[]);
    assert_eq!((status, rows.len(), rows[0].dropped.as_str()), (200, 1, "hostname"));
    assert!(!rows[0].record.contains("build-7"));
    // Text that is too long is truncated.
    let (status, rows) = forged(|record| record["user_ref"] = json!("u".repeat(500)), &[]);
    let stored: Value = serde_json::from_str(&rows[0].record).expect("JSON");
    assert_eq!((status, stored["user_ref"].as_str().map(str::len)), (200, Some(64)));
    // A word that is not in its set refuses the record.
    for (field, value) in [
        ("os", json!("plan9")),
        ("command", json!("sign --key secret")),
        ("signer_type", json!("alice@example.com")),
        ("ci", json!(true)),
        ("ci_provider", json!("buildkite")),
        ("outcome", json!("failed")),
        ("error_category", json!("open /home/ada/key: no such file")),
        ("duration_ms", json!(-1)),
        ("duration_ms", json!("fast")),
        ("ts", json!("yesterday")),
        ("ts", Value::Null),
    ] {
        let (status, rows) = forged(|record| record[field] = value.clone(), &[]);
        assert_eq!((status, rows.len()), (400, 0), "{field}");
    }
    // Of a list only the bad word is removed.
    let (_, rows) = forged(|record| record["attestors"] = json!(["git", "acme-internal"]), &[]);
    assert!(rows[0].record.contains("[\"git\"]"), "{}", rows[0].record);
    // A record must be an object.
    let told = tell(&["run"]);
    for body in ["", "[]", "null", "{", "{}"] {
        assert_eq!(post(&told.edge.url(), body, &[]), 400, "{body}");
    }
    assert_eq!(told.rows().len(), 1);
}

// CK-23 to CK-29 are in `canary`.

#[test]
fn ck_30_do_not_track() {
    let dir = signed_in(&session());
    for value in ["1", "true", "yes", "?"] {
        assert!(!connects(&dir, &Env::empty().with("DO_NOT_TRACK", value)), "{value}");
    }
    assert!(connects(&dir, &Env::empty().with("DO_NOT_TRACK", "0")));
}

#[test]
fn ck_31_cilock_telemetry_0() {
    let dir = signed_in(&session());
    for value in ["0", "false", "off"] {
        assert!(!connects(&dir, &Env::empty().with("CILOCK_TELEMETRY", value)), "{value}");
    }
    assert!(connects(&dir, &Env::empty().with("CILOCK_TELEMETRY", "1")));
}

#[test]
fn ck_32_the_account_switches_it_off_for_everybody() {
    assert!(!connects(&signed_in(&Session { telemetry: false, ..session() }), &Env::empty()));
    // For a person who is already signed in it applies to the next run, which asks the platform again.
    let dir = Dir::new();
    let here = dir.text();
    let cilock = |verb: &[&str]| play(run, &[&["--dir", here.as_str()], verb].concat(), &Env::empty());
    assert_eq!(cilock(&["login"]).code, 0);
    assert!(cilock(&["run"]).output.contains("sent: 1"));
    let platform = Edge::start(EDGE, Some(&dir.path().join("collected.sqlite"))).expect("the platform");
    platform.store().allow("tenant_7f3a", false).expect("the switch");
    let ran = cilock(&["run"]);
    assert!(ran.output.contains("denied, decided by account"), "{}", ran.output);
    assert_eq!(platform.rows().len(), 1);
    // An outdated answer is ignored.
    let old = Session { heard: now() - 2 * 24 * 60 * 60, ..session() };
    assert!(!connects(&signed_in(&old), &Env::empty()));
}

#[test]
fn ck_33_any_one_of_them_suffices() {
    let off = signed_in(&Session { telemetry: false, ..session() });
    let on = signed_in(&session());
    let dnt = Env::empty().with("DO_NOT_TRACK", "1").with("CILOCK_TELEMETRY", "1");
    let own = Env::empty().with("DO_NOT_TRACK", "0").with("CILOCK_TELEMETRY", "0");
    for (dir, env) in
        [(&on, &dnt), (&on, &own), (&off, &Env::empty()), (&off, &dnt), (&Dir::new(), &Env::empty())]
    {
        assert!(!connects(dir, env));
    }
    assert!(connects(&on, &Env::empty()));
}

#[test]
fn ck_34_the_controls_are_in_the_command_line() {
    // Not even a server that accepts everything is called.
    let server = Server::start([]);
    let dir = signed_in(&session());
    let arguments = ["--dir", &dir.text(), "--url", &server.url(), "run"];
    let ran = play(run, &arguments, &Env::empty().with("DO_NOT_TRACK", "1"));
    assert_eq!((ran.code, server.connections()), (0, 0));
    play(run, &arguments, &Env::empty());
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn the_page_is_generated_and_calls_nothing_anonymous() {
    assert_catalogue(PAGE, &CATALOGUE);
    let page = std::fs::read_to_string(PAGE).expect("the page");
    assert!(page.contains("The events are not anonymous"), "{page}");
}

#[test]
fn a_record_that_is_refused_is_dropped_and_counted() {
    for status in [400, 401, 403, 404, 422, 500, 503] {
        let server = Server::always(Reply::status(status));
        let session = session();
        let client = client(&server.url(), &session);
        client.capture(record(&session, &Options::default(), "run", &finished(Duration::ZERO), None));
        client.shutdown(LONG).expect("a shutdown");
        let reason = if status < 500 { LossReason::Rejected } else { LossReason::RetriesExhausted };
        assert_eq!((client.stats().lost(reason), server.requests().len()), (1, 1), "{status}");
        assert!(server.requests().iter().all(|request: &Received| request.target == "/cli/t"));
    }
}
