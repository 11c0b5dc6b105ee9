//! L2: the application's own variables and its deny aliases.

use super::variable::read;
use crate::consent::finding::{Finding, Heard, join};
use crate::consent::inputs::Inputs;
use crate::consent::switch::SwitchKind;
use crate::settings::variable_prefix;

pub(super) fn ask(inputs: &Inputs, _: &Heard) -> Finding {
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
    let mut reports = set.map(|(name, kind)| read(env, name, *kind)).peekable();
    if reports.peek().is_none() {
        let all: Vec<_> = names.iter().map(|(name, _)| name.as_str()).collect();
        return Finding::abstain(all.join(", "), "none of them is set");
    }
    join(reports)
}
