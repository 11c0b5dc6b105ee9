//! The public side of the kit: one run of a tool, and its verbs.

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

/// Telemetry for a command-line tool: the notice or the question of the first run, the event of each command, and the
/// verbs with which people see and change what the tool reports.
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
/// Nothing is started before [`measure`](Self::measure) or [`client`](Self::client); the verbs never start a client, so
/// they send nothing. Dropping the value delivers captured events within [`Config::shutdown_timeout`] and ends the
/// client. [`std::process::exit`] does not drop it: drop the value first, or return an [`ExitCode`] from `main`. A
/// process that is killed or aborts does not report its run.
///
/// Standard output belongs to the tool: only the verbs write to it. The notice, the question and errors go to standard
/// error. Text is wrapped to the width of the terminal or of `COLUMNS`, and has no colours if `NO_COLOR` is set.
#[must_use = "dropping the kit delivers captured events and ends the client; keep it until the program ends"]
pub struct Telemetry {
    kit: Kit,
    running: Running,
    #[cfg(feature = "ctrlc")]
    reports_ctrl_c: bool,
}

impl Telemetry {
    /// Creates the kit. Settings that the configuration does not set get defaults for a tool:
    ///
    /// - those of [`Config::short_lived`]: `$is_server` is false, each batch is sent once, and the end of the tool
    ///   waits for at most 400 ms;
    /// - the [log of sent requests](Config::sent_log) is kept;
    /// - if the catalogue tells people that events are [kept on disk](crate::Catalogue::kept_on_disk), they are, with
    ///   [`Spool::cli`](crate::Spool::cli), and the end of the tool waits only as
    ///   [`Sending::NextRun`](crate::Sending::NextRun) does. Otherwise events are kept on disk only if the application
    ///   sets [`Config::spool`], since people must be able to read about it. [`Config::no_spool`] and
    ///   [`Config::max_retries`] of 0 win over the catalogue.
    ///
    /// Never fails: if a setting is invalid, the log has a warning and telemetry is off.
    pub fn new(config: Config) -> Self {
        Self {
            kit: Kit::new(config),
            running: Running::default(),
            #[cfg(feature = "ctrlc")]
            reports_ctrl_c: false,
        }
    }

    /// Turns telemetry off for this run if `is_off` is true, like `--no-telemetry`. Nothing on disk is changed.
    pub fn no_telemetry(mut self, is_off: bool) -> Self {
        if is_off {
            self.kit.turn_off();
        }
        self
    }

    /// Uses a client of its own instead of the global one, so free functions such as
    /// [`candor::capture`](crate::capture()) do not use it; [`client`](Self::client) returns it. For programs that run
    /// several tools in one process, such as tests.
    pub fn own_client(mut self) -> Self {
        self.kit.keep_client();
        self
    }

    /// Adds a file of the application that `telemetry forget` deletes too, such as the one with its
    /// [`PseudonymKey`](crate::PseudonymKey).
    pub fn also_forget(mut self, path: impl Into<PathBuf>) -> Self {
        self.kit.forget_also(path.into());
        self
    }

    /// Reports the measured commands that are interrupted by Ctrl-C, and then exits with code 130. Needs the feature
    /// `ctrlc`.
    ///
    /// [`measure`](Self::measure) installs the handler if telemetry is on and the application has not installed its
    /// own. Delivery takes at most [`Config::shutdown_timeout`].
    #[cfg(feature = "ctrlc")]
    pub fn report_ctrl_c(mut self) -> Self {
        self.reports_ctrl_c = true;
        self
    }

    /// Returns the global client, and starts it on the first call if consent is granted.
    ///
    /// The free functions, such as [`candor::capture`](crate::capture()) and [`event!`](crate::event!), use it unless
    /// it is the kit's [own](Self::own_client). If it cannot be started, the log has a warning with the reason, and a
    /// disabled client is returned.
    pub fn client(&self) -> &Client {
        self.kit.client()
    }

