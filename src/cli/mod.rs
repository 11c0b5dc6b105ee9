//! What a command-line tool needs beside a client.
//!
//! Never captures or sends anything by itself.

mod command_run;
mod prompt;

pub use command_run::{CommandRun, Finished, Outcome};
pub use prompt::{Answer, may_prompt, prompt};
