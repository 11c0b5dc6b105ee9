//! Consent that changes while events are captured: withdrawn, granted again, changed by another process.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock};
use std::time::{Duration, Instant};

use candor::consent::{ConsentState, Layer, Subject};
use candor::transport::{Request, Response, SendError, Transport};
use candor::{Client, Config, Consent, DynamicEvent, Env, ErrorKind, LossReason, Notice};

/// More time than any test needs, even on a busy machine.
const LONG: Duration = Duration::from_secs(30);

const CHILD: &str = "CANDOR_TEST_STATE";

fn documented() -> Consent {
    Consent::opt_out(Notice::documented("https://example.com/telemetry")).policy_file("/nowhere/policy.toml")
}

fn event(number: u64) -> DynamicEvent {
    DynamicEvent::new("counted", "node-7").property("n", number)
}

/// A configuration that reads only what a test provides, and sends only on `flush`.
fn config(consent: Consent, wire: &Wire) -> Config {
    let wire = wire.clone();
    Config::new("run-app", "1.0.0")
        .env(Env::empty())
        .endpoint("http://127.0.0.1:9")
        .flush_at(1_000_000)
        .flush_interval(LONG)
        .consent(consent)
        .transport(move |_granted| Ok(Box::new(wire.plugged()) as Box<dyn Transport>))
}

fn client(consent: Consent, wire: &Wire) -> Client {
    Client::new(config(consent, wire)).unwrap()
}

/// Polls until a condition is true, with a generous timeout.
fn eventually(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Everything that was sent, over all transports that a client creates.
#[derive(Clone, Default)]
struct Wire {
    bodies: Arc<Mutex<Vec<Vec<u8>>>>,
    status: Arc<AtomicU32>,
    stalls: Arc<AtomicBool>,
}

impl Wire {
    fn plugged(&self) -> Plug {
        Plug { wire: self.clone(), aborted: Mutex::new(false), changed: Condvar::new() }
    }

    fn requests(&self) -> usize {
        self.bodies.lock().unwrap().len()
    }

    fn numbers(&self) -> Vec<u64> {
        let bodies = self.bodies.lock().unwrap();
        let events = bodies.iter().flat_map(|body| candor::testing::events_of(body));
        events.map(|event| event.properties["n"].as_u64().unwrap()).collect()
    }
}

struct Plug {
    wire: Wire,
    aborted: Mutex<bool>,
    changed: Condvar,
}

impl Transport for Plug {
    fn send(&self, request: &Request<'_>) -> Result<Response, SendError> {
        let mut aborted = self.aborted.lock().unwrap();
        if *aborted {
            return Err(SendError::Aborted);
        }
        self.wire.bodies.lock().unwrap().push(request.body.to_vec());
        if self.wire.stalls.load(Ordering::SeqCst) {
            while !*aborted {
                aborted = self.changed.wait(aborted).unwrap();
            }
            return Err(SendError::Aborted);
        }
        let status = self.wire.status.load(Ordering::SeqCst);
        Ok(Response::status(if status == 0 { 200 } else { u16::try_from(status).unwrap() }))
    }

    fn abort(&self) {
        *self.aborted.lock().unwrap() = true;
        self.changed.notify_all();
    }
}

/// A directory for one test, which is removed at its end.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Self {
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("candor-running-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The log lines of all tests in this binary.
struct Lines(Mutex<Vec<String>>);

impl log::Log for Lines {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        self.0.lock().unwrap().push(format!("{} {} {}", record.level(), record.target(), record.args()));
    }

    fn flush(&self) {}
}

fn logged(part: &str) -> Vec<String> {
    listen().0.lock().unwrap().iter().filter(|line| line.contains(part)).cloned().collect()
}

fn listen() -> &'static Lines {
    static LINES: OnceLock<&'static Lines> = OnceLock::new();
    LINES.get_or_init(|| {
        let lines: &'static Lines = Box::leak(Box::new(Lines(Mutex::new(Vec::new()))));
        log::set_logger(lines).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
        lines
    })
}

