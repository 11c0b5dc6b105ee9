//! Reads one variable. Its value never appears in a reason.

use std::ffi::OsStr;

use crate::consent::finding::{Finding, join};
use crate::consent::switch::{Reading, SwitchKind, parse_switch};
use crate::settings::Env;

/// Reads a variable. If it is set twice, a denial wins.
pub(super) fn read(env: &Env, name: &str, kind: SwitchKind) -> Finding {
    if env.get(name).is_none() {
        return Finding::abstain(name, "not set");
    }
    join(env.all(name).map(|raw| read_value(name, raw, kind)))
}

fn read_value(name: &str, raw: &OsStr, kind: SwitchKind) -> Finding {
    let finding = match parse_switch(kind, raw) {
        Reading::Abstain => Finding::abstain(name, "does not deny"),
        Reading::Deny => Finding::deny(name, "turns telemetry off"),
        Reading::Malformed => {
            Finding::wrong(name, "has an unrecognised value, which counts as off: use 1 or 0")
        }
        Reading::Grant => Finding::grant(name, "turns telemetry on for this process"),
    };
    finding.with_raw(raw)
}
