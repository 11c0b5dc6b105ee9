//! The program with the commands `login`, `run`, `sign` and `verify`, and the record that each finished run sends. It
//! sends nothing without a session, and the token only to the platform.

use std::cell::RefCell;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use candor::cli::{CommandRun, Finished, Telemetry};
use candor::consent::{CiProvider, Subject};
use candor::schema::ClosedLabel;
use candor::wire::{Bearer, FlatRecord};
use candor::{Client, Config, Consent, Label};
use uuid::Uuid;

use super::catalogue::{CATALOGUE, EDGE};
use super::events::{Arch, Attestor, Ci, CliRun, Command, ErrorCategory, Os, SignerType};
use super::session::{Session, now};
use crate::systems::edge::Edge;
use crate::systems::program::{Options, Program, story_dir, text};

pub const VERSION: &str = "v0.4.1";

/// The toolchain, in the field in which the Go client names its own.
pub const TOOLCHAIN: &str = concat!("rust", env!("CARGO_PKG_RUST_VERSION"));

/// The published address. The verbs of the kit name it and never connect; records go to the embedded edge instead.
const PUBLISHED: &str = "https://platform.example.com";

/// The maximum time that telemetry may take at the end of a run.
pub const BUDGET: Duration = Duration::from_secs(1);

/// An error, with a message that stays on this machine.
#[derive(Debug)]
pub struct Failure {
    pub category: ErrorCategory,
    pub message: String,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// Returns the settings: a session and its token, and one request without retries.
///
/// The published policy allows one record for each run, in one request and never in two, and the id of a run is not
/// stored. So there is neither a spool nor a log of what was sent, which the command-line kit would keep.
pub fn config(program: &Program<'_>, session: Option<&Session>, url: &str) -> candor::Result<Config> {
    let mut consent = Consent::session().session_present(session.is_some()).subject(Subject::Account);
    if let Some(session) = session {
        consent = consent.account(session.switch(now()));
    }
    let config = Config::new("cilock", VERSION)
        .env(program.env.clone())
        .consent(program.declare(consent))
        .catalogue(CATALOGUE)
        .strict()
        .request_timeout(BUDGET)
        .connect_timeout(BUDGET)
        .read_timeout(BUDGET)
        .max_retries(0)
        .no_spool()
        .sent_log(false)
        .shutdown_timeout(BUDGET);
    let record = FlatRecord::new(EDGE.path);
    let config = match session {
        Some(session) => config.envelope(Bearer::new(&session.token, record)?),
        None => config.envelope(record),
    };
    Ok(if is_private(url) { config.endpoint(url) } else { config })
}

/// Returns whether a token may be sent to this address: encrypted, or without leaving the machine.
pub fn is_private(url: &str) -> bool {
    let Ok(uri) = url.parse::<ureq::http::Uri>() else { return false };
    match uri.scheme_str() {
        Some("https") => true,
        Some("http") => matches!(uri.host(), Some("127.0.0.1" | "[::1]" | "localhost")),
        _ => false,
    }
}

const USAGE: &str =
    "usage: cilock [--url URL] [--dir D] login | run | sign | verify [--fail] | telemetry VERB";

/// Runs the program; returns its exit code.
pub fn run(program: &mut Program<'_>) -> u8 {
    let options = match Options::parse(&program.arguments) {
        Ok(options) => options,
        Err(wrong) => {
            program.complain(format_args!("cilock: {wrong}"));
            return 2;
        }
    };
    let dir = options.dir.clone().unwrap_or_else(|| PathBuf::from("."));
    match options.verb() {
        None if options.dir.is_none() && options.url.is_none() => story(program),
        None => {
            program.complain(USAGE);
            2
        }
        Some("--help" | "help") => {
            program.say(USAGE);
            0
        }
        Some("--page") => {
            program.say(CATALOGUE.markdown().trim_end());
            0
        }
        Some("login") => login(program, &options, &dir),
        Some("telemetry") => explain(program, &options, &dir),
        Some(verb) => measured(program, &options, &dir, verb),
    }
}

/// Creates the command-line kit; `None` if the token cannot be sent. The policy does not allow its `measure`: a run is
/// reported by the policy's own record, and by no second event.
fn telemetry(program: &Program<'_>, session: Option<&Session>, url: &str) -> Option<Telemetry> {
    config(program, session, url).ok().map(|config| Telemetry::new(config).own_client())
}

/// Carries out a verb of the command-line kit.
fn explain(program: &mut Program<'_>, options: &Options, dir: &Path) -> u8 {
    let session = Session::read(dir, now());
    let url = options.url.as_deref().unwrap_or(PUBLISHED);
    let Some(telemetry) = telemetry(program, session.as_ref(), url) else {
        program.complain("cilock: the session's token cannot be sent; sign in again");
        return 1;
    };
    let (verb, arguments) = options.telemetry_verb();
    telemetry.run_verb_to(verb, arguments, &mut program.output, &mut program.errors)
}

/// Creates a session. The platform issues the token and registers it with the edge.
fn login(program: &mut Program<'_>, options: &Options, dir: &Path) -> u8 {
    let session = Session::new(format!("tsp_{}", Uuid::new_v4().simple()), now());
    let issued = match &options.url {
        Some(_) => Ok(()),
        None => Edge::start(EDGE, Some(&dir.join("collected.sqlite")))
            .and_then(|edge| edge.store().issue(&session.token, &session.account)),
    };
    if issued.is_err() || session.write(dir).is_err() {
        program.complain("cilock: the session could not be stored");
        return 1;
    }
    program.say(format_args!("signed in as {} until {}", session.account, session.expires));
    0
}

/// Runs a verb, and sends one record about it.
fn measured(program: &mut Program<'_>, options: &Options, dir: &Path, verb: &str) -> u8 {
    let session = Session::read(dir, now());
    // The embedded edge is only started if somebody is signed in.
    let edge = match &options.url {
        None if session.is_some() => Edge::start(EDGE, Some(&dir.join("collected.sqlite"))).ok(),
        _ => None,
    };
    let url = options.url.clone().or_else(|| edge.as_ref().map(Edge::url)).unwrap_or_default();
    let session = session.map(|session| refreshed(session, edge.as_ref()));
    // Dropped after the run, so the record of a run that panics is delivered, too.
    let telemetry = telemetry(program, session.as_ref(), &url);
    let client = telemetry.as_ref().map_or_else(Client::disabled, |telemetry| telemetry.client().clone());
    program.explain(&client);
    let before = edge.as_ref().map_or(0, |edge| edge.rows().len());
    let (env, told) = (program.env.clone(), RefCell::new(None));
    let report = |finished: Finished<ErrorCategory>| {
        if let (true, Some(session)) = (client.is_enabled(), &session) {
            let record = record(session, options, verb, &finished, CiProvider::detect(&env));
            *told.borrow_mut() = client.preview(&record).ok();
            client.capture(record);
        }
    };
    let run = CommandRun::start(ErrorCategory::Internal, report);
    if options.has("--wait") {
        // Simulates long work: waits until the input ends.
        let _ = std::io::copy(&mut program.input, &mut std::io::sink());
    }
    let worked = work(options, verb);
    run.finish(&worked, |failure| failure.category);

    let done = client.shutdown(BUDGET);
    if let Some(told) = told.take() {
        program.say(format_args!("captured: {told}"));
    }
    program.account(&client, &done);
    for row in edge.iter().flat_map(Edge::rows).skip(before) {
        program.say(format_args!("stored: {} from {}", row.record, row.country.unwrap_or_default()));
    }
    match worked {
        Ok(said) => {
            program.say(said);
            0
        }
        Err(failure) => {
            program.complain(format_args!("cilock: {failure}"));
            1
        }
    }
}

/// Asks the platform whether the account allows telemetry. If it cannot be reached, the last answer applies.
fn refreshed(mut session: Session, platform: Option<&Edge>) -> Session {
    let account = platform.and_then(|edge| edge.store().account_of(&session.token).ok().flatten());
    if let Some(account) = account {
        (session.telemetry, session.heard) = (account.allows, now());
    }
    session
}

/// Creates the record, which contains the kinds of arguments, never their values.
pub fn record<'a>(
    session: &'a Session,
    options: &Options,
    verb: &str,
    finished: &Finished<ErrorCategory>,
    ci: Option<CiProvider>,
) -> CliRun<'a> {
    CliRun {
        ts: u64::try_from(finished.ended.unix_millis()).unwrap_or(0),
        account: &session.account,
        user_ref: session.user_ref.as_deref(),
        run_id: Uuid::new_v4(),
        cli_version: VERSION,
        os: Os::of(std::env::consts::OS),
        arch: Arch::of(std::env::consts::ARCH),
        go_version: TOOLCHAIN,
        command: Command::from_label(verb).unwrap_or(Command::Other),
        attestors: options.values("--attestor").into_iter().filter_map(Attestor::from_label).collect(),
        signer_type: signer(options, verb),
        ci: ci.is_some(),
        ci_provider: Ci::of(ci),
        outcome: finished.outcome,
        error_category: finished.category,
        duration: finished.duration,
    }
}

