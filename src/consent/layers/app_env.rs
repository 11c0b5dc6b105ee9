//! L2: the application's own variables and its deny aliases.

use super::variable::read;
use crate::consent::finding::{Finding, Heard, join};
use crate::consent::inputs::Inputs;
use crate::consent::switch::SwitchKind;
use crate::settings::variable_prefix;

/// What follows the application's name in the variables of which a yes denies.
const DENYING: [&str; 3] = ["_TELEMETRY_DISABLED", "_NO_TELEMETRY", "_TELEMETRY_OPTOUT"];

/// What follows it in those of which a no denies.
const TELLING: [&str; 2] = ["_TELEMETRY", "_TELEMETRY_ENABLED"];

pub(super) fn ask(inputs: &Inputs, _: &Heard) -> Finding {
    let Inputs { facts, env, .. } = inputs;
    let prefix = variable_prefix(&facts.app);
    let consent = &facts.consent;
    let enabled = SwitchKind::Enabled { may_grant: consent.env_may_grant };
    let own = DENYING.map(|suffix| (suffix, SwitchKind::Disabled)).into_iter();
    let own = own.chain(TELLING.map(|suffix| (suffix, enabled)));
    let own = own.map(|(suffix, kind)| (format!("{prefix}{suffix}"), kind));
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{DENYING, TELLING};
    use crate::consent::CiProvider;

    /// Returns the names in capitals that a section of the page of consent has in code.
    fn names_in(heading: &str) -> BTreeSet<&'static str> {
        let page = include_str!("../../documentation/consent.md");
        let (_, section) = page.split_once(&format!("\n# {heading}\n")).expect("the section");
        let section = section.split("\n# ").next().unwrap_or_default();
        let code = section.split('`').skip(1).step_by(2);
        let is_name = |text: &&str| {
            text.len() > 1 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        code.filter(is_name).filter(|name| name.bytes().any(|byte| byte.is_ascii_uppercase())).collect()
    }

    #[test]
    fn the_page_lists_every_variable_that_decides_and_no_other() {
        let own = DENYING.iter().chain(&TELLING).map(|suffix| format!("GRANTED{suffix}"));
        let others = ["DO_NOT_TRACK", "GRANTED_TELEMETRY_LOG"].map(str::to_owned);
        let heard: BTreeSet<String> = own.chain(others).collect();
        assert_eq!(names_in("Variables"), heard.iter().map(String::as_str).collect());
        assert_eq!(names_in("Continuous integration"), CiProvider::variables());
    }
}