#[test]
fn nothing_is_sent_after_a_withdrawal_under_load() {
    for moment in [1, 1_000, 20_000, 100_000] {
        let wire = Wire::default();
        let scratch = Scratch::new();
        let config = config(documented().state_dir(&scratch.0), &wire).flush_at(50);
        let client = Client::new(config.flush_interval(Duration::from_millis(1))).unwrap();
        let (stop, number) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let threads: Vec<_> = (0..6)
            .map(|_| {
                let (client, stop, number) = (client.clone(), Arc::clone(&stop), Arc::clone(&number));
                std::thread::spawn(move || {
                    while !stop.load(Ordering::Relaxed) {
                        client.capture(event(number.fetch_add(1, Ordering::SeqCst)));
                    }
                })
            })
            .collect();
        eventually("events flow", || number.load(Ordering::SeqCst) >= moment && wire.requests() > 0);
        client.opt_out().unwrap();
        let (sent, last) = (wire.requests(), number.load(Ordering::SeqCst));
        eventually("captures go on", || number.load(Ordering::SeqCst) > last + 1_000);
        client.flush(LONG).unwrap();
        stop.store(true, Ordering::Relaxed);
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(wire.requests(), sent);
        assert!(wire.numbers().iter().all(|number| *number <= last));
        // A worker that was not scheduled may still be counting the events that it dropped.
        eventually("what was dropped is counted", || client.stats().queued == 0);
        let stats = client.stats();
        assert_eq!(stats.captured, stats.sent + stats.lost_total(), "{stats}");
        assert!(stats.captured < number.load(Ordering::SeqCst));
    }
}

#[test]
fn the_other_process_stops_within_its_next_check() {
    let scratch = Scratch::new();
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_process", "--nocapture"])
        .env(CHILD, &scratch.0)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    eventually("the other process sends", || scratch.0.join("sends").exists());
    assert!(child.try_wait().unwrap().is_none());
    let here = client(documented().state_dir(&scratch.0), &Wire::default());
    here.opt_out().unwrap();
    let status = child.wait().unwrap();
    assert!(status.success(), "{status:?}");
}

/// The directory in which the other processes of the test below store their refusals.
const REFUSES: &str = "CANDOR_TEST_REFUSES";

#[test]
fn a_refusal_is_stored_despite_leftover_files_of_the_same_process_id() {
    for _ in 0..3 {
        let scratch = Scratch::new();
        let children: Vec<_> = (0..4)
            .map(|_| {
                Command::new(std::env::current_exe().unwrap())
                    .args(["--exact", "refusing_process", "--nocapture"])
                    .env(REFUSES, &scratch.0)
                    .stdout(Stdio::null())
                    .spawn()
                    .unwrap()
            })
            .collect();
        // The files that a crash leaves in a container, where process ids repeat.
        let taken = |id, number| scratch.0.join(format!("telemetry-consent.{id}-{number}.tmp"));
        for child in &children {
            (0..20).for_each(|number| fs::write(taken(child.id(), number), "").unwrap());
        }
        scratch.file("go", "");
        for mut child in children {
            let id = child.id();
            assert!(child.wait().unwrap().success());
            assert!((0..20).all(|number| taken(id, number).exists()), "what others created is left alone");
        }
        let choice = fs::read_to_string(scratch.0.join("telemetry-consent.json")).unwrap();
        assert!(choice.contains("denied"), "{choice}");
        // The choice, the start file and the names taken in advance: the writers leave no temporary files.
        assert_eq!(fs::read_dir(&scratch.0).unwrap().count(), 2 + 4 * 20);
    }
}

/// The processes that the test above starts; it does nothing if run as a test.
#[test]
fn refusing_process() {
    let Some(dir) = std::env::var_os(REFUSES).map(PathBuf::from) else { return };
    let client = client(documented().state_dir(&dir), &Wire::default());
    eventually("the start", || dir.join("go").exists());
    for _ in 0..10 {
        client.opt_out().unwrap();
        let choice = fs::read_to_string(dir.join("telemetry-consent.json")).unwrap();
        assert!(choice.contains("denied"), "{choice}");
    }
    std::process::exit(0);
}

/// The directory of the process that changes its working directory.
const MOVES: &str = "CANDOR_TEST_MOVES";

#[test]
fn a_program_that_changes_its_directory_keeps_reading_the_same_files() {
    let scratch = Scratch::new();
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "moving_process", "--nocapture"])
        .env(MOVES, &scratch.0)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The process that the test above starts; it does nothing if run as a test.