    /// Runs a command and captures one [`CommandFinished`] with its name, outcome and duration.
    ///
    /// If a notice is due and a person is at the terminal, it is shown before the command runs, and this run sends
    /// nothing. If consent is opt-in and the person at the terminal has not been asked, the question is asked after the
    /// command, and this run sends nothing. Neither happens in continuous integration, without a terminal or under a
    /// coding agent. `y` and `yes` mean yes; every other answer means no, and the question is not asked again. Ctrl-C at
    /// the question is not an answer: it ends the program, nothing is stored, and the next run asks again.
    ///
    /// The question says who receives the events, if the [catalogue](Config::catalogue) does not. Notice and question
    /// end with the commands that turn telemetry off and list every field.
    ///
    /// `command` is the name without arguments: lower-case ASCII letters and digits, with `-`, `_` and `:` between
    /// words, at most 40 characters; any other name is sent as `other`. A panic in the command is reported and then
    /// propagated. Commands may run inside each other and on several threads: each is reported, and the question waits
    /// for the last of them.
    pub fn measure<T: RunResult>(&self, command: &'static str, work: impl FnOnce() -> T) -> T {
        let client = self.client();
        let notice_shown = first_run::show_notice(&self.kit, client);
        let running = self.running.begin(command);
        #[cfg(feature = "ctrlc")]
        if self.reports_ctrl_c && client.is_enabled() {
            super::interrupt::watch(&self.running, client);
        }
        let run = CommandRun::start(ErrorCategory::Panicked, |finished| {
            if self.running.end(running) {
                client.capture(CommandFinished::new(command, finished));
            }
        });
        let result = work();
        match result.outcome() {
            Outcome::Success => run.success(),
            Outcome::Error => run.failure(ErrorCategory::Failed),
        }
        if !notice_shown && self.running.is_idle() {
            first_run::ask(&self.kit, client);
        }
        result
    }

    /// Runs `status`, `on`, `off`, `show`, `log` or `forget` with its arguments, and returns the exit code.
    ///
    /// | verb | exit code |
    /// |---|---|
    /// | `status [--json]` | 0; with `--exit-code`: 0 on, 1 off, 2 not asked yet |
    /// | `on`, `off` | 0, or 1 if the answer could not be stored |
    /// | `show [EVENT] [--pending]` | 0, or 1 if there is no such event |
    /// | `log [--json] [--bodies]` | 0, or 1 if the chain is broken or the log cannot be read |
    /// | `forget` | 0, or 1 if something could not be deleted |
    ///
    /// For anything else the exit code is 2, with the usage on standard error; `help`, and `--help` after a verb, print it
    /// on standard output.
    pub fn run_verb<S: AsRef<str>>(&self, verb: &str, arguments: &[S]) -> ExitCode {
        on_standard_streams(&self.said(verb, arguments, self.screen()))
    }