/// Returns the kind of signer, if the verb signs or the caller named one. By default `sign` is keyless.
fn signer(options: &Options, verb: &str) -> Option<SignerType> {
    let named = signers(options).next();
    named.or_else(|| (verb == Command::Sign.label()).then_some(SignerType::Fulcio))
}

fn signers(options: &Options) -> impl Iterator<Item = SignerType> {
    let flags = [
        ("--fulcio", SignerType::Fulcio),
        ("--kms", SignerType::Kms),
        ("--key", SignerType::File),
        ("--spiffe", SignerType::Spiffe),
    ];
    flags.into_iter().filter_map(|(flag, kind)| options.has(flag).then_some(kind))
}

/// Simulates what the verbs do.
fn work(options: &Options, verb: &str) -> Result<String, Failure> {
    let failure = |category, message: String| Err(Failure { category, message });
    assert!(!options.has("--panic"), "a requested panic");
    match Command::from_label(verb) {
        Some(Command::Verify) if options.has("--fail") => {
            let policy = options.values("--policy").first().copied().unwrap_or("policy.json");
            failure(ErrorCategory::Policy, format!("{policy} does not allow this artifact"))
        }
        Some(Command::Sign) if signers(options).count() > 1 => failure(
            ErrorCategory::Config,
            "sign takes only one of --key, --kms, --fulcio and --spiffe".to_owned(),
        ),
        Some(Command::Other) | None => {
            failure(ErrorCategory::Config, format!("{verb} is not a verb of cilock"))
        }
        Some(verb) => Ok(format!("{} done", verb.label())),
    }
}