#[test]
fn moving_process() {
    let Some(dir) = std::env::var_os(MOVES).map(PathBuf::from) else { return };
    let (home, away) = (dir.join("home"), dir.join("away"));
    fs::create_dir(&home).unwrap();
    fs::create_dir(&away).unwrap();
    let no = r#"{"telemetry":{"enabled":false}}"#;

    std::env::set_current_dir(&home).unwrap();
    fs::write("project.json", "{}").unwrap();
    let wire = Wire::default();
    let client = client(documented().project_file("project.json").state_dir("state"), &wire);
    std::env::set_current_dir(&away).unwrap();
    client.capture(event(1));
    client.flush(LONG).unwrap();
    assert_eq!(wire.numbers(), [1]);
    fs::write(home.join("project.json"), no).unwrap();
    client.capture(event(2));
    client.flush(LONG).unwrap();
    assert_eq!((wire.numbers(), client.state()), (vec![1], ConsentState::Denied));
    client.opt_out().unwrap();
    assert!(home.join("state/telemetry-consent.json").exists());
    assert_eq!(fs::read_dir(&away).unwrap().count(), 0);

    // If the directory is gone, it is unknown what a file with a relative path contained.
    let gone = dir.join("gone");
    fs::create_dir(&gone).unwrap();
    std::env::set_current_dir(&gone).unwrap();
    fs::remove_dir(&gone).unwrap();
    for consent in [documented().project_file("project.json"), documented().deployment_file("d.json")] {
        let status = candor::status(&config(consent, &Wire::default()));
        assert_eq!(status.state, ConsentState::Denied, "{status}");
        assert!(status.to_string().contains("working directory that no longer exists"), "{status}");
    }
    let status = candor::status(&config(documented(), &Wire::default()));
    assert_eq!(status.state, ConsentState::Granted, "{status}");
    std::process::exit(0);
}

/// The process that an earlier test starts; it does nothing if run as a test.
#[test]
fn child_process() {
    let Some(dir) = std::env::var_os(CHILD) else { return };
    let wire = Wire::default();
    let client = client(documented().state_dir(&dir), &wire);
    client.capture(event(0));
    client.flush(LONG).unwrap();
    assert_eq!(wire.requests(), 1);
    fs::write(Path::new(&dir).join("sends"), "").unwrap();
    eventually("the withdrawal is seen", || {
        client.capture(event(1));
        !client.is_enabled()
    });
    assert_eq!(client.status().decided_by, Layer::User);
    client.flush(LONG).unwrap();
    assert_eq!(wire.requests(), 1);
    std::process::exit(0);
}

/// A file's name, its first and its later contents, and the consent that reads it.
type Case = (&'static str, String, String, fn(PathBuf) -> Consent);

#[test]
fn a_changed_file_is_noticed_before_the_next_request() {
    let yaml = "deployment:\n  parameters:\n    AnalyticsDisabled: ";
    let cases: [Case; 3] = [
        ("a.yml", format!("{yaml}\"false\"\n"), format!("{yaml}\"true\"\n"), |path| {
            documented().deployment_file(path)
        }),
        (
            "a.json",
            r#"{"telemetry":{"enabled":true}}"#.into(),
            r#"{"telemetry":{"enabled":"no"}}"#.into(),
            |path| documented().project_file(path),
        ),
        ("b.json", r#"{"enabled":true}"#.into(), r#"{"enabled":false}"#.into(), |path| {
            documented().policy_file(path)
        }),
    ];
    for (name, before, after, consent) in
        cases.into_iter().filter(|case| cfg!(feature = "yaml") || case.0 != "a.yml")
    {
        let scratch = Scratch::new();
        let wire = Wire::default();
        let client = client(consent(scratch.file(name, &before)), &wire);
        client.capture(event(1));
        client.flush(LONG).unwrap();
        client.capture(event(2));
        scratch.file(name, &after);
        client.flush(LONG).unwrap();
        assert_eq!(wire.numbers(), [1], "{name}");
        assert!(!client.is_enabled());
        assert_eq!(client.state(), ConsentState::Denied);
        let stats = client.stats();
        assert_eq!(stats.lost(LossReason::ConsentWithdrawn), 1, "{stats}");
        // After it is changed back, this process stays off: a refusal is not reconsidered in a running process.
        scratch.file(name, &before);
        client.capture(event(3));
        assert!(!client.is_enabled());
    }
}

