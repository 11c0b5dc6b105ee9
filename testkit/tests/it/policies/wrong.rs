//! Invalid input: broken files, broken sessions, and answers that cannot be stored. Broken files are never changed.

use std::fs;

use candor::Env;

use super::ck::session::{Session, now};
use super::{Dir, cf, ck, ins, play, talk};
use testkit::Server;
use testkit::lines;

const BROKEN_YAML: [&str; 7] = [
    "deployment: [",
    "deployment:\n  parameters:\n    AnalyticsDisabled: [\"false\"]\n",
    "deployment:\n  parameters:\n    AnalyticsDisabled: maybe\n",
    "deployment:\n  parameters:\n    AnalyticsDisabled: \"false\"\n    AnalyticsDisabled: \"false\"\n",
    "deployment:\n  parameters: &a\n    <<: *a\n",
    "deployment: \"\u{0}\"\n",
    "deployment:\n  parameters:\n    AnalyticsDisabled:\n      - true\n",
];

const BROKEN_JSON: [&str; 8] = [
    "{ \"telemetry\": { \"enabled\": tru",
    "",
    "[]",
    "{\"telemetry\": {\"enabled\": \"true\"}}",
    "{\"telemetry\": {\"enabled\": 1}}",
    "{\"telemetry\": true}",
    "{\"telemetry\": {\"enabled\": true}, \"telemetry\": {\"enabled\": true}}",
    "// yes please\n{\"telemetry\": {\"enabled\": true}}",
];

fn keyed() -> Env {
    Env::empty().with(ins::app::LICENSE, "TEST-LICENSE-KEY")
}

/// Runs a program whose file is broken: nothing is sent, one warning names the file, and the file is not changed.
fn check(name: &str, text: &[u8], run: impl FnOnce(&str, &str)) {
    lines::listen();
    let (dir, server) = (Dir::new(), Server::start([]));
    let path = dir.path().join(name);
    fs::write(&path, text).expect("a file");
    let before = fs::metadata(&path).and_then(|file| file.modified()).expect("its time");
    let warned = lines::warnings_here().len();
    run(&dir.text(), &server.url());
    let shown = String::from_utf8_lossy(text);
    assert_eq!(server.connections(), 0, "{shown}");
    let warnings = lines::warnings_here().split_off(warned);
    assert_eq!(warnings.len(), 1, "{shown}: {warnings:?}");
    assert!(warnings[0].contains("telemetry is off") && warnings[0].contains(name), "{warnings:?}");
    assert_eq!(fs::read(&path).expect("the file"), text);
    let after = fs::metadata(&path).and_then(|file| file.modified()).expect("its time");
    assert_eq!(before, after, "{shown}");
}

#[test]
fn a_broken_deployment_file_denies_with_one_warning() {
    let mut texts: Vec<Vec<u8>> = BROKEN_YAML.iter().map(|text| text.as_bytes().to_vec()).collect();
    texts.push(b"deployment: \xff\n".to_vec());
    texts.push(b"#".repeat(70_000));
    for text in texts {
        check(cf::app::DEPLOYMENT_FILE, &text, |dir, url| {
            let ran = play(cf::app::run, &["--dir", dir, "--url", url], &Env::empty());
            assert_eq!(ran.code, 0);
            assert!(ran.output.contains("telemetry: denied, decided by deployment"), "{}", ran.output);
        });
    }
}

#[test]
fn a_broken_project_file_denies_with_one_warning() {
    let mut texts: Vec<Vec<u8>> = BROKEN_JSON.iter().map(|text| text.as_bytes().to_vec()).collect();
    texts.push(b"{\"telemetry\": {\"enabled\": true}, \"x\": \"\xff\"}".to_vec());
    texts.push([&b"{\"telemetry\": {\"enabled\": true}}"[..], &b" ".repeat(70_000)].concat());
    for text in texts {
        check(ins::app::PROJECT_FILE, &text, |dir, url| {
            let ran = play(ins::app::run, &["--dir", dir, "--url", url, "fix"], &keyed());
            assert_eq!(ran.code, 0);
            assert!(ran.output.contains("telemetry: denied, decided by project"), "{}", ran.output);
        });
    }
}

#[test]
fn an_answer_that_cannot_be_stored_denies_and_is_reported() {
    for text in BROKEN_JSON {
        let dir = Dir::with(ins::app::PROJECT_FILE, text);
        let ran = talk(ins::app::run, &["--dir", &dir.text(), "init"], &keyed(), "y\n");
        assert_eq!(ran.code, 0, "{text}");
        assert!(
            ran.errors.contains("your answer was not stored, so telemetry stays off"),
            "{text}: {}",
            ran.errors
        );
        assert_eq!(dir.read(ins::app::PROJECT_FILE), text);
        assert_eq!(dir.names(), [ins::app::PROJECT_FILE], "nothing is left beside it");
    }
}

#[test]
fn an_expired_or_malformed_session_is_ignored() {
    let sound = Session::new("tsp_wrong".to_owned(), now());
    let text = |session: &Session| serde_json::to_string(session).expect("JSON");
    let valid = text(&sound);
    let cases = [
        text(&Session { expires: now(), ..sound.clone() }),
        text(&Session { expires: 0, ..sound.clone() }),
        text(&Session { token: " ".to_owned(), ..sound.clone() }),
        text(&Session { account: String::new(), ..sound.clone() }),
        valid.replace("tsp_wrong\"", "tsp_wrong\","),
        valid.replace("\"token\"", "\"tokem\""),
        valid.replace("\"telemetry\":true", "\"telemetry\":\"yes\""),
        valid.get(..valid.len() / 2).unwrap_or_default().to_owned(),
        String::new(),
        "null".to_owned(),
    ];
    for case in cases {
        let (dir, server) = (Dir::with("session.json", &case), Server::start([]));
        let ran = play(ck::app::run, &["--dir", &dir.text(), "--url", &server.url(), "run"], &Env::empty());
        assert!(
            ran.output.contains("denied, decided by preconditions (session: missing)"),
            "{case}: {}",
            ran.output
        );
        assert_eq!((ran.code, server.connections()), (0, 0), "{case}");
        assert_eq!(dir.read("session.json"), case);
    }
    let (dir, server) = (Dir::with("session.json", &valid), Server::start([]));
    play(ck::app::run, &["--dir", &dir.text(), "--url", &server.url(), "run"], &Env::empty());
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_token_that_is_not_a_valid_header_value_is_never_sent() {
    let session = Session::new("tsp_a\r\nx-evil: 1".to_owned(), now());
    let (dir, server) = (Dir::new(), Server::start([]));
    session.write(dir.path()).expect("a session");
    let ran = play(ck::app::run, &["--dir", &dir.text(), "--url", &server.url(), "run"], &Env::empty());
    assert_eq!((ran.code, server.connections()), (0, 0), "{}", ran.output);
    assert!(!ran.output.contains("evil") && !ran.errors.contains("evil"));
}

#[test]
fn wrong_arguments_print_the_usage() {
    for run in [ck::app::run, ins::app::run] {
        let ran = play(run, &["--dir", "."], &Env::empty());
        assert_eq!(ran.code, 2);
        assert!(ran.errors.contains("usage"), "{}", ran.errors);
    }
    for run in [cf::app::run, ck::app::run, ins::app::run] {
        assert_eq!(play(run, &["--url"], &Env::empty()).code, 2);
    }
}
