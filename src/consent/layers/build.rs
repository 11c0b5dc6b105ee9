//! L0: whether telemetry is built in.

use crate::consent::finding::{Finding, Heard};
use crate::consent::inputs::Inputs;

pub(super) fn ask(inputs: &Inputs, _: &Heard) -> Finding {
    if inputs.facts.build_off {
        Finding::deny("cfg(telemetry_off)", "left out of this build")
    } else {
        Finding::abstain("cfg(telemetry_off)", "not set")
    }
}