#[test]
fn a_change_is_noticed_by_a_capture_alone() {
    let scratch = Scratch::new();
    let wire = Wire::default();
    let path = scratch.file("a.json", "{}");
    let client = client(documented().project_file(path).state_dir(&scratch.0), &wire);
    client.capture(event(1));
    scratch.file("a.json", r#"{"telemetry":{"enabled":false}}"#);
    eventually("the change is seen", || {
        client.capture(event(2));
        !client.is_enabled()
    });
    eventually("the worker drops what it had", || client.stats().queued == 0);
    assert_eq!(wire.requests(), 0);
    // The user's own grant starts it again, because the file no longer denies.
    assert_eq!(client.opt_in().unwrap().state(), ConsentState::Denied);
    scratch.file("a.json", "{}");
    assert_eq!(client.opt_in().unwrap().state(), ConsentState::Granted);
    client.capture(event(3));
    client.flush(LONG).unwrap();
    assert_eq!(wire.numbers(), [3]);
}

#[test]
fn nothing_captured_before_a_withdrawal_is_sent_after_a_new_grant() {
    let scratch = Scratch::new();
    let wire = Wire::default();
    let client = client(Consent::opt_in().policy_file("/nowhere/p.toml").state_dir(&scratch.0), &wire);
    client.capture(event(0));
    assert_eq!((client.state(), client.stats().captured), (ConsentState::Deferred, 0));
    assert_eq!(client.opt_in().unwrap().state(), ConsentState::Granted);
    client.capture(event(1));
    client.opt_out().unwrap();
    assert_eq!(client.stats().queued, 0);
    client.capture(event(2));
    assert_eq!(client.opt_in().unwrap().state(), ConsentState::Granted);
    client.capture(event(3));
    client.flush(LONG).unwrap();
    assert_eq!(wire.numbers(), [3]);
    let status = client.status();
    assert_eq!(status.last_send.unwrap().outcome, "delivered");
    assert!(status.would_send);
    client.shutdown(LONG).unwrap();
    let answer = client.opt_in().unwrap();
    assert_eq!((answer.state(), answer.is_on()), (ConsentState::Granted, false));
    assert!(answer.to_string().contains("shut down"), "{answer}");
    assert!(!client.is_enabled(), "a client that was shut down does not start again");
}

#[test]
fn a_request_in_flight_is_cut_and_never_sent_again() {
    let scratch = Scratch::new();
    let wire = Wire::default();
    wire.stalls.store(true, Ordering::SeqCst);
    let config = config(documented().state_dir(&scratch.0), &wire).flush_at(1);
    let client = Client::new(config).unwrap();
    client.capture(event(1));
    eventually("the request is under way", || wire.requests() == 1);
    client.opt_out().unwrap();
    assert_eq!(client.stats().lost(LossReason::ConsentWithdrawn), 1);
    wire.stalls.store(false, Ordering::SeqCst);
    assert!(client.opt_in().unwrap().is_on());
    client.capture(event(2));
    client.flush(LONG).unwrap();
    assert_eq!(wire.numbers(), [1, 2]);
}

#[test]
fn a_withdrawal_cuts_the_request_that_a_shutdown_waits_for() {
    let scratch = Scratch::new();
    let wire = Wire::default();
    wire.stalls.store(true, Ordering::SeqCst);
    let client = Client::new(config(documented().state_dir(&scratch.0), &wire).flush_at(1)).unwrap();
    client.capture(event(1));
    eventually("the request is under way", || wire.requests() == 1);
    let ending = {
        let client = client.clone();
        std::thread::spawn(move || client.shutdown(Duration::from_secs(3600)).unwrap())
    };
    eventually("the shutdown has begun", || !client.is_enabled());
    // The worker is removed shortly after the gate has closed; until then its request is cut in the usual way.
    client.opt_out().unwrap();
    eventually("the shutdown is over", || ending.is_finished());
    let stats = client.stats();
    assert_eq!((stats.sent, stats.queued, stats.lost(LossReason::ConsentWithdrawn)), (0, 0, 1), "{stats}");
}

#[test]
fn an_endpoint_that_is_gone_ends_telemetry_for_this_process() {
    for status in [410, 451] {
        let scratch = Scratch::new();
        let wire = Wire::default();
        wire.status.store(status, Ordering::SeqCst);
        let client = client(documented().state_dir(&scratch.0), &wire);
        client.capture(event(1));
        client.flush(LONG).unwrap();
        eventually("the answer is heard", || !client.is_enabled());
        client.capture(event(2));
        client.flush(LONG).unwrap();
        assert_eq!(wire.requests(), 1);
        let explained = client.status();
        assert_eq!((explained.state, explained.decided_by), (ConsentState::Denied, Layer::Runtime));
        assert_eq!(client.opt_in().unwrap().state(), ConsentState::Denied);
        assert!(!client.is_enabled());
    }
}

#[test]
fn an_opt_out_that_cannot_be_stored_still_stops_everything() {
    let scratch = Scratch::new();
    let not_a_dir = scratch.file("file", "");
    let wire = Wire::default();
    let client = client(documented().state_dir(not_a_dir), &wire);
    client.capture(event(1));
    let error = client.opt_out().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Storage);
    assert!(error.to_string().contains("RUN_APP_TELEMETRY_DISABLED=1"), "{error}");
    assert!(!client.is_enabled());
    client.flush(LONG).unwrap();
    assert_eq!((wire.requests(), client.stats().queued), (0, 0));
}

