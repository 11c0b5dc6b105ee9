//! A program and its environment as values: arguments, variables, terminal and streams. Only `real` reads the process.

use std::fmt::Display;
use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use candor::consent::ConsentState;
use candor::{Client, Consent, Env, Flushed};

/// Everything that a program sees of the world.
pub struct Program<'a> {
    /// The arguments after the program's name.
    pub arguments: Vec<String>,
    pub env: Env,
    /// Whether there is a person to ask.
    pub is_interactive: bool,
    /// Replaces the machine's policy file; tests have none.
    pub policy_file: Option<PathBuf>,
    pub input: &'a mut dyn BufRead,
    pub output: &'a mut dyn Write,
    pub errors: &'a mut dyn Write,
}

/// The parsed command line; options can appear anywhere.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The address to send to, instead of the embedded edge.
    pub url: Option<String>,
    /// The directory of the deployment's or project's file, and of all files that the program writes.
    pub dir: Option<PathBuf>,
    /// The verb and its arguments.
    pub rest: Vec<String>,
}

impl Options {
    pub fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().cloned().ok_or(format!("{argument} needs a value"));
            match argument.as_str() {
                "--url" => options.url = Some(value()?),
                "--dir" => options.dir = Some(PathBuf::from(value()?)),
                _ => options.rest.push(argument.clone()),
            }
        }
        Ok(options)
    }

    /// Returns the verb, if there is one.
    pub fn verb(&self) -> Option<&str> {
        self.rest.first().map(String::as_str)
    }

    /// Returns whether a flag follows the verb.
    pub fn has(&self, flag: &str) -> bool {
        self.rest.iter().skip(1).any(|argument| argument == flag)
    }

    /// Returns the values of an option that can follow the verb, possibly more than once.
    pub fn values(&self, option: &str) -> Vec<&str> {
        let pairs = self.rest.windows(2).filter(|pair| pair.first().is_some_and(|name| name == option));
        pairs.filter_map(|pair| pair.get(1)).map(String::as_str).collect()
    }

    /// Returns the verb after `telemetry`, and its arguments.
    pub fn telemetry_verb(&self) -> (&str, &[String]) {
        (self.rest.get(1).map_or("help", String::as_str), self.rest.get(2..).unwrap_or_default())
    }
}

impl Program<'_> {
    /// Prints a line.
    pub fn say(&mut self, line: impl Display) {
        // The stream may be closed, which must not affect the program's work.
        let _ = writeln!(self.output, "{line}");
    }

    /// Prints an error line.
    pub fn complain(&mut self, line: impl Display) {
        let _ = writeln!(self.errors, "{line}");
    }

    /// Prints the decision about consent, and its source.
    pub fn explain(&mut self, client: &Client) {
        let decision = client.decision();
        let (state, layer) = (decision.state().name(), decision.decided_by().name());
        let why = decision.deciding_report().map_or_else(String::new, |report| {
            let source =
                if report.source.is_empty() { String::new() } else { format!("{}: ", report.source) };
            format!(" ({source}{})", report.reason)
        });
        self.say(format_args!("telemetry: {state}, decided by {layer}{why}"));
    }

    /// Prints what became of the events.
    pub fn account(&mut self, client: &Client, done: &candor::Result<Flushed>) {
        match done {
            _ if client.state() != ConsentState::Granted => self.say("sent: nothing"),
            Ok(done) if client.stats().spooled > 0 => {
                let kept = client.stats().spooled;
                self.say(format_args!("sent: {}, kept: {kept}, lost: {}", done.delivered, done.lost()));
            }
            Ok(done) => self.say(format_args!("sent: {}, lost: {}", done.delivered, done.lost())),
            Err(error) => self.say(format_args!("sent: unknown ({error})")),
        }
    }

    /// Returns a consent for tests that does not depend on the machine.
    pub fn declare(&self, consent: Consent) -> Consent {
        match &self.policy_file {
            Some(path) => consent.policy_file(path),
            None => consent,
        }
    }

    /// Runs another command of the same program, with the same streams but other arguments and variables.
    pub fn again(&mut self, arguments: &[&str], env: &Env, run: fn(&mut Program<'_>) -> u8) -> u8 {
        let mut program = Program {
            arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
            env: env.clone(),
            is_interactive: self.is_interactive,
            policy_file: self.policy_file.clone(),
            input: &mut *self.input,
            output: &mut *self.output,
            errors: &mut *self.errors,
        };
        run(&mut program)
    }
}

/// Runs a program with the real arguments, environment and streams.
pub fn real(run: fn(&mut Program<'_>) -> u8) -> ExitCode {
    install_logger();
    let env = Env::from_process();
    let mut program = Program {
        arguments: std::env::args().skip(1).collect(),
        is_interactive: candor::cli::may_prompt(&env),
        env,
        policy_file: None,
        input: &mut io::stdin().lock(),
        output: &mut io::stdout().lock(),
        errors: &mut io::stderr(),
    };
    ExitCode::from(run(&mut program))
}

/// Creates a new directory for a demonstration in the system's directory for temporary files.
pub fn story_dir(name: &str) -> io::Result<PathBuf> {
    let dir = std::env::temp_dir().join(format!("candor-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    Ok(dir)
}

/// Returns a path as text; the paths here are plain ASCII.
pub fn text(path: &Path) -> String {
    path.display().to_string()
}

/// Prints the crate's log lines for people: warnings, and batches if they were requested.
struct Stderr;

impl log::Log for Stderr {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::Level::Warn || metadata.target() == "candor::batch"
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            eprintln!("[{}] {}", record.level().as_str().to_lowercase(), record.args());
        }
    }

    fn flush(&self) {}
}

pub fn install_logger() {
    // A test process may already have one.
    if log::set_logger(&Stderr).is_ok() {
        log::set_max_level(log::LevelFilter::Info);
    }
}