/// Runs the whole demonstration in a new directory.
fn story(program: &mut Program<'_>) -> u8 {
    let Ok(dir) = story_dir("cilock") else { return 1 };
    let here = text(&dir);
    let env = program.env.clone();
    let ci = env.clone().with("CI", "true").with("GITHUB_ACTIONS", "true");
    let dnt = env.clone().with("DO_NOT_TRACK", "1");
    let off = env.clone().with("CILOCK_TELEMETRY", "0");
    let chapters: [(&str, &_, &[&str], u8); 10] = [
        ("Nobody is signed in, so nothing is sent", &env, &["run", "--attestor", "git"], 0),
        ("Somebody signs in", &env, &["login"], 0),
        ("A run with two attestors", &env, &["run", "--attestor", "git", "--attestor", "sbom"], 0),
        ("A signature in continuous integration", &ci, &["sign", "--key", "/home/ada/secret.pem"], 0),
        ("A policy that says no", &env, &["verify", "--fail", "--policy", "/home/ada/policy.json"], 1),
        ("An unknown verb", &env, &["deploy", "customer-portal"], 1),
        ("The tool explains itself", &env, &["telemetry", "show"], 0),
        ("Somebody has set DO_NOT_TRACK", &dnt, &["verify"], 0),
        ("Somebody has set CILOCK_TELEMETRY=0", &off, &["verify"], 0),
        ("The account has switched it off", &env, &["verify"], 0),
    ];
    for (number, (title, env, arguments, wanted)) in chapters.into_iter().enumerate() {
        program.say(format_args!("\n# {title}\n"));
        if number == 9 {
            let account = Session::read(&dir, now()).map(|session| session.account).unwrap_or_default();
            let edge = Edge::start(EDGE, Some(&dir.join("collected.sqlite")));
            if edge.and_then(|edge| edge.store().allow(&account, false)).is_err() {
                return 1;
            }
        }
        let code = program.again(&[&["--dir", here.as_str()], arguments].concat(), env, run);
        program.say(format_args!("exit code: {code}"));
        if code != wanted {
            program.complain(format_args!("exit code {wanted} was expected"));
            return 1;
        }
    }
    program.say(format_args!("\nlook at it with: sqlite3 {here}/collected.sqlite 'select * from records'"));
    0
}
