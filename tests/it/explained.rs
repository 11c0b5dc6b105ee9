//! Consent as the examples `consent_status` and `off` show it, in real environments that inherit nothing from the tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use testkit::Server;
use testkit::example;

struct Home(PathBuf);

impl Home {
    fn new() -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("candor-explained-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a directory for the test");
        Self(path)
    }

    fn file(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).expect("a file for the test");
        path.display().to_string()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn clean(mut command: Command, home: &Path, variables: &[(&str, &str)]) -> Command {
    command.env_clear().env("HOME", home).envs(variables.iter().copied()).current_dir(home);
    command
}

/// Returns the status as JSON, the state and the layer that decided.
fn status(home: &Path, variables: &[(&str, &str)], arguments: &[&str]) -> (Value, String, String) {
    let mut command = clean(example("consent_status"), home, variables);
    let output = command.args(["--app", "my-tool"]).args(arguments).output().expect("the example runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let status: Value = serde_json::from_slice(&output.stdout).expect("one JSON object");
    let text = |key: &str| status[key].as_str().expect("a text").to_owned();
    let (state, by) = (text("state"), text("decided_by"));
    (status, state, by)
}

/// Variables, arguments, and the resulting state and layer.
type Case<'a> = (&'a [(&'a str, &'a str)], &'a [&'a str], &'a str, &'a str);

