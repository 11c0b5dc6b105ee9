//! Marks that must never be sent, placed in every input that the programs read. What a program prints for the person
//! who runs it is not checked, because it stays on the machine.

use std::fs;
use std::path::Path;
use std::process::Output;
use std::sync::OnceLock;

use super::Dir;
use super::ck::session::{Session, now};
use testkit::example;
use testkit::{Received, Server};

/// Part of most marks; the others are numbers and names.
const MARK: &str = "canary";
const ACCOUNT_ID: &str = "998877665544";
const TOKEN: &str = "tsp_canarytoken";
const LICENSE: &str = "PRO-CANARY-0042-LICENCE";

/// Everything that could have been sent.
struct Escaped {
    /// Targets, headers and bodies, without the header that contains the token.
    wire: String,
    /// The log lines of the crate and its dependencies.
    log: String,
    /// The bytes of the edge's store.
    store: String,
    requests: usize,
}

impl Escaped {
    #[track_caller]
    fn never(&self, mark: &str) {
        for (place, text) in [("the wire", &self.wire), ("the log", &self.log), ("the store", &self.store)] {
            let text = text.to_ascii_lowercase();
            if let Some(at) = text.find(&mark.to_ascii_lowercase()) {
                let from = text[..at].char_indices().rev().nth(40).map_or(0, |(index, _)| index);
                panic!("{mark} is on {place}: {:?}", text[from..].chars().take(120).collect::<String>());
            }
        }
    }

    #[track_caller]
    fn never_any(&self, marks: &[&str]) {
        assert!(self.requests > 0, "a search that finds nothing in nothing proves nothing");
        for mark in marks.iter().chain(&[MARK, ACCOUNT_ID]) {
            self.never(mark);
        }
    }
}

/// Environment variables that a machine, a pipeline or a careless person may have set.
const VARIABLES: [(&str, &str); 14] = [
    ("USER", "canary-user"),
    ("LOGNAME", "canary-user"),
    ("HOSTNAME", "canary-host"),
    ("EMAIL", "canary@example.com"),
    ("GIT_AUTHOR_NAME", "Canary Author"),
    ("GIT_AUTHOR_EMAIL", "canary-author@example.com"),
    ("GITHUB_REPOSITORY", "canary-org/canary-repo"),
    ("GITHUB_REF_NAME", "canary-branch"),
    ("GITHUB_TOKEN", "ghs_canary"),
    ("AWS_SECRET_ACCESS_KEY", "canary-secret"),
    ("AWS_ACCOUNT_ID", ACCOUNT_ID),
    ("AWS_REGION", "xx-canary-1"),
    ("CDK_DEFAULT_ACCOUNT", ACCOUNT_ID),
    ("PWD", "/home/canary/work"),
];

/// Runs a program twice, once against a server that keeps every byte and once against its own edge.
fn run(name: &str, dir: &Path, variables: &[(&str, &str)], calls: &[&[&str]]) -> Escaped {
    let server = Server::start([]);
    let (mut log, here) = (String::new(), dir.display().to_string());
    let mut call = |arguments: &[&str]| {
        let mut command = example(name);
        command.env_clear().env("HOME", dir.join("canary-home")).current_dir(dir);
        command.envs(VARIABLES).envs(variables.iter().copied()).args(arguments);
        log += &logged(&command.output().expect("the example runs"));
    };
    for arguments in calls {
        call(&[&["--dir", here.as_str(), "--url", &server.url()], *arguments].concat());
    }
    for arguments in calls {
        call(&[&["--dir", here.as_str()], *arguments].concat());
    }
    let store = fs::read(dir.join("collected.sqlite")).expect("the edge's store");
    let store = String::from_utf8_lossy(&store).into_owned();
    let requests = server.requests();
    Escaped { wire: requests.iter().map(on_the_wire).collect(), log, store, requests: requests.len() }
}

fn on_the_wire(request: &Received) -> String {
    let headers = request.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
    let headers: Vec<_> = headers.map(|(name, value)| format!("{name}: {value}")).collect();
    format!(
        "{} {}\n{}\n{}\n",
        request.method,
        request.target,
        headers.join("\n"),
        String::from_utf8_lossy(&request.body)
    )
}

/// The lines of the log, which begin with their level.
fn logged(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!text.contains("panicked"), "{text}");
    let mut is_log = false;
    let lines = text.lines().filter(|line| {
        // A printed batch continues on lines that are indented or that close it.
        is_log = line.starts_with('[') || is_log && line.starts_with([' ', '{', '}']);
        is_log
    });
    lines.flat_map(|line| [line, "\n"]).collect()
}

#[test]
fn the_search_finds_marks() {
    let clean = || Escaped { wire: String::new(), log: String::new(), store: String::new(), requests: 1 };
    clean().never_any(&[]);
    for escaped in [
        Escaped { wire: "x-host: CANARY-host".to_owned(), ..clean() },
        Escaped { log: "[warn] \u{e9} canary".to_owned(), ..clean() },
        Escaped { store: format!("\u{fffd}{ACCOUNT_ID}"), ..clean() },
        Escaped { requests: 0, ..clean() },
    ] {
        assert!(std::panic::catch_unwind(|| escaped.never_any(&[])).is_err());
    }
}

