//! The command-line kit as a person sees it: the example `telemetry_command` at a terminal.

mod terminal;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use serde_json::Value;

use terminal::Terminal;
use testkit::example;
use testkit::{Received, Server};

const QUESTION: &str = "(y/N): ";
const LOG: &str = "sent.jsonl";

/// A person's machine: a directory for the state, and a server that receives events.
struct Machine {
    dir: PathBuf,
    server: Server,
}

impl Machine {
    fn new() -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        // Of the same length on every machine and in every run, because lines are wrapped by it.
        let dir = PathBuf::from(format!("/tmp/candor-{:010}-{number:02}", std::process::id()));
        fs::create_dir_all(&dir).expect("a directory for the test");
        Self { dir, server: Server::start([]) }
    }

    fn state(&self) -> PathBuf {
        self.dir.join("state")
    }

    fn log(&self) -> PathBuf {
        self.state().join(LOG)
    }

    /// Returns the arguments before the verb, with timeouts that lose no event on a busy machine.
    fn options(&self) -> Vec<String> {
        let state = self.state().display().to_string();
        ["--url", &self.server.url(), "--state-dir", &state, "--wait", "20000"].map(str::to_owned).to_vec()
    }

    /// Starts the tool at a terminal.
    fn at_terminal(&self, arguments: &[&str], variables: &[(&str, &str)], columns: u16) -> Terminal {
        let options = self.options();
        let arguments: Vec<&str> =
            options.iter().map(String::as_str).chain(arguments.iter().copied()).collect();
        Terminal::start(&program(), &arguments, variables, columns, &self.dir)
    }

    /// Runs the tool at a terminal of 60 columns without colours or input.
    fn plain(&self, arguments: &[&str]) -> (String, i32) {
        self.at_terminal(arguments, &[("NO_COLOR", "1")], 60).end()
    }

    /// Runs the tool without any terminal.
    fn piped(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let mut command = Command::new(program());
        command.args(self.options()).args(arguments).env_clear().envs(variables.iter().copied());
        command.current_dir(&self.dir).stdin(Stdio::null()).output().expect("the tool runs")
    }

    /// Removes from an output what differs between runs.
    fn masked(&self, text: &str) -> String {
        let text = text
            .replace(&self.dir.display().to_string(), "<dir>")
            .replace(&self.server.url(), "<url>")
            .replace(env!("CARGO_PKG_VERSION"), "<version>");
        let words = text.split_inclusive([' ', '\n']).map(|word| {
            let bare = word.trim_end_matches([' ', '\n', ',', ')', '.']);
            let rest = &word[bare.len()..];
            if is_time(bare) { format!("<time>{rest}") } else { word.to_owned() }
        });
        let text: String = words.collect();
        // The sizes of bodies depend on the milliseconds in them.
        let lines = text.split_inclusive('\n').map(|line| match line.find(" bytes,") {
            Some(end) => {
                let start = line[..end].rfind(' ').map_or(0, |at| at + 1);
                format!("{}<size>{}", &line[..start], &line[end..])
            }
            None => line.to_owned(),
        });
        lines.collect()
    }

    /// Compares an output with the golden file; `CANDOR_BLESS=1` writes it.
    #[track_caller]
    fn golden(&self, name: &str, text: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/golden/command_line")
            .join(format!("{name}.txt"));
        let text = self.masked(text);
        if std::env::var_os("CANDOR_BLESS").is_some() {
            fs::write(&path, &text).expect("the golden file is written");
        }
        let wanted = fs::read_to_string(&path).expect("the golden file");
        assert_eq!(text, wanted, "{} differs; CANDOR_BLESS=1 writes it anew", path.display());
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn program() -> PathBuf {
    PathBuf::from(example("telemetry_command").get_program())
}

fn is_time(word: &str) -> bool {
    let is_digit = |at: usize| word.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    word.ends_with('Z') && word.get(4..5) == Some("-") && word.get(10..11) == Some("T") && is_digit(0)
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

#[test]
fn the_first_run_asks_and_the_next_ones_send_and_show() {
    let machine = Machine::new();
    let (text, code) = machine.plain(&["telemetry", "status", "--exit-code"]);
    assert_eq!(code, 2);
    machine.golden("status_not_asked", &text);

    let first = machine.at_terminal(&["build"], &[], 80);
    first.wait_for(QUESTION);
    assert!(
        first.text().find("building all") < first.text().find(QUESTION),
        "asked before the work was done"
    );
    first.write("y\n");
    let (text, code) = first.end();
    assert_eq!((code, machine.server.begun()), (0, 0), "the run that asks sends nothing");
    machine.golden("first_run", &text);
    assert!(!machine.log().exists());

    let (text, code) = machine.plain(&["build"]);
    assert_eq!((text.as_str(), code), ("building all\n", 0));
    let requests = machine.server.wait_for(1);
    let events = requests[0].events();
    assert_eq!((requests.len(), events.len()), (1, 1));
    assert_eq!(
        (&events[0]["event"], &events[0]["distinct_id"]),
        (&"command finished".into(), &"tool".into())
    );
    let properties = &events[0]["properties"];
    assert_eq!((&properties["command"], &properties["outcome"]), (&"build".into(), &"success".into()));
    assert_eq!(properties["$is_server"], false, "a tool speaks, set by the kit");

    for (name, arguments) in [
        ("status_on", &["telemetry", "status"][..]),
        ("show", &["telemetry", "show"]),
        ("show_event", &["telemetry", "show", "command finished"]),
        ("show_pending", &["telemetry", "show", "--pending"]),
        ("log", &["telemetry", "log"]),
        ("off", &["telemetry", "off"]),
        ("status_off", &["telemetry", "status"]),
        ("log_while_off", &["telemetry", "log"]),
        ("on", &["telemetry", "on"]),
        ("forget", &["telemetry", "forget"]),
        ("log_forgotten", &["telemetry", "log"]),
    ] {
        let (text, code) = machine.plain(arguments);
        assert_eq!(code, 0, "{name}: {text}");
        assert!(text.lines().all(|line| line.chars().count() <= 60 || is_one_word(line)), "{name}: {text}");
        machine.golden(name, &text);
    }
    assert_eq!(machine.server.begun(), 1, "the verbs send nothing");
    let names: Vec<_> =
        fs::read_dir(machine.state()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(names, ["telemetry-consent.json"], "what forget leaves");
}

/// A path or an example that cannot be wrapped.
fn is_one_word(line: &str) -> bool {
    line.split_whitespace().count() <= 2
}

#[test]
fn a_refusal_is_final_and_enter_refuses() {
    for keys in ["n\n", "\n", "yess\n", "\x04"] {
        let machine = Machine::new();
        let first = machine.at_terminal(&["build"], &[], 80);
        first.wait_for(QUESTION);
        first.write(keys);
        let (text, _) = first.end();
        assert!(text.contains("you will not be asked again"), "{text}");
        let (_, answer) = text.split_once(QUESTION).expect("the question");
        assert!(answer.trim_start_matches(keys.trim_end()).starts_with('\n'), "the line is ended: {text:?}");
        assert_eq!(machine.plain(&["build"]).0, "building all\n");
        assert_eq!(machine.plain(&["telemetry", "status", "--exit-code"]).1, 1);
        assert_eq!(machine.server.begun(), 0);
    }
}

#[test]
fn an_interrupted_question_stores_nothing_and_is_asked_again() {
    let machine = Machine::new();
    let first = machine.at_terminal(&["build"], &[], 80);
    first.wait_for(QUESTION);
    first.write("\x03");
    let (text, _) = first.end();
    assert!(text.ends_with("(y/N): ^C"), "nothing is printed after the shell's own echo: {text:?}");
    assert!(!machine.state().exists());
    let second = machine.at_terminal(&["build"], &[], 80);
    second.wait_for(QUESTION);
    second.write("\x03");
    second.end();
}

#[test]
fn nobody_is_asked_in_ci_or_without_a_terminal() {
    let machine = Machine::new();
    for variables in [&[("CI", "true")][..], &[("CLAUDECODE", "1")], &[("DO_NOT_TRACK", "1")]] {
        let (text, code) = machine.at_terminal(&["build"], variables, 80).end();
        assert_eq!((text.as_str(), code), ("building all\n", 0), "{variables:?}");
        let (text, _) = machine.at_terminal(&["--opt-out", "build"], variables, 80).end();
        assert_eq!(text, "building all\n", "{variables:?}");
    }
    assert_eq!(machine.at_terminal(&["build", "--no-telemetry"], &[], 80).end().0, "building all\n");
    for arguments in [&["build"][..], &["--opt-out", "build"]] {
        let output = machine.piped(arguments, &[]);
        assert_eq!(
            (stdout(&output).as_str(), &*output.stderr),
            ("building all\n", &b""[..]),
            "{arguments:?}"
        );
    }
    assert!(!machine.state().exists(), "a file was made while telemetry was off");
    assert_eq!(machine.server.begun(), 0);
}

#[test]
fn a_notice_is_shown_once_and_that_run_sends_nothing() {
    let machine = Machine::new();
    let (text, _) = machine.at_terminal(&["--opt-out", "build"], &[], 80).end();
    machine.golden("notice", &text);
    assert_eq!(machine.server.begun(), 0);
    let (text, _) = machine.at_terminal(&["--opt-out", "build"], &[], 80).end();
    assert_eq!(text, "building all\n");
    assert_eq!(machine.server.wait_for(1).len(), 1);
}

#[test]
fn every_verb_works_without_a_terminal_and_prints_valid_json() {
    let machine = Machine::new();
    let verb = |arguments: &[&str]| {
        let output = machine.piped(&[&["telemetry"], arguments].concat(), &[]);
        assert_eq!(output.stderr, b"", "{arguments:?}");
        (stdout(&output), output.status.code())
    };
    let json = |arguments: &[&str]| -> Value { serde_json::from_str(&verb(arguments).0).expect("JSON") };
    assert_eq!(json(&["status", "--json"])["state"], "deferred");
    assert_eq!(json(&["log", "--json"])["requests"], Value::Array(Vec::new()));
    assert_eq!(verb(&["on"]).1, Some(0));
    assert_eq!(verb(&["status", "--exit-code"]).1, Some(0));
    assert_eq!(stdout(&machine.piped(&["build"], &[])), "building all\n");
    machine.server.wait_for(1);
    assert_eq!(json(&["status", "--json"])["last_send"]["outcome"], "status 200");
    let log = json(&["log", "--json", "--bodies"]);
    assert_eq!((&log["chain_holds"], &log["requests"][0]["events"]), (&true.into(), &1.into()));
    assert!(json(&["log", "--json"])["requests"][0].get("body").is_none());
    assert_eq!(verb(&["off"]).1, Some(0));
    assert_eq!(verb(&["status", "--exit-code"]).1, Some(1));
    assert!(verb(&["show"]).0.contains("command finished"));
    let refused = stdout(&machine.piped(&["telemetry", "status"], &[("DO_NOT_TRACK", "1")]));
    assert!(refused.contains("change     remove what says no below; "), "{refused}");
    assert!(!refused.contains("telemetry on"), "an answer would not help: {refused}");
    assert_eq!(verb(&["forget"]).1, Some(0));
    let unknown = machine.piped(&["telemetry", "show", "nothing"], &[]);
    assert_eq!((unknown.status.code(), &*unknown.stdout), (Some(1), &b""[..]));
    assert!(String::from_utf8_lossy(&unknown.stderr).contains("`command finished`"));
}

#[test]
fn the_sink_and_the_log_agree_byte_for_byte_after_twenty_runs_at_once() {
    let machine = Machine::new();
    assert!(machine.piped(&["telemetry", "on"], &[]).status.success());
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| assert!(machine.piped(&["build"], &[]).status.success()));
        }
    });
    let mut sent: Vec<Vec<u8>> = machine.server.wait_for(20).iter().map(Received::plain).collect();
    let output = machine.piped(&["telemetry", "log", "--json", "--bodies"], &[]);
    let log: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!((&log["chain_holds"], output.status.code()), (&true.into(), Some(0)));
    let requests = log["requests"].as_array().expect("requests");
    let mut logged: Vec<Vec<u8>> =
        requests.iter().map(|request| request["body"].as_str().expect("text").into()).collect();
    sent.sort();
    logged.sort();
    assert_eq!(logged, sent);
    let output = machine.piped(&["telemetry", "log", "--bodies"], &[]).stdout;
    for body in &sent {
        assert!(output.windows(body.len()).any(|window| window == body.as_slice()));
    }
    let mode = fs::metadata(machine.log()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_changed_line_breaks_the_chain_visibly() {
    let machine = Machine::new();
    assert!(machine.piped(&["telemetry", "on"], &[]).status.success());
    for _ in 0..3 {
        machine.piped(&["build"], &[]);
    }
    let text = fs::read_to_string(machine.log()).unwrap();
    let changed = text.replacen("\"events\":1", "\"events\":0", 1);
    assert_ne!(text, changed);
    fs::write(machine.log(), changed).unwrap();
    let (text, code) = machine.plain(&["telemetry", "log"]);
    assert_eq!(code, 1);
    machine.golden("log_broken", &text);
    let (text, _) = machine.at_terminal(&["telemetry", "log"], &[("TERM", "xterm")], 60).end();
    assert!(text.contains("\u{1b}[1;31mbroken\u{1b}[0m"), "{text}");
}

#[test]
fn a_missing_or_unwritable_home_costs_nothing() {
    let server = Server::start([]);
    let dir = std::env::temp_dir();
    let url = server.url();
    for (name, variables) in [("no_home", &[][..]), ("read_only_home", &[("HOME", "/proc")])] {
        let run = |arguments: &[&str]| {
            let arguments = [&["--url", &url], arguments].concat();
            let mut command = Command::new(program());
            command.args(&arguments).env_clear().envs(variables.iter().copied()).current_dir(&dir);
            command.stdin(Stdio::null()).output().expect("the tool runs")
        };
        let on = run(&["telemetry", "on"]);
        assert_eq!(on.status.code(), Some(1), "{name}");
        let complaint = String::from_utf8_lossy(&on.stderr).into_owned();
        assert!(complaint.contains("could not be stored"), "{name}: {complaint}");
        let off = run(&["telemetry", "off"]);
        assert_eq!(off.status.code(), Some(1), "{name}");
        let complaint = String::from_utf8_lossy(&off.stderr).into_owned();
        // The words may be on different lines.
        let complaint = complaint.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(complaint.contains("TELEMETRY_COMMAND_TELEMETRY_DISABLED=1"), "{name}: {complaint}");
        for arguments in [&["status"][..], &["log"], &["forget"], &["show"]] {
            assert_eq!(
                run(&[&["telemetry"], arguments].concat()).status.code(),
                Some(0),
                "{name}: {arguments:?}"
            );
        }
        let terminal = Terminal::start(&program(), &["--url", &url, "build"], variables, 80, &dir);
        if name == "read_only_home" {
            terminal.wait_for(QUESTION);
            terminal.write("y\n");
            let (text, _) = terminal.end();
            assert!(text.contains("your consent could not be stored"), "{text}");
        } else {
            assert_eq!(terminal.end().0, "building all\n", "nobody is asked whose answer could not be kept");
        }
    }
    assert_eq!(server.begun(), 0);
}

#[test]
fn a_failure_a_panic_and_ctrl_c_are_reported_as_such() {
    let machine = Machine::new();
    assert!(machine.piped(&["telemetry", "on"], &[]).status.success());
    assert_eq!(machine.piped(&["build", "broken"], &[]).status.code(), Some(1));
    assert_eq!(machine.piped(&["build", "panic"], &[]).status.code(), Some(101));
    let slow = machine.at_terminal(&["build", "slow"], &[], 80);
    slow.wait_for("building slow");
    slow.write("\x03");
    assert_eq!(slow.end().1, 130);
    let events = machine.server.wait_for(3);
    let categories: Vec<_> = events
        .iter()
        .flat_map(Received::events)
        .map(|event| event["properties"]["error_category"].as_str().unwrap_or_default().to_owned())
        .collect();
    assert_eq!(categories, ["failed", "panicked", "interrupted"]);
}

#[test]
fn an_unreachable_endpoint_is_not_mentioned() {
    let machine = Machine::new();
    assert!(machine.piped(&["telemetry", "on"], &[]).status.success());
    let state = machine.state().display().to_string();
    for wait in ["0", "50"] {
        let arguments = ["--url", "http://127.0.0.1:9", "--state-dir", &state, "--wait", wait, "build"];
        let output = Command::new(program()).args(arguments).env_clear().output().expect("the tool runs");
        assert_eq!((stdout(&output).as_str(), &*output.stderr), ("building all\n", &b""[..]));
    }
    assert!(!machine.log().exists(), "only answered requests are logged");
}

#[test]
fn the_help_names_the_variables() {
    let machine = Machine::new();
    for arguments in [&["--help"][..], &["build", "--help"], &["telemetry", "--help"], &["telemetry"]] {
        let text = stdout(&machine.piped(arguments, &[]));
        assert!(text.contains("TELEMETRY_COMMAND_TELEMETRY=0"), "{arguments:?}: {text}");
        assert!(text.contains("DO_NOT_TRACK=1"), "{arguments:?}: {text}");
    }
}

#[test]
fn events_kept_for_the_next_run_are_shown_and_forgotten() {
    let machine = Machine::new();
    assert!(machine.piped(&["telemetry", "on"], &[]).status.success());
    let verb = |verb: &[&str]| {
        let output = machine.piped(&[&["--keep", "telemetry"], verb].concat(), &[]);
        (stdout(&output), output.status.code())
    };
    let pending = || verb(&["show", "--pending"]).0;
    assert_eq!(pending(), "No events are waiting on this machine to be sent.\n");
    assert_eq!(stdout(&machine.piped(&["--keep", "build"], &[])), "building all\n");
    assert_eq!(machine.server.begun(), 0, "the run does not wait for a connection");
    let event: Value = serde_json::from_str(pending().trim_end()).expect("one event");
    assert_eq!(event["event"], "command finished");
    let status = verb(&["status"]).0;
    assert!(status.contains("waiting    1 event in 1 file ("), "{status}");
    let page = verb(&["show"]).0.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(page.contains("kept on this machine for up to 7 days"), "{page}");
    assert!(verb(&["forget"]).0.contains("Deleted 1 event waiting in "));
    assert_eq!(pending(), "No events are waiting on this machine to be sent.\n");
    assert!(!machine.state().join("spool").exists());

    machine.piped(&["--keep", "build"], &[]);
    assert!(verb(&["off"]).0.contains("Events that were waiting to be sent have been deleted."));
    assert!(!machine.state().join("spool").exists(), "a no deletes what waits");
    assert_eq!(machine.server.begun(), 0);
}