#[test]
fn only_the_user_can_quarantine_an_unreadable_choice() {
    let scratch = Scratch::new();
    let path = scratch.file("telemetry-consent.json", "what?");
    let client = client(documented().state_dir(&scratch.0), &Wire::default());
    assert_eq!(client.state(), ConsentState::Denied);
    assert_eq!(client.opt_in().unwrap_err().kind(), ErrorKind::Storage);
    assert_eq!(fs::read_to_string(&path).unwrap(), "what?");
    client.quarantine_choice().unwrap();
    assert_eq!(client.opt_in().unwrap().state(), ConsentState::Granted);
    let readable = fs::read_to_string(&path).unwrap();
    client.quarantine_choice().unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), readable);
}

#[test]
fn a_grant_without_effect_explains_why() {
    let scratch = Scratch::new();
    let told = |consent: Consent, env: Env| {
        let consent = consent.policy_file("/nowhere/p.toml").state_dir(&scratch.0);
        let client = Client::new(config(consent, &Wire::default()).env(env)).unwrap();
        let answer = client.opt_in().unwrap();
        assert_eq!(answer.is_on(), client.is_enabled());
        assert_eq!(answer.is_on(), answer.reason().is_none());
        answer.to_string()
    };
    assert_eq!(told(Consent::opt_in(), Env::empty()), "telemetry is on");
    let tracked = Env::empty().with("DO_NOT_TRACK", "1");
    assert_eq!(told(Consent::opt_in(), tracked.clone()), "telemetry stays off: DO_NOT_TRACK=1 is set");
    assert_eq!(
        told(Consent::opt_in().no_telemetry_flag(true), tracked.with("RUN_APP_TELEMETRY", "maybe")),
        "telemetry stays off: DO_NOT_TRACK=1 is set; \
         RUN_APP_TELEMETRY=maybe: has an unrecognised value, which counts as off: use 1 or 0; --no-telemetry: given"
    );
    let project = told(Consent::opt_in().subject(Subject::Project), Env::empty());
    assert!(project.ends_with("granted by the user, who may not grant"), "{project}");
}

#[test]
fn a_decision_is_logged_in_one_line_without_the_value() {
    listen();
    let consent = documented().deny_env("LINE_OF_THE_LOG");
    let env = Env::empty().with("LINE_OF_THE_LOG", "t");
    let client = Client::new(config(consent, &Wire::default()).env(env)).unwrap();
    assert_eq!(client.state(), ConsentState::Denied);
    let wanted = "INFO candor telemetry of run-app is disabled, decided by app_env: LINE_OF_THE_LOG: turns telemetry off. \
                  `candor::status(&config)` shows what each layer said";
    assert_eq!(logged("LINE_OF_THE_LOG"), [wanted]);
}

