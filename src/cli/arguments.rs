//! The command-line arguments for tools that use clap.

use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Args, Command, FromArgMatches, Subcommand};

use super::telemetry::Telemetry;
use super::verbs::Verb;
use crate::config::Config;
use crate::settings::variable_prefix;

/// The option `--no-telemetry` for every command of a tool. Needs the feature `clap`.
///
/// Flatten it into the parser. The help text derives the name of the variable from the parser's name, so use the same
/// name for the parser and for [`Config`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TelemetryArgs {
    /// Whether telemetry is off for this run.
    pub no_telemetry: bool,
}

const NO_TELEMETRY: &str = "no_telemetry";

impl Args for TelemetryArgs {
    fn augment_args(command: Command) -> Command {
        let prefix = variable_prefix(command.get_name());
        let help = format!("Sends nothing about this run, like {prefix}_TELEMETRY=0 or DO_NOT_TRACK=1");
        let flag = Arg::new(NO_TELEMETRY).long("no-telemetry").action(ArgAction::SetTrue).global(true);
        command.arg(flag.help(help))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for TelemetryArgs {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        Ok(Self { no_telemetry: matches.get_flag(NO_TELEMETRY) })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The subcommand `telemetry status | on | off | show | log | forget` of a tool. Needs the feature `clap`.
///
/// ```no_run
/// use std::process::ExitCode;
///
/// use candor::cli::{Telemetry, TelemetryArgs, TelemetryCommand};
/// use clap::Parser;
///
/// #[derive(clap::Parser)]
/// #[command(name = "forge")]
/// struct Cli {
///     #[command(flatten)]
///     telemetry: TelemetryArgs,
///     #[command(subcommand)]
///     command: Command,
/// }
///
/// #[derive(clap::Subcommand)]
/// enum Command {
///     Build,
///     /// Shows and changes what this tool reports about itself
///     Telemetry(TelemetryCommand),
/// }
///
/// fn main() -> ExitCode {
///     let cli = Cli::parse();
///     let config = candor::Config::new("forge", "1.0.0").endpoint("https://t.example.com");
///     let telemetry = Telemetry::start(config, &cli.telemetry);
///     match cli.command {
///         Command::Telemetry(command) => telemetry.run(command),
///         Command::Build => telemetry.measure("build", || ExitCode::SUCCESS),
///     }
/// }
/// ```
#[derive(Clone, Debug, Args)]
pub struct TelemetryCommand {
    #[command(subcommand)]
    verb: Option<Words>,
}

#[derive(Clone, Debug, Subcommand)]
enum Words {
    /// Shows whether telemetry is on, and who decided
    Status {
        /// Prints one JSON object
        #[arg(long)]
        json: bool,
        /// Exits with 0 if telemetry is on, 1 if it is off, 2 if you have not been asked yet
        #[arg(long)]
        exit_code: bool,
    },
    /// Turns telemetry on
    On,
    /// Turns telemetry off
    Off,
    /// Shows everything that may be sent, or one event with an example
    Show {
        /// The name of an event
        event: Option<String>,
        /// Prints the events that are waiting to be sent
        #[arg(long)]
        pending: bool,
    },
    /// Shows what has been sent from this machine
    Log {
        /// Prints one JSON object
        #[arg(long)]
        json: bool,
        /// Prints the exact bytes of every request
        #[arg(long)]
        bodies: bool,
    },
    /// Deletes the data kept on this machine, except your answer
    Forget,
}

impl From<Words> for Verb {
    fn from(words: Words) -> Self {
        match words {
            Words::Status { json, exit_code } => Self::Status { json, exit_code },
            Words::On => Self::On,
            Words::Off => Self::Off,
            Words::Show { event, pending } => Self::Show { event, pending },
            Words::Log { json, bodies } => Self::Log { json, bodies },
            Words::Forget => Self::Forget,
        }
    }
}

impl Telemetry {
    /// Creates the kit like [`Telemetry::new`], but off for this run if `--no-telemetry` was given. Needs the feature
    /// `clap`.
    pub fn start(config: Config, arguments: &TelemetryArgs) -> Self {
        Self::new(config).no_telemetry(arguments.no_telemetry)
    }

    /// Runs a verb and returns the exit code, like [`run_verb`](Self::run_verb). Needs the feature `clap`.
    ///
    /// Without a verb, it prints the usage on standard output.
    pub fn run(&self, command: TelemetryCommand) -> ExitCode {
        self.carry_out(command.verb.map(Into::into).as_ref())
    }
}

#[cfg(test)]
mod tests {
    use clap::{Args, Command, FromArgMatches};

    use super::{TelemetryArgs, TelemetryCommand};
    use crate::cli::verbs::{Verb, parse};

    fn parsed(arguments: &[&str]) -> Verb {
        let command = TelemetryCommand::augment_args(Command::new("telemetry"));
        let matches = command.try_get_matches_from([&["telemetry"], arguments].concat()).unwrap();
        TelemetryCommand::from_arg_matches(&matches).unwrap().verb.unwrap().into()
    }

    #[test]
    fn clap_and_the_kit_parse_the_same_verbs() {
        for words in [
            &["status"][..],
            &["status", "--json", "--exit-code"],
            &["on"],
            &["off"],
            &["show"],
            &["show", "command finished"],
            &["show", "--pending"],
            &["log", "--json"],
            &["log", "--bodies"],
            &["forget"],
        ] {
            assert_eq!(parsed(words), parse(words[0], &words[1..]).unwrap(), "{words:?}");
        }
    }

    #[test]
    fn every_command_has_the_flag_and_its_help_names_the_variables() {
        let command = TelemetryArgs::augment_args(Command::new("my-tool")).subcommand(Command::new("build"));
        let flag =
            command.get_arguments().find(|argument| argument.get_long() == Some("no-telemetry")).unwrap();
        let help = flag.get_help().unwrap().to_string();
        assert!(help.contains("MY_TOOL_TELEMETRY=0") && help.contains("DO_NOT_TRACK=1"), "{help}");
        for arguments in [&["my-tool", "--no-telemetry"][..], &["my-tool", "build", "--no-telemetry"]] {
            let matches = command.clone().try_get_matches_from(arguments).unwrap();
            assert!(TelemetryArgs::from_arg_matches(&matches).unwrap().no_telemetry, "{arguments:?}");
        }
        let matches = command.try_get_matches_from(["my-tool", "build"]).unwrap();
        assert!(!TelemetryArgs::from_arg_matches(&matches).unwrap().no_telemetry);
    }
}
