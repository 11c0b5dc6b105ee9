//! Reads one variable. Never shows its value in a reason.

use std::ffi::OsStr;

use crate::consent::finding::{Finding, join};
use crate::consent::switch::{Reading, SwitchKind, parse_switch};
use crate::settings::Env;

/// Reads a variable; of one that is there twice, a no wins.
pub(super) fn read(env: &Env, name: &str, kind: SwitchKind) -> Finding {
    if env.get(name).is_none() {
        return Finding::abstain(name, "not set");
    }
    join(env.all(name).map(|raw| read_value(name, raw, kind)))
}

fn read_value(name: &str, raw: &OsStr, kind: SwitchKind) -> Finding {
    let finding = match parse_switch(kind, raw) {
        Reading::Abstain => Finding::abstain(name, "says nothing against it"),
        Reading::Deny => Finding::deny(name, "set to off"),
        Reading::Malformed => Finding::wrong(name, "its value cannot be understood, which counts as off"),
        Reading::Grant => Finding::grant(name, "set to on, for this process"),
    };
    finding.with_raw(raw)
}
