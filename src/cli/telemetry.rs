//! The kit's face: one run of a tool, and its verbs.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use super::command_run::{CommandRun, Outcome};
use super::finished::{CommandFinished, ErrorCategory};
use super::first_run;
use super::kit::Kit;
use super::outcome::RunResult;
use super::running::Running;
use super::screen::{Screen, terminal_width};
#[cfg(feature = "clap")]
use super::verbs::Verb;
use super::verbs::{self, Said};
use crate::client::Client;
use crate::config::Config;

/// What a command-line tool needs around a client: the notice or the question of the first run, the event of each
/// command, and the verbs with which people see and change what the tool reports.
///
/// ```no_run
/// use std::process::ExitCode;
///
/// use candor::cli::{CommandFinished, Telemetry};
/// use candor::{Config, Consent};
///
/// # fn build() -> ExitCode { ExitCode::SUCCESS }
/// const EVENTS: candor::Catalogue = candor::events![CommandFinished].product("Forge");
///
/// fn main() -> ExitCode {
///     let config = Config::new("forge", env!("CARGO_PKG_VERSION"))
///         .endpoint("https://t.example.com")
///         .consent(Consent::opt_in())
///         .catalogue(EVENTS);
///     let telemetry = Telemetry::new(config);
///     let arguments: Vec<String> = std::env::args().skip(1).collect();
///     match arguments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
///         ["telemetry", verb, rest @ ..] => telemetry.run_verb(verb, rest),
///         _ => telemetry.measure("build", build),
///     }
/// }
/// ```
///
/// With the feature `clap`, `Telemetry::start` takes `TelemetryArgs`, and `Telemetry::run` a `TelemetryCommand`.
///
/// Nothing starts before [`measure`](Self::measure) or [`client`](Self::client); the verbs never start a client, so
/// they send nothing. Dropping the value delivers what was captured within [`Config::shutdown_timeout`] and ends the
/// client. [`std::process::exit`] drops nothing: drop the value before it, or return an [`ExitCode`] from `main`.
/// A process that is killed, or aborts, reports nothing about its run.
///
/// Standard output belongs to the tool: only the verbs write to it. The notice, the question and complaints go to
/// standard error. Text is laid out for the width of the terminal or of `COLUMNS`, without colours where `NO_COLOR`
/// is set.
#[must_use = "dropping the kit delivers what was captured and ends the client; hold it until the program ends"]
pub struct Telemetry {
    kit: Kit,
    running: Running,
    #[cfg(feature = "ctrlc")]
    reports_ctrl_c: bool,
}

impl Telemetry {
    /// Creates the kit, with what suits a tool wherever the configuration says nothing:
    ///
    /// - what [`Config::short_lived`] sets: `$is_server` is false, each batch is sent once, and the end of the tool waits
    ///   400 ms at most;
    /// - the [log of what was sent](Config::sent_log);
    /// - if the catalogue tells people that events are [kept on disk](crate::Catalogue::kept_on_disk), they are, with
    ///   [`Spool::cli`](crate::Spool::cli): the end of the tool then waits for nothing. If the catalogue does not say so,
    ///   nothing is kept unless the application sets [`Config::spool`]: what lies on people's disks is on their page.
    ///   [`Config::no_spool`] and [`Config::max_retries`] of 0 win over the catalogue.
    ///
    /// Never fails: a setting that cannot work is a `warn` in the log, and telemetry is off.
    pub fn new(config: Config) -> Self {
        Self {
            kit: Kit::new(config),
            running: Running::default(),
            #[cfg(feature = "ctrlc")]
            reports_ctrl_c: false,
        }
    }

    /// Turns telemetry off for this run, as `--no-telemetry` does. Nothing on disk is touched.
    pub fn no_telemetry(mut self, is_off: bool) -> Self {
        if is_off {
            self.kit.turn_off();
        }
        self
    }

    /// Keeps the client out of the free functions, such as [`candor::capture`](crate::capture()): only
    /// [`client`](Self::client) leads to it. For programs that run more than one tool in a process, as tests do.
    pub fn own_client(mut self) -> Self {
        self.kit.keep_client();
        self
    }

    /// Adds a file of the application's own that `telemetry forget` deletes, such as that of its
    /// [`PseudonymKey`](crate::PseudonymKey).
    pub fn also_forget(mut self, path: impl Into<PathBuf>) -> Self {
        self.kit.forget_also(path.into());
        self
    }

    /// Reports a measured command that is ended by Ctrl-C, and then exits with code 130. Needs the feature `ctrlc`.
    ///
    /// The handler is installed by [`measure`](Self::measure) while telemetry is on, unless the application has one
    /// already: then that one is left alone. Delivery gets the time of [`Config::shutdown_timeout`].
    #[cfg(feature = "ctrlc")]
    pub fn report_ctrl_c(mut self) -> Self {
        self.reports_ctrl_c = true;
        self
    }