#[test]
fn the_status_explains_before_init_and_when_off() {
    let env = Env::empty().with("DO_NOT_TRACK", "1");
    let config = || config(documented(), &Wire::default()).env(env.clone());
    let before = candor::status(&config());
    assert_eq!((before.state, before.decided_by), (ConsentState::Denied, Layer::Universal));
    let client = Client::new(config()).unwrap();
    let mut now = client.status();
    let variables = now.variables_as_of.take().expect("a running client says when it read the variables");
    assert!(variables.starts_with("20") && variables.ends_with('Z'), "{variables}");
    assert!(client.status().to_string().contains(&format!("started, at {variables}")));
    assert_eq!(now, before);
    let mut command = Command::new("child");
    client.apply_to_child(&mut command);
    let names: Vec<_> = command.get_envs().map(|(name, _)| name.to_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["DO_NOT_TRACK", "RUN_APP_TELEMETRY_DISABLED"]);
    assert!(client.disabled_reason().unwrap().starts_with("DO_NOT_TRACK"));
    assert_eq!(Client::disabled().status().decided_by, Layer::Runtime);
    assert_eq!(Client::disabled().opt_in().unwrap_err().kind(), ErrorKind::NotRunning);
}

#[test]
fn a_client_without_declared_consent_names_the_missing_call() {
    listen();
    let config = |app: &str| Config::new(app, "1.0.0").env(Env::empty()).endpoint("http://127.0.0.1:9");
    let wanted =
        "the application declares no consent source, so nothing is sent: call Config::consent to declare one";
    let client = Client::new(config("undeclared")).unwrap();
    assert_eq!(client.disabled_reason(), Some(format!("opt-in: {wanted}").as_str()));
    for status in [client.status(), candor::status(&config("undeclared"))] {
        assert_eq!((status.state, status.decided_by), (ConsentState::Deferred, Layer::Mode), "{status}");
        assert!(status.to_string().contains(wanted), "{status}");
    }
    let line = format!(
        "WARN candor telemetry of undeclared is disabled, decided by mode: opt-in: {wanted}. \
         `candor::status(&config)` shows what each layer said"
    );
    assert_eq!(logged("telemetry of undeclared "), [line]);

    // Declared, but nobody has agreed: that is somebody's decision, not a mistake.
    let declared = Client::new(config("declared").consent(Consent::opt_in())).unwrap();
    let reason = "opt-in: nobody who may grant consent has done so yet";
    assert_eq!(declared.disabled_reason(), Some(reason));
    let lines = logged("telemetry of declared ");
    assert!(lines.len() == 1 && lines[0].starts_with("INFO"), "{lines:?}");
}

#[test]
fn the_status_of_a_configuration_that_cannot_start_is_its_error() {
    let config = |app: &str| Config::new(app, "1.0.0").env(Env::empty()).consent(documented());
    let refused = [
        (
            config("run-app").endpoint("https://t.example.com").api_key("phc_.."),
            "api_key: this is a placeholder",
        ),
        (config("run-app").endpoint("https://t.example.com/batch/"), "endpoint: remove the path `/batch`"),
        (config("").endpoint("https://t.example.com"), "application name: it is blank"),
        (config("run-app").endpoint("htp://x"), "endpoint: it must start with http:// or https://"),
        (config("run-app").endpoint("https://eu.i.posthog.com"), "api_key: PostHog's cloud needs one"),
        (
            config("run-app").endpoint("https://t.example.com").super_property("$lib", "x"),
            "super_property: $lib",
        ),
    ];
    for (config, wanted) in refused {
        let status = candor::status(&config);
        assert_eq!(
            (status.state, status.decided_by),
            (ConsentState::Denied, Layer::Preconditions),
            "{status}"
        );
        assert!(!status.would_send, "{status}");
        let report = status.layers.iter().find(|report| report.layer == status.decided_by).unwrap();
        assert!(report.reason.starts_with(wanted) && report.malformed, "{status}");
        let error = Client::new(config).unwrap_err();
        assert_eq!(format!("{error:?}"), report.reason);
    }
    let wrong = candor::status(&config("run-app").endpoint("htp://x")).to_string();
    assert!(wrong.contains("endpoint:  not valid"), "{wrong}");

    let fine = candor::status(&config("run-app").endpoint("https://t.example.com")).to_string();
    assert!(fine.contains("endpoint: present") && !fine.contains("api key"), "{fine}");
    let keyed = candor::status(&config("run-app").endpoint("https://t.example.com").api_key("phc_test"));
    assert!(keyed.to_string().contains("endpoint, api key: present") && keyed.would_send, "{keyed}");
    let nowhere = candor::status(&config("run-app")).to_string();
    assert!(nowhere.contains("endpoint: not set: call Config::endpoint"), "{nowhere}");
}

