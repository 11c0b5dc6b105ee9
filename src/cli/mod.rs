//! A kit for command-line tools.
//!
//! [`Telemetry`] is the whole kit: the notice or the question of the first run, one event for each command, and the
//! verbs `status`, `on`, `off`, `show`, `log` and `forget`. A tool with its own policy can use the parts instead:
//! [`CommandRun`] measures a command, and [`prompt`](fn@prompt) asks a question.

#[cfg(feature = "clap")]
mod arguments;
mod command_run;
mod finished;
mod first_run;
#[cfg(feature = "ctrlc")]
mod interrupt;
mod kit;
mod outcome;
mod prompt;
mod running;
mod screen;
mod send;
mod sender;
mod telemetry;
mod verbs;

#[cfg(feature = "clap")]
pub use arguments::{TelemetryArgs, TelemetryCommand};
pub use command_run::{CommandRun, Finished, Outcome};
pub use finished::CommandFinished;
pub use outcome::RunResult;
pub use prompt::{Answer, may_prompt, prompt};
pub use send::run_sender_if_asked;
pub use telemetry::Telemetry;