#[test]
fn each_source_decides_as_its_arguments_say() {
    let home = Home::new();
    let no = home.file("no.json", r#"{"telemetry":{"enabled":false}}"#);
    let yes = home.file("yes.json", r#"{"telemetry":{"enabled":true}}"#);
    let policy = home.file("policy.json", r#"{"enabled":false}"#);
    let out = ["--mode", "opt-out"];
    let cases: &[Case] = &[
        (&[], &["--mode", "opt-in"], "deferred", "mode"),
        (&[], &out, "granted", "mode"),
        (&[], &["--mode", "opt-out", "--notice", "documented"], "granted", "mode"),
        (&[], &["--mode", "opt-out", "--notice", "shown"], "deferred", "mode"),
        (&[], &["--mode", "session"], "denied", "preconditions"),
        (&[], &["--mode", "session", "--session", "no"], "denied", "preconditions"),
        (&[], &["--mode", "session", "--session", "yes"], "granted", "mode"),
        (&[("DO_NOT_TRACK", "1")], &out, "denied", "universal"),
        (&[("DO_NOT_TRACK", "0")], &out, "granted", "mode"),
        (&[("DO_NOT_TRACK", "")], &out, "granted", "mode"),
        (&[("DO_NOT_TRACK", "0")], &["--mode", "opt-in"], "deferred", "mode"),
        (&[("MY_TOOL_TELEMETRY", "0")], &out, "denied", "app_env"),
        (&[("MY_TOOL_TELEMETRY", "1")], &["--mode", "opt-in"], "deferred", "mode"),
        (
            &[("OLD", "1")],
            &["--mode", "opt-out", "--deny-env", "OLD", "--deny-env", "X"],
            "denied",
            "app_env",
        ),
        (
            &[("X", "what")],
            &["--mode", "opt-out", "--deny-env", "OLD", "--deny-env", "X"],
            "denied",
            "app_env",
        ),
        (&[], &["--mode", "opt-out", "--policy-file", &policy], "denied", "machine_policy"),
        (&[], &["--mode", "opt-out", "--account", "deny"], "denied", "account"),
        (&[], &["--mode", "opt-in", "--account", "allow"], "granted", "account"),
        (&[], &["--mode", "opt-in", "--account", "unknown"], "deferred", "mode"),
        (&[], &["--mode", "session", "--session", "yes", "--account", "unknown"], "denied", "account"),
        (&[], &["--mode", "opt-out", "--project-file", &no], "denied", "project"),
        (&[], &["--mode", "opt-in", "--project-file", &yes], "granted", "project"),
        (&[], &["--mode", "opt-in", "--project-file", &yes, "--license", "no"], "denied", "preconditions"),
        (&[], &["--mode", "opt-in", "--project-file", &yes, "--license", "yes"], "granted", "project"),
        (&[("CI", "true")], &out, "denied", "environment"),
        (&[("CI", "false")], &out, "granted", "mode"),
        (&[("CI", "true")], &["--mode", "opt-out", "--ci-policy", "allow"], "granted", "mode"),
        (&[("CI", "true")], &["--mode", "opt-in", "--project-file", &yes], "granted", "project"),
        (&[("DO_NOT_TRACK", "yes")], &["--mode", "opt-in", "--project-file", &yes], "denied", "universal"),
        (&[("HOME", "")], &["--mode", "opt-out", "--notice", "shown"], "deferred", "mode"),
        (&[("HOME", "/dev/null")], &["--mode", "opt-in"], "deferred", "mode"),
    ];
    for (variables, arguments, wanted, layer) in cases {
        let (_, state, by) = status(&home.0, variables, arguments);
        assert_eq!((state.as_str(), by.as_str()), (*wanted, *layer), "{variables:?} {arguments:?}");
    }
}

#[test]
fn invalid_files_deny_and_are_left_unchanged() {
    let home = Home::new();
    let big = vec![b' '; 65 * 1024];
    let contents: [&[u8]; 8] = [
        b"{",
        b"\xff\xfe",
        br#"{"telemetry":{"enabled":"yes"}}"#,
        br#"{"telemetry":{"enabled":true,"enabled":true}}"#,
        br#"{"telemetry":null}"#,
        b"",
        &b"[".repeat(60_000),
        &big,
    ];
    for content in contents {
        let path = home.file("project.json", content);
        let (status, state, by) = status(&home.0, &[], &["--mode", "opt-out", "--project-file", &path]);
        assert_eq!((state.as_str(), by.as_str()), ("denied", "project"), "{status}");
        assert_eq!(fs::read(&path).expect("the file"), content);
    }
    let directory = home.0.display().to_string();
    let (_, state, _) = status(&home.0, &[], &["--mode", "opt-out", "--deployment-file", &directory]);
    assert_eq!(state, "denied");
    let missing = home.0.join("missing.yml").display().to_string();
    let (_, state, _) = status(&home.0, &[], &["--mode", "opt-out", "--deployment-file", &missing]);
    assert_eq!(state, "granted");
}

#[test]
fn the_example_explains_every_layer_and_refuses_unknown_arguments() {
    let home = Home::new();
    let (status, _, _) = status(&home.0, &[("DO_NOT_TRACK", "treu")], &["--mode", "opt-out"]);
    let layers = status["layers"].as_array().expect("the layers");
    assert_eq!(layers.len(), 13);
    let universal = layers.iter().find(|layer| layer["layer"] == "universal").expect("the layer");
    assert_eq!(universal["raw_value"], "treu");
    assert_eq!(universal["verdict"], "deny");
    for arguments in [&["--mode", "maybe"][..], &[], &["--mode"], &["--what", "x"]] {
        let output =
            clean(example("consent_status"), &home.0, &[]).args(arguments).output().expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn the_example_off_connects_only_if_nothing_denies() {
    let home = Home::new();
    let life = |variables: &[(&str, &str)]| {
        let server = Server::start([]);
        let mut command = clean(example("off"), &home.0, variables);
        let output = command.args(["--url", &server.url()]).output().expect("the example runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let figures: Value = serde_json::from_slice(&output.stdout).expect("one line of JSON");
        (figures, server.connections())
    };
    for variables in [
        [("DO_NOT_TRACK", "1")],
        [("CANDOR_OFF_TELEMETRY", "off")],
        [("CANDOR_OFF_TELEMETRY_DISABLED", "?")],
        [("CI", "1")],
    ] {
        let (figures, connections) = life(&variables);
        assert_eq!((&figures["state"], connections), (&Value::from("denied"), 0), "{variables:?}");
        assert_eq!(figures["captured"], 0);
    }
    let (figures, connections) = life(&[]);
    assert_eq!(figures["state"], "granted");
    assert!(connections > 0 && figures["sent"].as_u64().is_some_and(|sent| sent > 0), "{figures}");
    assert_eq!(fs::read_dir(&home.0).expect("the home").count(), 0, "a file was left");
}
