//! L10: withdrawal in this process, and a stop requested by the server.

use crate::consent::finding::{Finding, Heard};
use crate::consent::inputs::Inputs;

pub(super) fn ask(inputs: &Inputs, _: &Heard) -> Finding {
    if inputs.runtime.disabled {
        return Finding::deny("Client::disabled()", "the client was created disabled");
    }
    if inputs.runtime.withdrawn {
        return Finding::deny("opt_out()", "withdrawn in this process");
    }
    match inputs.runtime.stopped_by {
        Some(status) => Finding::deny("endpoint", format!("answered {status}: it accepts no more events")),
        None => Finding::abstain("this process", "consent was not withdrawn"),
    }
}