#[test]
fn the_status_of_a_running_client_is_what_is_in_force() {
    listen();
    let scratch = Scratch::new();
    let file = |text: &str| scratch.file("in-force.json", text);
    let off = r#"{"telemetry":{"enabled":false}}"#;
    let wire = Wire::default();
    let running = client(documented().project_file(file("{}")), &wire);
    assert!(running.status().would_send);
    running.capture(event(1));
    running.capture(event(2));
    file(off);
    running.flush(LONG).unwrap();
    let refused = running.status();
    assert_eq!((refused.state, refused.decided_by), (ConsentState::Denied, Layer::Project), "{refused}");
    let lines = logged("in-force.json");
    let told: Vec<_> = lines.iter().filter(|line| line.starts_with("INFO")).collect();
    assert_eq!(told.len(), 1, "{lines:?}");
    assert!(
        told[0].contains("decided by project") && told[0].ends_with("2 waiting events dropped"),
        "{told:?}"
    );

    file("{}");
    running.capture(event(3));
    let status = running.status();
    assert_eq!((status.state, status.decided_by), (ConsentState::Denied, Layer::Runtime), "{status}");
    assert!(status.to_string().contains("consent was withdrawn while this process ran; restart"), "{status}");
    assert_eq!(wire.requests(), 0);

    // Likewise if it was off from the start.
    let off_at_first = client(documented().project_file(file(off)), &wire);
    file("{}");
    let status = off_at_first.status();
    assert_eq!((status.state, status.decided_by), (ConsentState::Denied, Layer::Runtime), "{status}");
    assert!(status.to_string().contains("not granted when the client was created"), "{status}");

    let ended = client(documented(), &wire);
    assert_eq!(ended.status().state, ConsentState::Granted);
    ended.shutdown(LONG).unwrap();
    let status = ended.status();
    assert_eq!((status.state, status.decided_by), (ConsentState::Denied, Layer::Runtime), "{status}");
    assert!(status.to_string().contains("the client was shut down"), "{status}");
}

#[test]
#[cfg(feature = "yaml")]
fn the_deployments_log_level_prints_what_is_sent() {
    listen();
    let scratch = Scratch::new();
    let text = "deployment:\n  parameters:\n    AnalyticsLogLevel: \"debug\"\n";
    let wire = Wire::default();
    let client = client(documented().deployment_file(scratch.file("d.yml", text)), &wire);
    client.capture(DynamicEvent::new("printed by the deployment", "node-7").property("n", 1));
    client.flush(LONG).unwrap();
    assert_eq!(logged("printed by the deployment").len(), 1);
    assert_eq!(wire.requests(), 1);
}

#[test]
fn defect_1_a_listening_socket_sees_no_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let life = |env: Env| {
        let config = Config::new("listener", "1.0.0").env(env).endpoint(&url).consent(documented());
        let client = Client::new(config.request_timeout(Duration::from_millis(200)).max_retries(0)).unwrap();
        client.capture(event(1));
        client.flush(Duration::from_millis(300)).unwrap();
        client.shutdown(Duration::from_millis(300)).unwrap();
    };
    life(Env::empty().with("DO_NOT_TRACK", "1"));
    life(Env::empty().with("LISTENER_TELEMETRY", "0"));
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    // The same run without a refusal connects, so the socket would have seen a connection.
    life(Env::empty());
    assert!(listener.accept().is_ok());
}