fn common_fate() -> Escaped {
    let dir = Dir::new();
    dir.write(
        "granted-deployment.yml",
        "deployment:\n  stackName: canary-stack\n  account: \"998877665544\"\n  region: xx-canary-1\n  parameters:\n    \
         AnalyticsLogLevel: \"debug\"\n    AdministratorEmail: canary@example.com\n    \
         CognitoDomainPrefix: canary-company\n    SamlSSOMetadataURL: https://canary.example.com/sign-in\n",
    );
    let people = ["--requester", "canary@example.com", "--reviewer", "canary-reviewer@example.com"];
    run("common_fate", dir.path(), &[], &[&people])
}

#[test]
fn nothing_of_common_fates_deployment_is_sent() {
    let escaped = common_fate();
    assert!(escaped.log.contains("cf:rule.updated"), "the log holds the batches: {}", escaped.log);
    escaped.never_any(&["example.com"]);
}

#[test]
fn ins_32_never_what_the_list_names() {
    let dir = Dir::with(
        ".cdk-insights.json",
        "{\"telemetry\":{\"enabled\":true},\"failOnCritical\":false,\"project\":\"canary-project\"}",
    );
    dir.write(
        "findings.json",
        r#"[
            {"rule": "AwsSolutions-S10", "severity": "HIGH", "resourceType": "AWS::S3::Bucket",
             "resource": "arn:aws:s3:::canary-bucket"},
            {"rule": "canary-custom-rule", "severity": "LOW", "resourceType": "AWS::Canary::Service",
             "resource": "/home/canary/lib/stack.ts:12"},
            {"rule": "CDKI-S3-ENCRYPTION", "severity": "CRITICAL", "resourceType": "AWS::DynamoDB::Table",
             "resource": "arn:aws:dynamodb:xx-canary-1:998877665544:table/canary", "hasFix": true},
            {"rule": "CDKI-SECRET", "severity": "CRITICAL", "resourceType": "AWS::Lambda::Function",
             "resource": "const key = 'canary-hardcoded'", "isSensitive": true}
        ]"#,
    );
    let debug = [("CDK_INSIGHTS_LICENSE_KEY", LICENSE), ("CDK_INSIGHTS_TELEMETRY_LOG", "debug")];
    let calls: [&[&str]; 4] = [
        &["scan", "--write-baseline"],
        &["scan", "--diff"],
        &["fix", "--rule", "canary-custom-rule"],
        &["fix", "--apply"],
    ];
    let escaped = run("cdk_insights", dir.path(), &debug, &calls);
    assert_eq!(escaped.requests, 4);
    assert!(escaped.log.contains("hashedLicenseId"), "the log holds the records: {}", escaped.log);
    escaped.never_any(&[LICENSE, "arn:aws", "stack.ts", "fingerprint", "/home"]);
}

/// The runs of cilock that all of its tests share.
fn cilock() -> &'static Escaped {
    static RUNS: OnceLock<Escaped> = OnceLock::new();
    RUNS.get_or_init(|| {
        let dir = Dir::new();
        Session::new(TOKEN.to_owned(), now()).write(dir.path()).expect("a session");
        let platform = testkit::systems::edge::Edge::start(
            super::ck::catalogue::EDGE,
            Some(&dir.path().join("collected.sqlite")),
        );
        platform.expect("the platform").store().issue(TOKEN, "tenant_7f3a").expect("a token");
        let calls: [&[&str]; 5] = [
            &[
                "run",
                "--attestor",
                "git",
                "--attestor",
                "canary-attestor",
                "--",
                "sh",
                "-c",
                "canary-command",
            ],
            &["sign", "--key", "/home/canary/key.pem", "--san", "canary@example.com", "canary.tar"],
            &[
                "sign",
                "--kms",
                "awskms:///canary-key-id",
                "sha256:canarydigest",
                "--spiffe",
                "spiffe://canary/ci",
            ],
            &["verify", "--fail", "--policy", "/home/canary/policy.rego", "--subject", "canary-subject"],
            &["canary-verb", "canary-argument"],
        ];
        let variables = [("CILOCK_TELEMETRY_LOG", "debug"), ("GITHUB_ACTIONS", "true"), ("CI", "true")];
        let escaped = run("cilock", dir.path(), &variables, &calls);
        assert_eq!(escaped.requests, 5);
        assert!(escaped.log.contains("ci_provider"), "the log holds the records: {}", escaped.log);
        escaped
    })
}

#[test]
fn ck_23_never_digests_or_content() {
    cilock().never_any(&["sha256:", "digest", "canary.tar"]);
}

#[test]
fn ck_24_never_paths_or_directories() {
    cilock().never_any(&["/home", "key.pem", "policy.rego", "candor-policies"]);
}

#[test]
fn ck_25_never_repositories_projects_or_branches() {
    cilock().never_any(&["canary-org", "canary-repo", "canary-branch"]);
}

#[test]
fn ck_26_never_identities_or_subjects() {
    cilock().never_any(&["example.com", "awskms", "spiffe://", "subject"]);
}

#[test]
fn ck_27_never_secrets_and_the_token_in_its_header_only() {
    cilock().never_any(&[TOKEN, "bearer", "ghs_", "secret"]);
}

#[test]
fn ck_28_never_attestations_or_policies() {
    cilock().never_any(&["rego", "predicate", "attestation", "policy.json"]);
}

#[test]
fn ck_29_never_errors_in_words() {
    cilock().never_any(&["does not allow", "is not a verb", "panicked", "backtrace"]);
}

#[cfg(target_os = "linux")]
#[test]
fn the_name_of_this_machine_is_never_sent() {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim();
    // A name that is also a word in a record would be found although it was not sent.
    if name.len() > 6 && !name.starts_with("local") {
        for escaped in [cilock(), &common_fate()] {
            escaped.never(name);
        }
    }
}
