//! L3: the `--no-telemetry` flag.

use crate::consent::finding::{Finding, Heard};
use crate::consent::inputs::Inputs;

pub(super) fn ask(inputs: &Inputs, _: &Heard) -> Finding {
    if inputs.facts.consent.no_telemetry_flag || inputs.runtime.no_telemetry_flag {
        Finding::deny("--no-telemetry", "given")
    } else {
        Finding::abstain("--no-telemetry", "not given")
    }
}
