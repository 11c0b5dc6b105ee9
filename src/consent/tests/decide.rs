//! The layer matrix: what each layer says in each mode, and which one decides.
//!
//! These tests never touch a file.

use std::time::Duration;

use super::super::choice::{Answer, Choice, Receipt};
use super::super::decide::{ConsentState, decide};
use super::super::finding::Vote;
use super::super::inputs::{FileContent, FileState, Inputs, ReadFailure, Source};
use super::super::layers::Layer;
use super::super::status::Status;
use super::{ENDPOINT, NOW, documented, facts, inputs};
use crate::consent::account::Account;
use crate::consent::declaration::{CiPolicy, Consent, Notice, Subject};
use crate::settings::Env;
use ConsentState::{Deferred, Denied, Granted};

fn check(inputs: &Inputs, state: ConsentState, by: Layer) {
    let decision = decide(inputs);
    let status = Status::new(inputs, &decision);
    assert_eq!((decision.state(), decision.decided_by()), (state, by), "{status}");
    assert_eq!(decision.granted().is_some(), state == Granted);
}

fn with_env(consent: Consent, name: &str, value: &str) -> Inputs {
    Inputs::new(facts(consent), Env::empty().with(name, value), NOW)
}

fn with_choice(consent: Consent, change: impl FnOnce(&mut Choice)) -> Inputs {
    let mut choice = Choice::new(Answer::Granted, NOW - 10, 1);
    choice.notice_version = 1;
    choice.endpoint = Some(ENDPOINT.into());
    change(&mut choice);
    let mut inputs = inputs(consent);
    inputs.files.choice = Source::new("/state/choice.json", FileState::read(choice.to_bytes()));
    inputs
}

fn with_project(consent: Consent, json: &str) -> Inputs {
    let mut inputs = inputs(consent.subject(Subject::Project).subject(Subject::User));
    inputs.files.project = Source::new("project.json", FileState::read(json));
    inputs
}

fn with_deployment(yaml: &str) -> Inputs {
    let mut inputs = inputs(documented());
    inputs.files.deployment = Source::new("deployment.yml", FileState::read(yaml));
    inputs
}

fn with_policy(consent: Consent, toml: &str) -> Inputs {
    let mut inputs = inputs(consent);
    inputs.files.policy = Source::new("/etc/my-tool/telemetry.toml", FileState::read(toml));
    inputs
}

#[test]
fn the_mode_decides_what_silence_means() {
    check(&inputs(Consent::opt_in()), Deferred, Layer::Mode);
    check(&inputs(documented()), Granted, Layer::Mode);
    check(&inputs(Consent::session()), Denied, Layer::Preconditions);
    check(&inputs(Consent::session().session_present(true)), Granted, Layer::Mode);
    check(&inputs(Consent::opt_out(Notice::shown("we count"))), Deferred, Layer::Mode);
}

