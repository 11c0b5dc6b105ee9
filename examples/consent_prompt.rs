//! A tool that asks once, before anything is sent. Such a tool also needs the commands `on`, `off` and `status`.
//!
//! The answer is stored in the user's state directory (`$XDG_STATE_HOME/consent-prompt` on Linux). This is a dry run:
//! events are printed instead of sent.

use std::io::{stderr, stdin};

use candor::cli::{may_prompt, prompt};
use candor::consent::ConsentState;
use candor::{Config, Consent, Env};

const QUESTION: &str = "consent_prompt can send which commands are used, to help its authors.\n\
                        Everything that it sends: https://example.com/telemetry\n\
                        Enable telemetry? (y/N): ";

fn main() -> candor::Result<()> {
    let config = Config::new("consent-prompt", env!("CARGO_PKG_VERSION"))
        .endpoint("https://t.example.com")
        .dry_run(true)
        .consent(Consent::opt_in());
    let guard = candor::init(config)?;
    let client = guard.client();
    match std::env::args().nth(1).as_deref() {
        Some("on") => println!("{}", client.opt_in()?),
        Some("off") => client.opt_out()?,
        Some("status") => println!("{}", client.status()),
        _ => {
            // Deferred: nobody has granted consent or refused it.
            if client.state() == ConsentState::Deferred && may_prompt(&Env::from_process()) {
                if prompt(QUESTION, &mut stdin().lock(), &mut stderr()).is_yes() {
                    println!("{}", client.opt_in()?);
                } else {
                    client.opt_out()?;
                }
            }
            candor::event!("command run", distinct_id = "consent-prompt", command = "list");
            println!("telemetry is {}", client.state().name());
        }
    }
    Ok(())
}
