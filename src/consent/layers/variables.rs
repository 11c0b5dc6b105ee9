//! The layers that are read from variables: L1 and L2.
//!
//! Never shows a raw value in a reason.

use super::super::inputs::Inputs;
use super::super::layer::{Layer, LayerReport, join};
use super::super::switch::{Reading, SwitchKind, parse_switch};
use crate::settings::{Env, variable_prefix};

const UNIVERSAL: &str = "DO_NOT_TRACK";

pub(crate) fn universal(inputs: &Inputs) -> LayerReport {
    read(Layer::Universal, &inputs.env, UNIVERSAL, SwitchKind::DoNotTrack)
}

pub(crate) fn app_env(inputs: &Inputs) -> LayerReport {
    let Inputs { facts, env, .. } = inputs;
    let prefix = variable_prefix(&facts.app);
    let consent = &facts.consent;
    let enabled = SwitchKind::Enabled { may_grant: consent.env_may_grant };
    let own = [
        ("_TELEMETRY_DISABLED", SwitchKind::Disabled),
        ("_NO_TELEMETRY", SwitchKind::Disabled),
        ("_TELEMETRY_OPTOUT", SwitchKind::Disabled),
        ("_TELEMETRY", enabled),
        ("_TELEMETRY_ENABLED", enabled),
    ];
    let own = own.into_iter().map(|(suffix, kind)| (format!("{prefix}{suffix}"), kind));
    let denying = consent.deny_env.iter().map(|name| (name.clone(), SwitchKind::Disabled));
    let telling = consent.telemetry_env.iter().map(|name| (name.clone(), enabled));
    let names: Vec<_> = own.chain(denying).chain(telling).collect();
    let set = names.iter().filter(|(name, _)| env.get(name).is_some());
    let mut reports = set.map(|(name, kind)| read(Layer::AppEnv, env, name, *kind)).peekable();
    if reports.peek().is_none() {
        let all: Vec<_> = names.iter().map(|(name, _)| name.as_str()).collect();
        return LayerReport::abstain(Layer::AppEnv, all.join(", "), "none is set");
    }
    join(Layer::AppEnv, reports)
}

fn read(layer: Layer, env: &Env, name: &str, kind: SwitchKind) -> LayerReport {
    let Some(raw) = env.get(name) else {
        return LayerReport::abstain(layer, name, "not set");
    };
    let report = match parse_switch(kind, raw) {
        Reading::Abstain => LayerReport::abstain(layer, name, "says nothing against it"),
        Reading::Deny => LayerReport::deny(layer, name, "set to off"),
        Reading::Malformed => {
            LayerReport::wrong(layer, name, "its value cannot be understood, which counts as off")
        }
        Reading::Grant => LayerReport::grant(layer, name, "set to on, for this process"),
    };
    report.with_raw(raw)
}
