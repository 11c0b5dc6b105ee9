//! The layers that the application itself knows: L0, L3, L5, L8 and L10.
//!
//! Never trusts an old answer longer than the application said.

use super::super::inputs::Inputs;
use super::super::layer::{Layer, LayerReport};
use crate::consent::account::{Account, AccountAnswer};
use crate::consent::declaration::{Mode, Subject};

pub(crate) fn build(inputs: &Inputs) -> LayerReport {
    if inputs.facts.build_off {
        LayerReport::deny(Layer::Build, "cfg(telemetry_off)", "left out of this build")
    } else {
        LayerReport::abstain(Layer::Build, "cfg(telemetry_off)", "built in")
    }
}

pub(crate) fn flag(inputs: &Inputs) -> LayerReport {
    if inputs.facts.consent.no_telemetry_flag {
        LayerReport::deny(Layer::Flag, "--no-telemetry", "given")
    } else {
        LayerReport::abstain(Layer::Flag, "--no-telemetry", "not given")
    }
}

pub(crate) fn account(inputs: &Inputs) -> LayerReport {
    let consent = &inputs.facts.consent;
    let Some(account) = &consent.account else {
        return LayerReport::abstain(Layer::Account, "account", "not declared");
    };
    let Account { answer, age, ttl, unknown_denies } = account;
    let fetched = inputs.now.saturating_sub(age.as_secs());
    let report = match answer {
        AccountAnswer::Deny => LayerReport::deny(Layer::Account, "account", "switched off"),
        AccountAnswer::Allow if age <= ttl => {
            if consent.may_grant(Subject::Account) {
                LayerReport::grant(Layer::Account, "account", "switched on")
            } else {
                LayerReport::abstain(Layer::Account, "account", "switched on, which is not asked for")
            }
        }
        AccountAnswer::Allow | AccountAnswer::Unknown => {
            let text = if *answer == AccountAnswer::Unknown { "not known" } else { "known too long ago" };
            let denies = unknown_denies.unwrap_or(session_is_required(inputs));
            if denies {
                LayerReport::deny(Layer::Account, "account", text)
            } else {
                LayerReport::abstain(Layer::Account, "account", text)
            }
        }
    };
    if *answer == AccountAnswer::Unknown { report } else { report.with_since(fetched) }
}

pub(crate) fn preconditions(inputs: &Inputs) -> LayerReport {
    let facts = &inputs.facts;
    let session = session_is_required(inputs).then(|| facts.consent.session.unwrap_or(false));
    let endpoint =
        facts.own_transport || facts.endpoint.as_deref().is_some_and(|text| !text.trim().is_empty());
    let needed = [
        ("session", session),
        ("licence key", facts.consent.license_key),
        ("endpoint", Some(endpoint)),
        ("api key", Some(!facts.api_key_missing)),
    ];
    if let Some((name, _)) = needed.into_iter().find(|(_, present)| *present == Some(false)) {
        return LayerReport::deny(Layer::Preconditions, name, "missing");
    }
    let asked = needed.iter().filter(|(_, present)| present.is_some());
    let names: Vec<_> = asked.map(|(name, _)| *name).collect();
    LayerReport::abstain(Layer::Preconditions, names.join(", "), "present")
}

pub(crate) fn runtime(inputs: &Inputs) -> LayerReport {
    if inputs.runtime.disabled {
        return LayerReport::deny(Layer::Runtime, "Client::disabled()", "made disabled");
    }
    if inputs.runtime.withdrawn {
        return LayerReport::deny(Layer::Runtime, "opt_out()", "withdrawn in this process");
    }
    match inputs.runtime.stopped_by {
        Some(status) => {
            LayerReport::deny(Layer::Runtime, "endpoint", format!("answered {status}: it wants nothing more"))
        }
        None => LayerReport::abstain(Layer::Runtime, "this process", "nothing was withdrawn"),
    }
}

fn session_is_required(inputs: &Inputs) -> bool {
    let consent = &inputs.facts.consent;
    consent.mode == Mode::Session || consent.session.is_some()
}
