//! Explains what consent decides here and now, without starting anything.
//!
//! Takes the declaration from its arguments and everything else from the real environment, and prints the status as
//! JSON. It sends nothing and writes no file.
//!
//! ```sh
//! cargo run --example consent_status -- --app my-tool --mode opt-out --table
//! ```

use std::process::ExitCode;

use candor::consent::{Account, CiPolicy, Subject};
use candor::{Config, Consent, Notice};

const USAGE: &str = "usage: consent_status --app NAME --mode opt-in|opt-out|session [--notice documented|shown] \
    [--deny-env NAME]... [--deployment-file F] [--project-file F] [--policy-file F] [--state-dir D] \
    [--session yes|no] [--license yes|no] [--account allow|deny|unknown] [--ci-policy allow|deny] [--table]";

fn main() -> ExitCode {
    match run(std::env::args().skip(1)) {
        Ok(text) => {
            println!("{text}");
            ExitCode::SUCCESS
        }
        Err(wrong) => {
            eprintln!("{wrong}\n{USAGE}");
            ExitCode::from(2)
        }
    }
}

fn run(mut args: impl Iterator<Item = String>) -> Result<String, String> {
    let (mut app, mut mode, mut notice) = (None, None, None);
    let mut changes: Vec<Box<dyn FnOnce(Consent) -> Consent>> = Vec::new();
    let mut table = false;
    while let Some(name) = args.next() {
        if name == "--table" {
            table = true;
            continue;
        }
        let value = args.next().ok_or_else(|| format!("{name} needs a value"))?;
        match (name.as_str(), value.as_str()) {
            ("--app", _) => app = Some(value),
            ("--mode", "opt-in" | "opt-out" | "session") => mode = Some(value),
            ("--notice", "documented") => notice = Some(Notice::documented("https://example.com/telemetry")),
            ("--notice", "shown") => notice = Some(Notice::shown("This tool counts how it is used.")),
            ("--deny-env", _) => changes.push(Box::new(|consent| consent.deny_env(value))),
            ("--deployment-file", _) => changes.push(Box::new(|consent| consent.deployment_file(value))),
            ("--project-file", _) => {
                changes.push(Box::new(|consent| consent.project_file(value).subject(Subject::Project)));
            }
            ("--policy-file", _) => changes.push(Box::new(|consent| consent.policy_file(value))),
            ("--state-dir", _) => changes.push(Box::new(|consent| consent.state_dir(value))),
            ("--session", "yes" | "no") => {
                changes.push(Box::new(move |consent| consent.session_present(value == "yes")));
            }
            ("--license", "yes" | "no") => {
                changes.push(Box::new(move |consent| consent.license_key_present(value == "yes")));
            }
            ("--account", "allow") => changes.push(account(Account::allow())),
            ("--account", "deny") => changes.push(account(Account::deny())),
            ("--account", "unknown") => changes.push(account(Account::unknown())),
            ("--ci-policy", "allow") => changes.push(Box::new(|consent| consent.ci_policy(CiPolicy::Allow))),
            ("--ci-policy", "deny") => changes.push(Box::new(|consent| consent.ci_policy(CiPolicy::Deny))),
            _ => return Err(format!("unknown argument: {name} {value}")),
        }
    }
    let app = app.ok_or("--app is missing")?;
    let consent = match mode.as_deref().ok_or("--mode is missing")? {
        "opt-in" => Consent::opt_in(),
        "session" => Consent::session(),
        _ => Consent::opt_out(Notice::documented("https://example.com/telemetry")),
    };
    let consent = notice.into_iter().fold(consent.subject(Subject::User), Consent::notice);
    let consent = changes.into_iter().fold(consent, |consent, change| change(consent));
    let config =
        Config::new(app, env!("CARGO_PKG_VERSION")).endpoint("https://t.example.com").consent(consent);
    let status = candor::status(&config);
    Ok(if table { status.to_string() } else { status.to_json() })
}

fn account(account: Account) -> Box<dyn FnOnce(Consent) -> Consent> {
    Box::new(|consent| consent.account(account).subject(Subject::Account))
}