#[test]
fn defect_2_do_not_track_denies_unless_empty_0_or_false() {
    let open = |value: Option<&str>| {
        let env = value.map_or_else(Env::empty, |value| Env::empty().with("DO_NOT_TRACK", value));
        Client::new(config(documented(), &Wire::default()).env(env)).unwrap().is_enabled()
    };
    for value in [None, Some(""), Some("0"), Some("false"), Some("FALSE")] {
        assert!(open(value), "{value:?}");
    }
    for value in ["1", "true", "yes", "TRUE", "on", "garbage", "2"] {
        assert!(!open(Some(value)), "{value}");
    }
}

#[test]
fn defect_3_a_misspelt_switch_is_off_with_one_warning() {
    listen();
    let env = Env::empty().with("MISSPELT_TELEMETRY", "secret-ture");
    let config =
        Config::new("misspelt", "1.0.0").env(env).endpoint("http://127.0.0.1:9").consent(documented());
    let client = Client::new(config).unwrap();
    client.capture(event(1));
    client.flush(LONG).unwrap();
    assert!(!client.is_enabled());
    let lines = logged("MISSPELT_TELEMETRY");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("WARN candor ") && !lines[0].contains("secret"), "{lines:?}");
}

#[test]
fn defect_14_a_full_queue_withdrawn_and_flushed_makes_no_request() {
    let scratch = Scratch::new();
    let wire = Wire::default();
    wire.stalls.store(true, Ordering::SeqCst);
    let config = config(documented().state_dir(&scratch.0), &wire).queue_events(100);
    let client = Client::new(config).unwrap();
    // A full queue wakes the worker, whose only request then hangs: from now on nothing leaves the queue.
    for number in 0..100 {
        client.capture(event(number));
    }
    eventually("a full queue leaves", || wire.requests() == 1);
    let mut number = 100;
    while client.stats().lost(LossReason::QueueFull) == 0 {
        client.capture(event(number));
        number += 1;
    }
    client.opt_out().unwrap();
    let flushed = client.flush(LONG).unwrap();
    assert_eq!((flushed.delivered, flushed.waiting, wire.requests()), (0, 0, 1));
    let stats = client.stats();
    assert_eq!((stats.sent, stats.lost(LossReason::ConsentWithdrawn)), (0, number - 1));
}

#[test]
fn defect_15_a_refusal_outlives_every_new_version_and_is_not_asked_about() {
    let scratch = Scratch::new();
    let shown =
        || Consent::opt_out(Notice::shown("we count")).policy_file("/nowhere/p.toml").state_dir(&scratch.0);
    client(shown(), &Wire::default()).opt_out().unwrap();
    for newer in [shown().notice_version(2), shown().catalogue("other"), shown()] {
        let moved = config(newer, &Wire::default()).endpoint("https://elsewhere.example.com");
        let client = Client::new(moved).unwrap();
        assert_eq!(client.status().decided_by, Layer::User);
        assert_eq!(client.notice_due(), None);
        assert_eq!(client.notice_shown().unwrap_err().kind(), ErrorKind::Config);
    }
}

#[test]
fn defect_17_without_a_notice_shown_nothing_is_sent_in_this_run_or_the_next() {
    let scratch = Scratch::new();
    let wire = Wire::default();
    let shown =
        || Consent::opt_out(Notice::shown("we count")).policy_file("/nowhere/p.toml").state_dir(&scratch.0);
    let run = |shows: bool| {
        let client = client(shown(), &wire);
        if shows {
            assert_eq!(client.notice_due(), Some("we count"));
            client.notice_shown().unwrap();
        }
        client.capture(event(1));
        client.flush(LONG).unwrap();
        client.shutdown(LONG).unwrap();
        wire.requests()
    };
    assert_eq!(run(false), 0, "no terminal, so the application did not show it");
    assert_eq!(run(false), 0, "and was not taken to have");
    assert_eq!(run(true), 0, "the run that shows it sends nothing");
    assert_eq!(run(false), 1, "the next may");
}

#[test]
fn an_opt_out_says_how_many_events_it_drops() {
    listen();
    let wire = Wire::default();
    let scratch = Scratch::new();
    let client = client(documented().state_dir(&scratch.0), &wire);
    client.capture(event(1));
    client.capture(event(2));
    client.opt_out().unwrap();
    let lines = logged(scratch.0.to_str().unwrap());
    assert!(
        lines.len() == 1 && lines[0].ends_with("refused by the user; 2 waiting events dropped"),
        "{lines:?}"
    );
}
