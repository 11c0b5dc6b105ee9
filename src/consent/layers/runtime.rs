//! L10: withdrawal in this process, a stop requested by the server, and a client that stays off.

use crate::consent::finding::{Finding, Heard};
use crate::consent::inputs::{Inputs, StaysOff};

const WITHDRAWN: &str = "consent was withdrawn while this process ran; restart the application, or opt in through it, \
                         to apply a new grant";

pub(super) fn ask(inputs: &Inputs, _: &Heard) -> Finding {
    let runtime = &inputs.runtime;
    if runtime.disabled {
        return match &inputs.facts.error {
            Some(error) => Finding::wrong("this process", format!("telemetry could not be started: {error}")),
            None => Finding::deny("Client::disabled()", "the client was created disabled"),
        };
    }
    if runtime.withdrawn {
        return Finding::deny("this process", WITHDRAWN);
    }
    if let Some(status) = runtime.stopped_by {
        return Finding::deny("endpoint", format!("answered {status}: it accepts no more events"));
    }
    match runtime.stays_off {
        Some(StaysOff::Withdrawn) => Finding::deny("this process", WITHDRAWN),
        Some(StaysOff::NotGranted) => Finding::deny(
            "this process",
            "consent was not granted when the client was created; restart the application to apply the grant",
        ),
        Some(StaysOff::ShutDown) => {
            Finding::deny("this process", "the client was shut down; a new client can apply the grant")
        }
        None => Finding::abstain("this process", "consent was not withdrawn"),
    }
}
