//! The program with the commands `init`, `scan` and `fix`, and the events that they send. It waits for telemetry for
//! at most 1.5 seconds, and never fails because of it.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use candor::cli::{Telemetry, prompt};
use candor::consent::{ConsentState, Subject, write_project_answer};
use candor::wire::FlatRecord;
use candor::{Config, Consent, Event, Label};
use serde_json::Value;

use super::catalogue::{CATALOGUE, EDGE};
use super::events::{BaselineWritten, DiffRun, FixRun, Mode, Platform, Tier};
use super::findings::{Baseline, Finding, by_rule, scan, services, severities};
use crate::systems::edge::Edge;
use crate::systems::program::{Options, Program, story_dir, text};

pub const PROJECT_FILE: &str = ".cdk-insights.json";
pub const LICENSE: &str = "CDK_INSIGHTS_LICENSE_KEY";
pub const VERSION: &str = "1.24.0";

/// The published address. The verbs of the kit name it and never connect; events go to the embedded edge instead.
const PUBLISHED: &str = "https://cdk-insights.example.com";

/// The maximum time that telemetry may take.
pub const BUDGET: Duration = Duration::from_millis(1500);

/// The text of the published notice.
pub const NOTICE: &str = "\
\u{1f4ca} Anonymous Telemetry
Sending aggregate counts (severities, rule histograms, fix activity) helps us
prioritise rules and improve auto-fix coverage. The license ID is sha256-hashed
before transmission. No resource names, file paths, or code ever leave the machine.
";
pub const QUESTION: &str = "Enable telemetry? (y/N): ";

/// Returns the settings: opt-in by the project's committed file, a licence key, and one request without retries.
///
/// The published policy drops an event silently if the network is down, and keeps nothing about a run on the machine.
/// So there is neither a spool nor a log of what was sent, which the command-line kit would keep.
pub fn config(program: &Program<'_>, dir: &Path, url: &str, platform: Platform) -> Config {
    let env = &program.env;
    let license = env.text(LICENSE);
    let consent = Consent::opt_in()
        .subject(Subject::Project)
        .project_file(dir.join(PROJECT_FILE))
        .license_key_present(license.is_some());
    let envelope = FlatRecord::new(EDGE.path)
        .distinct_id("hashedLicenseId")
        .root("tier")
        .root("cliVersion")
        .root("platform")
        .nested("event", "type")
        .sent_at("emittedAt");
    Config::new("cdk-insights", VERSION)
        .env(env.clone())
        .consent(program.declare(consent))
        .endpoint(url)
        .envelope(envelope)
        .catalogue(CATALOGUE)
        .strict()
        .super_property("tier", tier_of(license.unwrap_or_default()).label())
        .super_property("cliVersion", VERSION)
        .super_property("platform", platform.label())
        .request_timeout(BUDGET)
        .connect_timeout(BUDGET)
        .read_timeout(BUDGET)
        .max_retries(0)
        .no_spool()
        .sent_log(false)
        .shutdown_timeout(BUDGET)
}

/// Creates the command-line kit. The policy does not allow its `measure`: the event of that is not one of the published
/// three, and only `init` may ask the question.
fn telemetry(program: &Program<'_>, dir: &Path, url: &str, platform: Platform) -> Telemetry {
    Telemetry::new(config(program, dir, url, platform)).own_client()
}

/// Returns the kind of licence from the beginning of its key.
pub fn tier_of(license: &str) -> Tier {
    match license.split('-').next().unwrap_or_default() {
        "PRO" => Tier::Pro,
        "TEAM" => Tier::Team,
        "TRIAL" => Tier::Trial,
        _ => Tier::Free,
    }
}

/// Runs the program; returns its exit code.
pub fn run(program: &mut Program<'_>) -> u8 {
    let options = match Options::parse(&program.arguments) {
        Ok(options) => options,
        Err(wrong) => {
            program.complain(format_args!("cdk_insights: {wrong}"));
            return 2;
        }
    };
    let dir = options.dir.clone().unwrap_or_else(|| PathBuf::from("."));
    match options.verb() {
        None if options.dir.is_none() && options.url.is_none() => story(program),
        Some("--page") => {
            program.say(CATALOGUE.markdown().trim_end());
            0
        }
        Some("init") => init(program, &dir),
        Some("scan") if options.has("--write-baseline") || options.has("--writeBaseline") => {
            write_baseline(program, &options, &dir)
        }
        Some("scan") => diff(program, &options, &dir),
        Some("fix") => fix(program, &options, &dir),
        Some("telemetry") => explain(program, &options, &dir),
        _ => {
            program.complain(USAGE);
            2
        }
    }
}

