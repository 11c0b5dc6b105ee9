//! L10: withdrawal in this process, and the server's own stop.

use crate::consent::finding::{Finding, Heard};
use crate::consent::inputs::Inputs;

pub(super) fn ask(inputs: &Inputs, _: &Heard) -> Finding {
    if inputs.runtime.disabled {
        return Finding::deny("Client::disabled()", "made disabled");
    }
    if inputs.runtime.withdrawn {
        return Finding::deny("opt_out()", "withdrawn in this process");
    }
    match inputs.runtime.stopped_by {
        Some(status) => Finding::deny("endpoint", format!("answered {status}: it wants nothing more")),
        None => Finding::abstain("this process", "nothing was withdrawn"),
    }
}
