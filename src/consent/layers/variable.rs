//! Reads one variable. Never shows its value in a reason.

use crate::consent::finding::Finding;
use crate::consent::switch::{Reading, SwitchKind, parse_switch};
use crate::settings::Env;

pub(super) fn read(env: &Env, name: &str, kind: SwitchKind) -> Finding {
    let Some(raw) = env.get(name) else {
        return Finding::abstain(name, "not set");
    };
    let report = match parse_switch(kind, raw) {
        Reading::Abstain => Finding::abstain(name, "says nothing against it"),
        Reading::Deny => Finding::deny(name, "set to off"),
        Reading::Malformed => Finding::wrong(name, "its value cannot be understood, which counts as off"),
        Reading::Grant => Finding::grant(name, "set to on, for this process"),
    };
    report.with_raw(raw)
}