const USAGE: &str = "usage: cdk_insights [--url URL] [--dir D] init | scan --write-baseline | scan --diff | \
                     fix [--apply] [--rule RULE] | telemetry VERB";

/// Carries out a verb of the command-line kit. The project's file decides all the same: `off` adds the user's own
/// refusal to it, and `on` only takes that back.
fn explain(program: &mut Program<'_>, options: &Options, dir: &Path) -> u8 {
    // A platform that is not in the catalogue is not reported.
    let Some(platform) = Platform::of(std::env::consts::OS) else { return 1 };
    let telemetry = telemetry(program, dir, options.url.as_deref().unwrap_or(PUBLISHED), platform);
    let (verb, arguments) = options.telemetry_verb();
    telemetry.run_verb_to(verb, arguments, &mut program.output, &mut program.errors)
}

/// Sets up the project: checks the licence key, and asks the question last, if there is somebody to answer it.
fn init(program: &mut Program<'_>, dir: &Path) -> u8 {
    match program.env.text(LICENSE) {
        Some(_) => program.say("licence key: found"),
        None => program.say(format_args!("licence key: none; set {LICENSE}; a free key is enough")),
    }
    if !program.is_interactive {
        return 0;
    }
    let question = format!("\n{NOTICE}\n{QUESTION}");
    let answer = prompt(&question, &mut program.input, &mut program.output);
    program.say("");
    match write_project_answer(&dir.join(PROJECT_FILE), "telemetry.enabled", answer.is_yes()) {
        Ok(()) => program.say(format_args!("telemetry.enabled is {} in {PROJECT_FILE}", answer.is_yes())),
        Err(error) => {
            program.complain(format_args!("your answer was not stored, so telemetry stays off: {error}"));
        }
    }
    0
}

fn write_baseline(program: &mut Program<'_>, options: &Options, dir: &Path) -> u8 {
    let findings = scan(dir);
    let baseline = Baseline::of(&findings);
    if let Err(error) = baseline.write(dir) {
        program.complain(error);
        return 1;
    }
    program.say(format_args!("baseline: {} findings", baseline.size()));
    let license = license(program);
    let event = BaselineWritten {
        hashed_license_id: &license,
        total_findings: baseline.size(),
        severity_counts: severities(&findings),
        rule_histogram: by_rule(&findings),
        unique_services: services(&findings),
    };
    tell(program, options, dir, &event);
    0
}

fn diff(program: &mut Program<'_>, options: &Options, dir: &Path) -> u8 {
    let (findings, baseline) = (scan(dir), Baseline::read(dir));
    let is_known = |finding: &&Finding| baseline.as_ref().is_some_and(|baseline| baseline.holds(finding));
    let (known, new): (Vec<&Finding>, Vec<&Finding>) = findings.iter().partition(is_known);
    let new_severities = severities(new.iter().copied());
    let failed = new_severities.critical > 0 && fails_on_critical(dir);
    program.say(format_args!("{} new findings, {} in the baseline", new.len(), known.len()));
    let license = license(program);
    let event = DiffRun {
        hashed_license_id: &license,
        new_findings: new.len() as u64,
        existing_suppressed: known.len() as u64,
        new_severities,
        baseline_generated_at: baseline.as_ref().and_then(Baseline::generated_at),
        failed_on_critical: failed,
    };
    tell(program, options, dir, &event);
    u8::from(failed)
}

fn fix(program: &mut Program<'_>, options: &Options, dir: &Path) -> u8 {
    let rule = options.values("--rule").first().copied();
    let mode = if options.has("--apply") { Mode::Apply } else { Mode::DryRun };
    let findings = scan(dir);
    let chosen = || findings.iter().filter(|finding| rule.is_none_or(|rule| rule == finding.rule));
    let fixed = || chosen().filter(|finding| finding.has_fix);
    program.say(format_args!(
        "{} of {} findings fixed ({})",
        fixed().count(),
        chosen().count(),
        mode.label()
    ));
    let license = license(program);
    let event = FixRun {
        hashed_license_id: &license,
        mode,
        applied: fixed().count() as u64,
        skipped: (chosen().count() - fixed().count()) as u64,
        errored: 0,
        rules_fixed: by_rule(fixed()),
        rule_filter: rule,
    };
    tell(program, options, dir, &event);
    0
}