#[test]
fn each_single_no_denies_in_every_mode() {
    let modes = [documented(), Consent::opt_in(), Consent::session().session_present(true)];
    for mode in modes {
        let granted =
            || mode.clone().subject(Subject::Account).subject(Subject::User).account(Account::allow());
        check(&inputs(granted()), Granted, Layer::Account);
        let mut built_out = inputs(granted());
        built_out.facts.build_off = true;
        check(&built_out, Denied, Layer::Build);
        check(&with_env(granted(), "DO_NOT_TRACK", "1"), Denied, Layer::Universal);
        for (name, value) in [
            ("MY_TOOL_TELEMETRY_DISABLED", "1"),
            ("MY_TOOL_NO_TELEMETRY", "true"),
            ("MY_TOOL_TELEMETRY_OPTOUT", "yes"),
            ("MY_TOOL_TELEMETRY", "0"),
            ("MY_TOOL_TELEMETRY", "disabled"),
            ("MY_TOOL_TELEMETRY_ENABLED", "off"),
            ("OLD_NAME", "on"),
            ("OLD_SWITCH", "off"),
        ] {
            let consent = granted().deny_env("OLD_NAME").telemetry_env("OLD_SWITCH");
            check(&with_env(consent, name, value), Denied, Layer::AppEnv);
        }
        check(&inputs(granted().no_telemetry_flag(true)), Denied, Layer::Flag);
        check(&inputs(granted().account(Account::deny())), Denied, Layer::Account);
        check(&with_project(granted(), r#"{"telemetry":{"enabled":false}}"#), Denied, Layer::Project);
        check(&with_choice(granted(), |choice| choice.answer = Answer::Denied), Denied, Layer::User);
        check(&inputs(granted().license_key_present(false)), Denied, Layer::Preconditions);
        check(&inputs(granted().session_present(false)), Denied, Layer::Preconditions);
        check(&inputs(granted().non_release_build(true)), Denied, Layer::Environment);
        let mut withdrawn = inputs(granted());
        withdrawn.runtime.withdrawn = true;
        check(&withdrawn, Denied, Layer::Runtime);
        let mut stopped = inputs(granted());
        stopped.runtime.stopped_by = Some(410);
        check(&stopped, Denied, Layer::Runtime);
        for endpoint in [None, Some(String::new()), Some("  ".to_owned())] {
            let mut nowhere = inputs(granted());
            nowhere.facts.endpoint = endpoint;
            check(&nowhere, Denied, Layer::Preconditions);
        }
        let mut keyless = inputs(granted());
        keyless.facts.api_key_missing = true;
        check(&keyless, Denied, Layer::Preconditions);
    }
}

#[test]
fn only_a_declared_subject_grants() {
    check(&with_choice(Consent::opt_in(), |_| {}), Granted, Layer::User);
    check(&with_choice(Consent::opt_in().subject(Subject::Project), |_| {}), Deferred, Layer::Mode);
    let enabled = r#"{"telemetry":{"enabled":true}}"#;
    check(&with_project(Consent::opt_in(), enabled), Granted, Layer::Project);
    let mut unasked = with_project(Consent::opt_in(), enabled);
    unasked.facts.consent.subjects = vec![Subject::User];
    check(&unasked, Deferred, Layer::Mode);
    let account = |account| Consent::opt_in().subject(Subject::Account).account(account);
    check(&inputs(account(Account::allow())), Granted, Layer::Account);
    check(&inputs(Consent::opt_in().account(Account::allow())), Deferred, Layer::Mode);
    check(&with_env(Consent::opt_in(), "MY_TOOL_TELEMETRY", "1"), Deferred, Layer::Mode);
    check(&with_env(Consent::opt_in().env_may_grant(true), "MY_TOOL_TELEMETRY", "1"), Granted, Layer::AppEnv);
    check(&with_env(Consent::opt_in().env_may_grant(true), "DO_NOT_TRACK", "0"), Deferred, Layer::Mode);
    check(
        &with_env(Consent::opt_in().env_may_grant(true), "MY_TOOL_NO_TELEMETRY", "0"),
        Deferred,
        Layer::Mode,
    );
}

#[test]
fn a_grant_of_the_user_can_end_but_a_refusal_does_not() {
    let opt_in = || Consent::opt_in().notice_version(2).catalogue("abc");
    let current = |choice: &mut Choice| {
        choice.notice_version = 2;
        choice.catalogue = Some("abc".into());
    };
    check(&with_choice(opt_in(), current), Granted, Layer::User);
    let outdated: [fn(&mut Choice); 5] = [
        |choice| choice.notice_version = 1,
        |choice| choice.endpoint = Some("https://other.example.com".into()),
        |choice| choice.endpoint = None,
        |choice| choice.catalogue = Some("abd".into()),
        |choice| choice.at = NOW + 1,
    ];
    for change in outdated {
        let outdate = |choice: &mut Choice| {
            current(choice);
            change(choice);
        };
        check(&with_choice(opt_in(), outdate), Deferred, Layer::Mode);
        let refuse = |choice: &mut Choice| {
            outdate(choice);
            choice.answer = Answer::Denied;
        };
        check(&with_choice(opt_in(), refuse), Denied, Layer::User);
    }
}

#[test]
fn a_stale_account_denies_if_a_session_is_required() {
    let stale = || Account::allow().fetched(Duration::from_secs(61)).ttl(Duration::from_secs(60));
    let fresh = || Account::allow().fetched(Duration::from_secs(60)).ttl(Duration::from_secs(60));
    let session = || Consent::session().session_present(true).subject(Subject::Account);
    check(&inputs(session().account(fresh())), Granted, Layer::Account);
    check(&inputs(session().account(stale())), Denied, Layer::Account);
    check(&inputs(session().account(Account::unknown())), Denied, Layer::Account);
    check(&inputs(session().account(Account::unknown().unknown_denies(false))), Granted, Layer::Mode);
    let opt_in = || Consent::opt_in().subject(Subject::Account);
    check(&inputs(opt_in().account(stale())), Deferred, Layer::Mode);
    check(&inputs(opt_in().account(Account::unknown().unknown_denies(true))), Denied, Layer::Account);
    check(&inputs(documented().account(Account::deny().fetched(Duration::MAX))), Denied, Layer::Account);
}

#[test]
#[cfg(feature = "yaml")]
fn the_deployment_parameter_is_read_by_the_legacy_column() {
    let parameter = |value: &str| {
        with_deployment(&format!("deployment:\n  parameters:\n    AnalyticsDisabled: {value}\n"))
    };
    for value in ["\"true\"", "true", "'1'", "yes", "\"on\"", "'T'"] {
        check(&parameter(value), Denied, Layer::Deployment);
    }
    for value in ["\"false\"", "false", "'0'", "no", "\"off\"", "\"\"", "'  '"] {
        check(&parameter(value), Granted, Layer::Mode);
    }
    for value in
        ["\"enabled\"", "disabled", "1", "0", "null", "~", "", "[]", "{}", "\"treu\"", "1.5", "2026-01-01"]
    {
        check(&parameter(value), Denied, Layer::Deployment);
    }
    for text in ["", "deployment:\n  parameters:\n", "deployment:\n  parameters: {}\n", "other: 1\n"] {
        check(&with_deployment(text), Granted, Layer::Mode);
    }
    for text in ["deployment: [", "deployment: text\n", "a: 1\na: 2\n", "x: &a 1\ndeployment: *a\n"] {
        check(&with_deployment(text), Denied, Layer::Deployment);
    }
}

#[test]
#[cfg(feature = "yaml")]
fn the_deployments_log_level_only_turns_printing_on() {
    let level = |value: &str| {
        let inputs =
            with_deployment(&format!("deployment:\n  parameters:\n    AnalyticsLogLevel: {value}\n"));
        let decision = decide(&inputs);
        assert_eq!(decision.state(), Granted);
        decision.debug_print()
    };
    assert!(level("\"debug\"") && level("Debug"));
    assert!(!level("info") && !level("1") && !level("[debug]"));
}

#[test]
fn the_project_key_must_be_a_boolean() {
    let project =
        |value: &str| with_project(Consent::opt_in(), &format!(r#"{{"telemetry":{{"enabled":{value}}}}}"#));
    check(&project("true"), Granted, Layer::Project);
    check(&project("false"), Denied, Layer::Project);
    for value in [
        "\"true\"",
        "\"false\"",
        "\"\"",
        "\"enabled\"",
        "1",
        "0",
        "null",
        "[]",
        "{}",
        "true,\"enabled\":true",
    ] {
        check(&project(value), Denied, Layer::Project);
    }
    check(&with_project(Consent::opt_in(), "{}"), Deferred, Layer::Mode);
    check(&with_project(Consent::opt_in(), r#"{"telemetry":{}}"#), Deferred, Layer::Mode);
    check(&with_project(Consent::opt_in(), r#"{"telemetry":true}"#), Denied, Layer::Project);
    let own_key = Consent::opt_in().project_key("usage");
    check(&with_project(own_key, r#"{"usage":true}"#), Granted, Layer::Project);
}

#[test]
#[cfg(feature = "toml")]
fn the_machines_policy_denies_or_grants_by_known_keys() {
    for text in [
        "enabled = false",
        "disabled = true",
        "[telemetry]\nenabled = false",
        "managed_grant = true\nenabled = false",
        "enabled = \"false\"",
        "enabled = 0",
        "enbaled = false",
        "enabled = ",
        "telemetry = 1",
    ] {
        check(&with_policy(documented(), text), Denied, Layer::MachinePolicy);
    }
    for text in
        ["", "# nothing\n", "enabled = true", "disabled = false", "managed_grant = false", "[telemetry]"]
    {
        check(&with_policy(documented(), text), Granted, Layer::Mode);
        check(&with_policy(Consent::opt_in(), text), Deferred, Layer::Mode);
    }
    check(&with_policy(Consent::opt_in(), "managed_grant = true"), Granted, Layer::MachinePolicy);
    let mut tracked = with_policy(Consent::opt_in(), "managed_grant = true");
    tracked.env = Env::empty().with("DO_NOT_TRACK", "yes");
    check(&tracked, Denied, Layer::Universal);
}

#[test]
fn a_file_that_exists_but_cannot_be_read_denies() {
    let failures = [
        ReadFailure::Link,
        ReadFailure::NotAFile,
        ReadFailure::TooLarge,
        ReadFailure::NotAllowed,
        ReadFailure::Failed,
    ];
    let world = FileContent { bytes: b"{}".to_vec(), world_writable: true, ..FileContent::default() };
    let states = failures.map(FileState::Failed).into_iter().chain([FileState::Read(world)]);
    for state in states {
        let mut each: [(Layer, Inputs); 5] = [
            (Layer::MachinePolicy, inputs(documented())),
            (Layer::Deployment, inputs(documented())),
            (Layer::Project, inputs(documented())),
            (Layer::User, inputs(documented())),
            (Layer::Mode, inputs(Consent::opt_out(Notice::shown("we count")))),
        ];
        for (layer, inputs) in &mut each {
            let files = &mut inputs.files;
            let source = match layer {
                Layer::MachinePolicy => &mut files.policy,
                Layer::Deployment => &mut files.deployment,
                Layer::Project => &mut files.project,
                Layer::User => &mut files.choice,
                _ => &mut files.receipt,
            };
            *source = Source::new("/a/file.json", state.clone());
            check(inputs, Denied, *layer);
            assert!(decide(inputs).deciding_report().unwrap().malformed);
        }
    }
}

#[test]
fn a_grant_counts_only_where_nobody_else_could_have_written_it() {
    for change in [
        (|file: &mut FileContent| file.foreign = true) as fn(&mut FileContent),
        |file| file.group_writable = true,
        |file| file.world_writable = true,
    ] {
        let mut granted = with_choice(Consent::opt_in(), |_| {});
        if let FileState::Read(file) = &mut granted.files.choice.state {
            change(file);
        }
        check(&granted, Denied, Layer::User);
    }
    let mut policy = inputs(Consent::opt_in());
    let json = FileContent { bytes: b"{\"managed_grant\":true}".to_vec(), ..FileContent::default() };
    for (foreign, group_writable, state) in
        [(false, false, Granted), (true, false, Denied), (false, true, Denied)]
    {
        let file = FileContent { foreign, group_writable, ..json.clone() };
        policy.files.policy = Source::new("/p.json", FileState::Read(file));
        check(&policy, state, Layer::MachinePolicy);
    }
}

fn with_document(name: &str, text: &str) -> Inputs {
    let mut inputs = inputs(documented());
    inputs.files.deployment = Source::new(name, FileState::read(text));
    inputs
}

#[test]
fn a_misspelt_denial_of_the_deployment_counts_in_every_format() {
    let documents = |key: [&str; 3], value: &str| {
        let [outer, middle, inner] = key;
        let mut documents =
            vec![("d.json", format!(r#"{{"{outer}":{{"{middle}":{{"{inner}":"{value}"}}}}}}"#))];
        if cfg!(feature = "yaml") {
            documents.push(("d.yml", format!("{outer}:\n  {middle}:\n    {inner}: \"{value}\"\n")));
            documents.push(("d.yml", format!("{}: \"{value}\"\n", key.join("."))));
        }
        if cfg!(feature = "toml") {
            documents.push(("d.toml", format!("[{outer}.{middle}]\n{inner} = \"{value}\"\n")));
            documents.push(("d.toml", format!("\"{}\" = \"{value}\"\n", key.join("."))));
        }
        documents
    };
    let [outer, middle, inner] = ["deployment", "parameters", "AnalyticsDisabled"];
    for (name, text) in documents([outer, middle, inner], "true") {
        let decision = decide(&with_document(name, &text));
        let report = decision.deciding_report().unwrap();
        assert_eq!((report.layer, report.reason.as_str()), (Layer::Deployment, "disabled"), "{text}");
    }
    let near = [
        [outer, middle, "AnalyticDisabled"],
        [outer, middle, "analyticsDisabled"],
        [outer, middle, "analytics_disabled"],
        [outer, "parameter", inner],
        ["Deployment", "Parameters", inner],
    ];
    for (key, value) in near.into_iter().flat_map(|key| [(key, "true"), (key, "false"), (key, "")]) {
        for (name, text) in documents(key, value) {
            let inputs = with_document(name, &text);
            check(&inputs, Denied, Layer::Deployment);
            let decision = decide(&inputs);
            let report = decision.deciding_report().unwrap();
            assert!(report.malformed && report.reason.contains(&key.join(".")), "{}", report.reason);
        }
    }
    let others = [
        [outer, middle, "AnalyticsLogLevel"],
        [outer, middle, "MetricsDisabled"],
        [outer, "outputs", inner],
        ["development", middle, inner],
    ];
    for (name, text) in others.into_iter().flat_map(|key| documents(key, "true")) {
        check(&with_document(name, &text), Granted, Layer::Mode);
    }
    // The opposite name is more than two letters away, but counts if it denies.
    for (value, state, by) in [("false", Denied, Layer::Deployment), ("true", Granted, Layer::Mode)] {
        for (name, text) in documents([outer, middle, "AnalyticsEnabled"], value) {
            check(&with_document(name, &text), state, by);
        }
    }
}

#[test]
fn another_name_for_the_switch_counts_if_it_denies() {
    let nested = |pair: &str| format!(r#"{{"deployment":{{"parameters":{{{pair}}}}}}}"#);
    for no in [
        r#""TelemetryDisabled":"true""#,
        r#""DisableAnalytics":true"#,
        r#""AnalyticsDisable":"true""#,
        r#""disable_telemetry":"treu""#,
        r#""EnableAnalytics":"false""#,
        r#""TelemetryEnabled":false"#,
        r#""Telemetry":"off""#,
        r#""DO_NOT_TRACK":"1""#,
        r#""AnalyticsDisabled":"false","TelemetryDisabled":"true""#,
    ] {
        for json in [
            nested(no),
            format!("{{{no}}}"),
            format!(r#"{{"deployment":{{{no}}}}}"#),
            format!("{{{}}}", no.replacen('"', "\"deployment.parameters.", 1)),
        ] {
            let inputs = with_document("d.json", &json);
            check(&inputs, Denied, Layer::Deployment);
            let decision = decide(&inputs);
            let report = decision.deciding_report().unwrap();
            assert!(report.malformed, "one line in the log names it: {json}");
        }
    }
    for other in [
        r#""TelemetryDisabled":"false""#,
        r#""DisableAnalytics":false"#,
        r#""TelemetryEnabled":"true""#,
        r#""Analytics":"G-12345""#,
        r#""Analytics":{"Bucket":"b"}"#,
        r#""TrackingDisabled":"""#,
        r#""MetricsDisabled":"true""#,
    ] {
        check(&with_document("d.json", &nested(other)), Granted, Layer::Mode);
    }
    check(&with_document("d.json", r#"{"grafana":{"DisableAnalytics":true}}"#), Granted, Layer::Mode);
    for json in [
        r#"{"disableTelemetry":true}"#,
        r#"{"telemetry":{"telemetryDisabled":true}}"#,
        r#"{"analytics":false}"#,
        r#"{"telemetry":{"enabled":true,"optOut":true}}"#,
        r#"{"telemetry":{"enabled":true,"off":"yes"}}"#,
        r#"{"telemetry":{"opt-in":false}}"#,
        r#"{"telemetry":{"enabled":true},"analytics":{"disabled":true}}"#,
        r#"{"Analytics":{"enabled":"false"}}"#,
        r#"{"tracking":{"opt_out":"1"}}"#,
        r#"{"disableTelemetry":1}"#,
    ] {
        check(&with_project(documented(), json), Denied, Layer::Project);
    }
    for pages in [
        r#"{"analytics":"G-12345","telemetry":{"endpoint":"x"}}"#,
        r#"{"analytics":{"id":"G-12345","enabled":true},"telemetry":{"on":"push","off":"night","no":7}}"#,
        r#"{"telemetry":{"enabled":true,"optOut":false}}"#,
        r#"{"plugins":{"analytics":{"disabled":true}}}"#,
    ] {
        assert_eq!(decide(&with_project(documented(), pages)).state(), Granted, "{pages}");
    }
}

#[test]
fn a_denial_of_the_deployment_counts_without_its_indent_or_heading() {
    for (json, state, by) in [
        (r#"{"AnalyticsDisabled":"true"}"#, Denied, Layer::Deployment),
        (r#"{"parameters":{"AnalyticsDisabled":true}}"#, Denied, Layer::Deployment),
        (r#"{"deployment":{"AnalyticsDisabled":"yes"}}"#, Denied, Layer::Deployment),
        (r#"{"deployment":{"parameters":[{"AnalyticsDisabled":"yes"}]}}"#, Denied, Layer::Deployment),
        (r#"{"AnalyticsDisabled":"false"}"#, Granted, Layer::Mode),
        (r#"{"other":{"AnalyticsDisabled":"true"}}"#, Granted, Layer::Mode),
    ] {
        check(&with_document("d.json", json), state, by);
    }
}

#[test]
fn a_misspelt_denial_of_the_project_counts() {
    for json in [
        r#"{"telemetry":{"enable":false}}"#,
        r#"{"telemetry":{"Enabled":false}}"#,
        r#"{"Telemetry":{"enabled":false}}"#,
        r#"{"telemetry.enabled":false}"#,
        r#"{"telemetry":{"disabled":true}}"#,
        r#"{"telemetry":{"enabled":true,"disabled":"yes"}}"#,
        r#"{"telemetry":{"enabled":true},"telemetry.enabled":false}"#,
    ] {
        check(&with_project(documented(), json), Denied, Layer::Project);
    }
    for json in [
        r#"{"telemetry":{"disabled":false}}"#,
        r#"{"telemetry":{"endpoint":"x"}}"#,
        r#"{"enabled":false}"#,
        r#"{"telemetry":{"enabled":true,"disabled":false}}"#,
    ] {
        let state = decide(&with_project(documented(), json)).state();
        assert_eq!(state, Granted, "{json}");
    }
    let consent = documented().project_key("usage.report").project_file("p.json");
    check(&with_project(consent.clone(), r#"{"usage":{"reports":false}}"#), Denied, Layer::Project);
    check(&with_project(consent, r#"{"usage":{"support":false}}"#), Granted, Layer::Mode);
}

#[test]
fn hostile_choices_deny() {
    let good = String::from_utf8(Choice::new(Answer::Granted, 1, 1).to_bytes()).unwrap();
    for text in [
        String::new(),
        "granted".into(),
        "[]".into(),
        good.replace("\"schema\": 1", "\"schema\": 2"),
        good.replace("\"granted\"", "\"maybe\""),
        good.replace("\"schema\": 1,", "\"schema\": 1, \"more\": 1,"),
        good.replace("\"schema\": 1,", "\"schema\": 1, \"schema\": 1,"),
        good.replace("\"at\": 1", "\"at\": -1"),
        good.trim_end().trim_end_matches('}').into(),
    ] {
        let mut inputs = inputs(Consent::opt_in());
        inputs.files.choice = Source::new("/state/choice.json", FileState::read(text.as_bytes()));
        check(&inputs, Denied, Layer::User);
    }
}

#[test]
fn the_refusal_of_a_sudo_caller_counts_but_their_grant_does_not() {
    let mut both = with_choice(Consent::opt_in(), |_| {});
    both.files.invoker_choice =
        Source::new("/home/ann/choice.json", FileState::read(Choice::new(Answer::Denied, 1, 1).to_bytes()));
    check(&both, Denied, Layer::User);
    let mut theirs = with_choice(Consent::opt_in(), |_| {});
    std::mem::swap(&mut theirs.files.choice, &mut theirs.files.invoker_choice);
    check(&theirs, Deferred, Layer::Mode);
}

#[test]
fn a_shown_notice_needs_a_receipt_from_an_earlier_run() {
    let with_receipt = |version: u32, at: u64| {
        let mut inputs = inputs(Consent::opt_out(Notice::shown("we count")).notice_version(2));
        let receipt = Receipt::new(version, at, "1.0.0", "we count");
        inputs.files.receipt = Source::new("/state/notice.json", FileState::read(receipt.to_bytes()));
        inputs
    };
    check(&with_receipt(2, NOW - 1), Granted, Layer::Mode);
    check(&with_receipt(1, NOW - 1), Deferred, Layer::Mode);
    check(&with_receipt(3, NOW - 1), Deferred, Layer::Mode);
    check(&with_receipt(2, NOW + 1), Deferred, Layer::Mode);
    let mut same_run = with_receipt(2, NOW - 1);
    same_run.runtime.notice_shown = true;
    check(&same_run, Deferred, Layer::Mode);
    let mut broken = with_receipt(2, NOW - 1);
    broken.files.receipt = Source::new("/state/notice.json", FileState::read("{"));
    check(&broken, Denied, Layer::Mode);
}

#[test]
fn in_ci_nothing_is_sent_without_a_grant_made_for_it() {
    let ci = |mut inputs: Inputs| {
        inputs.env = inputs.env.with("CI", "true").with("GITHUB_ACTIONS", "true");
        inputs
    };
    check(&ci(inputs(documented())), Denied, Layer::Environment);
    check(&ci(inputs(Consent::opt_in())), Denied, Layer::Environment);
    check(&ci(with_choice(Consent::opt_in(), |_| {})), Denied, Layer::Environment);
    check(&ci(inputs(documented().ci_policy(CiPolicy::Allow))), Granted, Layer::Mode);
    check(&ci(inputs(Consent::opt_in().ci_policy(CiPolicy::Allow))), Deferred, Layer::Mode);
    check(&ci(with_project(Consent::opt_in(), r#"{"telemetry":{"enabled":true}}"#)), Granted, Layer::Project);
    check(&ci(inputs(Consent::session().session_present(true))), Granted, Layer::Mode);
    check(
        &ci(with_env(Consent::opt_in().env_may_grant(true), "MY_TOOL_TELEMETRY", "1")),
        Granted,
        Layer::AppEnv,
    );
    let mut tracked = ci(with_project(Consent::opt_in(), r#"{"telemetry":{"enabled":true}}"#));
    tracked.env = tracked.env.with("DO_NOT_TRACK", "1");
    check(&tracked, Denied, Layer::Universal);
}

#[test]
fn a_variable_that_is_set_twice_denies_if_either_value_does() {
    for (first, second) in [("1", "0"), ("0", "1"), ("", "what?")] {
        let block = [("DO_NOT_TRACK", first), ("PATH", "/bin"), ("DO_NOT_TRACK", second)];
        let env = Env::of_block(block.map(|(name, value)| (name.into(), value.into())));
        assert_eq!(env.get("DO_NOT_TRACK").unwrap(), first);
        check(&Inputs::new(facts(documented()), env.clone(), NOW), Denied, Layer::Universal);
        check(&Inputs::new(facts(documented()), env.with("DO_NOT_TRACK", "0"), NOW), Granted, Layer::Mode);
    }
    let env = Env::of_block(
        [("MY_TOOL_TELEMETRY", "1"), ("MY_TOOL_TELEMETRY", "0")]
            .map(|(name, value)| (name.into(), value.into())),
    );
    check(&Inputs::new(facts(Consent::opt_in().env_may_grant(true)), env, NOW), Denied, Layer::AppEnv);
}

#[test]
fn raw_values_are_shown_escaped_and_cut() {
    let inputs = with_env(documented(), "DO_NOT_TRACK", &format!("\u{1b}[31m{}", "x".repeat(500)));
    let decision = decide(&inputs);
    let report = decision.deciding_report().unwrap();
    let raw = report.raw_value.as_deref().unwrap();
    assert!(raw.starts_with("\\u{1b}[31m") && raw.chars().count() == 64);
    assert!(!report.reason.contains('x') && report.malformed);
    assert!(!Status::new(&inputs, &decision).to_string().contains('\u{1b}'));
}

#[test]
fn the_variable_of_a_provider_is_named_without_its_value() {
    let shown = |name: &str, value: &str| {
        let inputs = with_env(documented(), name, value);
        let decision = decide(&inputs);
        assert_eq!(decision.decided_by(), Layer::Environment);
        (decision.deciding_report().unwrap().sentence(), Status::new(&inputs, &decision).to_json())
    };
    let address = "https://ann:secret@ci.example.com";
    for name in ["HUDSON_URL", "SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"] {
        let (sentence, json) = shown(name, address);
        assert!(sentence.starts_with(&format!("{name}: continuous integration (")), "{sentence}");
        assert!(!json.contains("secret"), "{json}");
    }
    assert!(shown("CI", "treu").0.starts_with("CI=treu: continuous integration"));
}

#[test]
fn which_denials_outlive_the_run() {
    assert!(!decide(&with_env(documented(), "DO_NOT_TRACK", "1")).is_persistent_denial());
    assert!(!decide(&inputs(documented().no_telemetry_flag(true))).is_persistent_denial());
    assert!(!decide(&inputs(documented().license_key_present(false))).is_persistent_denial());
    let refused = with_choice(documented(), |choice| choice.answer = Answer::Denied);
    assert!(decide(&refused).is_persistent_denial());
}

#[test]
fn a_lasting_denial_ends_what_is_kept_even_if_another_layer_decides() {
    let refused = || with_choice(documented(), |choice| choice.answer = Answer::Denied);
    assert!(decide(&refused()).ends_what_is_kept());
    let mut both = refused();
    both.env = Env::empty().with("DO_NOT_TRACK", "1");
    let decision = decide(&both);
    assert_eq!(decision.decided_by(), Layer::Universal);
    assert!(decision.ends_what_is_kept());
    assert!(!decide(&with_env(documented(), "DO_NOT_TRACK", "1")).ends_what_is_kept());
    assert!(!decide(&inputs(documented().license_key_present(false))).ends_what_is_kept());
}

#[test]
fn the_status_is_stable_json() {
    let inputs = with_env(documented(), "DO_NOT_TRACK", "1");
    let status: serde_json::Value =
        serde_json::from_str(&Status::new(&inputs, &decide(&inputs)).to_json()).unwrap();
    assert_eq!(status["state"], "denied");
    assert_eq!(status["mode"], "opt-out");
    assert_eq!(status["decided_by"], "universal");
    assert_eq!(status["notice_version"], 1);
    assert_eq!(status["endpoint"], ENDPOINT);
    assert_eq!(status["would_send"], false);
    assert_eq!(status["queue"], serde_json::json!({ "mem": 0, "disk": 0 }));
    assert_eq!(status["last_send"], serde_json::Value::Null);
    let layers: Vec<_> =
        status["layers"].as_array().unwrap().iter().map(|layer| layer["layer"].as_str().unwrap()).collect();
    let wanted = [
        "build",
        "universal",
        "app_env",
        "flag",
        "machine_policy",
        "account",
        "deployment",
        "project",
        "user",
        "preconditions",
        "environment",
        "runtime",
        "mode",
    ];
    assert_eq!(layers, wanted);
    let universal = &status["layers"][1];
    assert_eq!(universal["verdict"], "deny");
    assert_eq!(universal["source"], "DO_NOT_TRACK");
    assert_eq!(universal["raw_value"], "1");
}

#[test]
fn a_denial_is_passed_to_a_child_on_its_command_only() {
    let variables = |inputs: &Inputs| {
        let mut command = std::process::Command::new("child");
        decide(inputs).apply_to_child("my-tool", &mut command);
        command.get_envs().map(|(name, _)| name.to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(variables(&inputs(documented().no_telemetry_flag(true))), ["MY_TOOL_TELEMETRY_DISABLED"]);
    let tracked = with_env(documented(), "DO_NOT_TRACK", "1");
    assert_eq!(variables(&tracked), ["DO_NOT_TRACK", "MY_TOOL_TELEMETRY_DISABLED"]);
    assert!(variables(&inputs(documented())).is_empty());
    assert!(variables(&inputs(Consent::opt_in())).is_empty());
}

#[test]
fn every_report_gives_a_reason() {
    for inputs in [inputs(Consent::opt_in()), inputs(documented()), with_choice(documented(), |_| {})] {
        for report in decide(&inputs).layers() {
            assert!(!report.reason.is_empty(), "{report:?}");
            assert_eq!(report.malformed, report.malformed && report.vote == Vote::Deny);
        }
    }
}