    /// Runs a verb like [`run_verb`](Self::run_verb), but writes to these streams and returns the exit code as a
    /// number: for tests of a tool, and for tools that print in their own way.
    ///
    /// Text is wrapped to 80 columns or those of `COLUMNS`, and has no colours.
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
        let asks_for_help = |word: &str| matches!(word, "--help" | "-h");
        if verb == "help" || asks_for_help(verb) || arguments.iter().any(|word| asks_for_help(word)) {
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

    /// Runs a verb, or prints the usage if there is none.
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

/// Prints the output of a verb, and returns the exit code. A closed stream is not an error of the verb.
fn say(said: &Said, output: &mut dyn Write, errors: &mut dyn Write) -> u8 {
    let _ = output.write_all(&said.text).and_then(|()| output.flush());
    let _ = errors.write_all(said.complaint.as_bytes());
    said.code
}

#[cfg(test)]
mod tests {
    use crate::cli::{CommandFinished, Telemetry};
    use crate::config::Config;
    use crate::consent::{Consent, ConsentState, Layer, Notice};
    use crate::observe::LossReason;
    use crate::settings::Env;
    use crate::testing::{CapturedEvent, events_of};
    use crate::transport::Transport;
    use crate::transport::memory::MemoryTransport;

    const EVENTS: crate::Catalogue = crate::events![CommandFinished];

    /// Returns a kit to which everything is allowed, and what it sends.
    fn granted() -> (Telemetry, MemoryTransport) {
        let transport = MemoryTransport::new();
        let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry")).policy_file("");
        let sends = transport.clone();
        let config = Config::new("forge", "1.0.0")
            .env(Env::empty())
            .consent(consent)
            .catalogue(EVENTS)
            .compression(crate::Compression::None)
            .shutdown_timeout(std::time::Duration::from_secs(30))
            .transport(move |_granted| Ok(Box::new(sends.clone()) as Box<dyn Transport>));
        (Telemetry::new(config).own_client(), transport)
    }

    /// Ends the kit, and returns the commands that it has sent.
    fn commands(telemetry: Telemetry, transport: &MemoryTransport) -> Vec<String> {
        drop(telemetry);
        let sent = transport.sent();
        let events = sent.iter().flat_map(|request| events_of(&request.body));
        let name = |event: CapturedEvent| event.properties["command"].as_str().unwrap_or_default().to_owned();
        // Events of several threads have no order.
        let mut names: Vec<_> = events.map(name).collect();
        names.sort();
        names
    }

    #[test]
    fn commands_inside_each_other_and_on_other_threads_are_all_reported() {
        let (telemetry, transport) = granted();
        telemetry.measure("outer", || {
            telemetry.measure("inner", || ());
            std::thread::scope(|scope| {
                scope.spawn(|| telemetry.measure("thread", || ()));
            });
        });
        assert_eq!(commands(telemetry, &transport), ["inner", "outer", "thread"]);
    }

    #[test]
    fn the_flag_counts_even_after_the_client_has_started() {
        let (telemetry, transport) = granted();
        telemetry.measure("before", || ());
        let client = telemetry.client().clone();
        let telemetry = telemetry.no_telemetry(true);
        telemetry.measure("after", || ());
        assert_eq!(telemetry.client().status().state, ConsentState::Denied);
        assert_eq!(client.stats().lost(LossReason::ConsentWithdrawn), 1);
        assert_eq!(client.status().decided_by, Layer::Flag, "{}", client.status());
        let _ = client.opt_in();
        assert!(!client.is_enabled());
        assert_eq!(commands(telemetry, &transport), [""; 0]);
    }

    #[test]
    fn a_verb_with_help_only_prints_the_usage() {
        let (telemetry, _) = granted();
        for (verb, arguments) in
            [("help", &[][..]), ("-h", &[]), ("off", &["--help"]), ("log", &["--json", "-h"])]
        {
            let mut output = Vec::new();
            assert_eq!(telemetry.run_verb_to(verb, arguments, &mut output, &mut Vec::new()), 0, "{verb}");
            assert!(output.starts_with(b"usage: forge telemetry"), "{verb}");
        }
    }

    #[test]
    fn a_log_that_cannot_be_read_is_not_reported_as_empty() {
        let dir = std::env::temp_dir().join(format!("candor-cli-unreadable-{}", std::process::id()));
        std::fs::create_dir_all(dir.join("sent.jsonl")).unwrap();
        let consent = Consent::opt_in().state_dir(&dir).policy_file("");
        let telemetry = Telemetry::new(Config::new("forge", "1.0.0").env(Env::empty()).consent(consent));
        let mut output = Vec::new();
        assert_eq!(telemetry.run_verb_to("status", &[""; 0], &mut output, &mut Vec::new()), 0);
        std::fs::remove_dir_all(&dir).unwrap();
        let text = String::from_utf8(output).unwrap();
        assert!(text.contains("last sent  unknown: the log on this machine cannot be read"), "{text}");
    }
}