    /// Starts the global client if consent is granted, the first time, and returns it.
    ///
    /// The free functions, such as [`candor::capture`](crate::capture()) and [`event!`](crate::event!), work on it,
    /// unless it is the kit's [own](Self::own_client).
    /// If it cannot be started, the reason is a `warn` in the log and a disabled client is returned.
    pub fn client(&self) -> &Client {
        self.kit.client()
    }

    /// Runs a command and captures one [`CommandFinished`] with its name, outcome and duration.
    ///
    /// If a notice is due and a person is at the terminal, it is shown before the command runs, and this run sends
    /// nothing. If consent is opt-in and a person who has not been asked is at the terminal, the question is asked
    /// after the command, and this run sends nothing. Neither happens in continuous integration, without a terminal
    /// or under a coding agent. `y` and `yes` are a yes; every other answer is a no, and is not asked for again.
    ///
    /// `command` is the name without arguments: lower-case ASCII letters and digits, with `-`, `_` and `:` between
    /// words, at most 40 characters; any other is sent as `other`. A panic of the command is reported and goes on.
    pub fn measure<T: RunResult>(&self, command: &'static str, work: impl FnOnce() -> T) -> T {
        let client = self.client();
        let notice_shown = first_run::show_notice(client, self.kit.env());
        self.running.begin(command);
        #[cfg(feature = "ctrlc")]
        if self.reports_ctrl_c && client.is_enabled() {
            super::interrupt::watch(&self.running, client);
        }
        let run = CommandRun::start(ErrorCategory::Panicked, |finished| {
            if self.running.end().is_some() {
                client.capture(CommandFinished::new(command, finished));
            }
        });
        let result = work();
        match result.outcome() {
            Outcome::Success => run.success(),
            Outcome::Error => run.failure(ErrorCategory::Failed),
        }
        if !notice_shown {
            first_run::ask(&self.kit, client);
        }
        result
    }

    /// Carries out `status`, `on`, `off`, `show`, `log` or `forget` with its arguments, and returns the exit code.
    ///
    /// | verb | exit code |
    /// |---|---|
    /// | `status [--json]` | 0; with `--exit-code`: 0 on, 1 off, 2 not asked yet |
    /// | `on`, `off` | 0, or 1 if the answer could not be stored |
    /// | `show [EVENT] [--pending]` | 0, or 1 if there is no such event |
    /// | `log [--json] [--bodies]` | 0, or 1 if the chain is broken or the log cannot be read |
    /// | `forget` | 0, or 1 if something could not be deleted |
    ///
    /// Anything else is 2, with the usage on standard error; `help` prints it on standard output.
    pub fn run_verb<S: AsRef<str>>(&self, verb: &str, arguments: &[S]) -> ExitCode {
        on_standard_streams(&self.said(verb, arguments, self.screen()))
    }

    /// Carries out a verb like [`run_verb`](Self::run_verb), writes to these streams, and returns the exit code as a
    /// number: for tests of a tool, and for tools that have their own way of printing.
    ///
    /// Text is laid out for 80 columns or those of `COLUMNS`, without colours.
    pub fn run_verb_to<S: AsRef<str>>(
        &self,
        verb: &str,
        arguments: &[S],
        output: &mut dyn Write,
        errors: &mut dyn Write,
    ) -> u8 {
        say(&self.said(verb, arguments, Screen::new(self.kit.env(), false, None)), output, errors)
    }

    fn said<S: AsRef<str>>(&self, verb: &str, arguments: &[S], screen: Screen) -> Said {
        let arguments: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
        if matches!(verb, "help" | "--help" | "-h") {
            return self.usage();
        }
        match verbs::parse(verb, &arguments) {
            Ok(verb) => verbs::run(&self.kit, &verb, screen),
            Err(wrong) => {
                let complaint = format!("{wrong}\n\n{}", verbs::usage(self.kit.app()));
                Said { complaint, code: 2, ..Said::default() }
            }
        }
    }

    fn usage(&self) -> Said {
        Said { text: verbs::usage(self.kit.app()).into_bytes(), ..Said::default() }
    }

    fn screen(&self) -> Screen {
        Screen::new(self.kit.env(), io::stdout().is_terminal(), terminal_width())
    }

    /// Carries out a verb, or prints the usage without one.
    #[cfg(feature = "clap")]
    pub(super) fn carry_out(&self, verb: Option<&Verb>) -> ExitCode {
        let said = verb.map_or_else(|| self.usage(), |verb| verbs::run(&self.kit, verb, self.screen()));
        on_standard_streams(&said)
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry").field("app", &self.kit.app()).finish_non_exhaustive()
    }
}

fn on_standard_streams(said: &Said) -> ExitCode {
    ExitCode::from(say(said, &mut io::stdout().lock(), &mut io::stderr().lock()))
}

/// Prints what a verb says, and returns the exit code. A reader that has gone away is not an error of the verb.
fn say(said: &Said, output: &mut dyn Write, errors: &mut dyn Write) -> u8 {
    let _ = output.write_all(&said.text).and_then(|()| output.flush());
    let _ = errors.write_all(said.complaint.as_bytes());
    said.code
}