fn license(program: &Program<'_>) -> String {
    program.env.text(LICENSE).unwrap_or_default().to_owned()
}

/// Reads the tool's own setting. The default applies if the file is broken or has no such setting.
fn fails_on_critical(dir: &Path) -> bool {
    let text = fs::read_to_string(dir.join(PROJECT_FILE)).unwrap_or_default();
    let file: Value = serde_json::from_str(&text).unwrap_or_default();
    file.get("failOnCritical").and_then(Value::as_bool).unwrap_or(true)
}

/// Sends an event, if consent is granted. Nothing here changes the exit code of the command.
fn tell(program: &mut Program<'_>, options: &Options, dir: &Path, event: &dyn Event) {
    // A platform that is not in the catalogue is not reported.
    let Some(platform) = Platform::of(std::env::consts::OS) else { return };
    // The embedded edge is only started if something will be sent.
    let wanted = options.url.as_deref().unwrap_or("http://127.0.0.1:9");
    let granted = candor::status(&config(program, dir, wanted, platform)).state == ConsentState::Granted;
    let edge = match &options.url {
        None if granted => Edge::start(EDGE, Some(&dir.join("collected.sqlite"))).ok(),
        _ => None,
    };
    let url = edge.as_ref().map_or_else(|| wanted.to_owned(), Edge::url);
    let before = edge.as_ref().map_or(0, |edge| edge.rows().len());
    let telemetry = telemetry(program, dir, &url, platform);
    let client = telemetry.client();
    program.explain(client);
    client.capture(event);
    if let Some(Ok(preview)) = client.is_enabled().then(|| client.preview(&event)) {
        program.say(format_args!("captured: {preview}"));
    }
    let done = client.shutdown(BUDGET);
    program.account(client, &done);
    for row in edge.iter().flat_map(Edge::rows).skip(before) {
        program.say(format_args!("stored: {} until {}", row.record, row.expires_at));
    }
}

/// Runs the whole demonstration in a new directory.
fn story(program: &mut Program<'_>) -> u8 {
    let Ok(dir) = story_dir("cdk-insights") else { return 1 };
    let file = dir.join(PROJECT_FILE);
    let here = text(&dir);
    // An empty variable counts as unset, so it hides a value in the real environment.
    let bare = program.env.clone().with(LICENSE, "");
    let keyed = program.env.clone().with(LICENSE, "TEST-LICENSE-KEY");
    let off = "{\n  \"output\": \"table\",\n  \"failOnCritical\": true\n}\n";
    let on = off.replace("true\n}", "true,\n  \"telemetry\": { \"enabled\": true }\n}");
    let chapters: [(&str, &str, &_, &[&str]); 9] = [
        ("A fresh project says nothing, so nothing is sent", off, &keyed, &["scan", "--write-baseline"]),
        ("The file says yes, but there is no licence key", &on, &bare, &["scan", "--write-baseline"]),
        ("The file says yes, and there is a key", &on, &keyed, &["scan", "--write-baseline"]),
        ("Compared with that baseline", &on, &keyed, &["scan", "--diff"]),
        ("A dry run of the fixes", &on, &keyed, &["fix", "--rule", "AwsSolutions-S10"]),
        ("All fixes", &on, &keyed, &["fix", "--apply"]),
        ("The tool explains itself", &on, &keyed, &["telemetry", "status"]),
        ("Somebody has set DO_NOT_TRACK", &on, &keyed.clone().with("DO_NOT_TRACK", "1"), &["fix"]),
        ("The file is broken, which means no", "{ \"telemetry\": { \"enabled\": tru", &keyed, &["fix"]),
    ];
    for (title, content, env, verb) in chapters {
        program.say(format_args!("\n# {title}\n"));
        if fs::write(&file, content).is_err() {
            return 1;
        }
        let code = program.again(&[&["--dir", here.as_str()], verb].concat(), env, run);
        program.say(format_args!("exit code: {code}"));
        if fs::read_to_string(&file).ok().as_deref() != Some(content) {
            program.complain("the project file was changed");
            return 1;
        }
    }
    program.say(format_args!("\nlook at it with: sqlite3 {here}/collected.sqlite 'select * from records'"));
    0
}
