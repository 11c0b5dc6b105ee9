//! L1: `DO_NOT_TRACK`.

use super::variable::read;
use crate::consent::finding::{Finding, Heard};
use crate::consent::inputs::Inputs;
use crate::consent::switch::SwitchKind;

const UNIVERSAL: &str = "DO_NOT_TRACK";

pub(super) fn ask(inputs: &Inputs, _: &Heard) -> Finding {
    read(&inputs.env, UNIVERSAL, SwitchKind::DoNotTrack)
}
