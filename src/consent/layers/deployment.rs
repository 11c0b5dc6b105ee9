//! L6: the deployment's parameters.

use super::file::{label, open};
use super::misspelt::Switch;
use crate::consent::finding::{Finding, Heard};
use crate::consent::inputs::Inputs;
use crate::consent::switch::{Reading, SwitchKind, parse_switch};
use crate::document::{Format, Found, Node};

pub(super) fn ask(inputs: &Inputs, _: &Heard) -> Finding {
    let source = &inputs.files.deployment;
    let (key, level_key) = &inputs.facts.consent.deployment_keys;
    let tree = match open(source, Format::Yaml) {
        Ok((tree, _)) => tree,
        Err(report) => return report,
    };
    let name = format!("{}: {key}", label(source));
    let report = match tree.at(key) {
        Found::Missing => Finding::abstain(name, "not set"),
        Found::Wrong(reason) => Finding::wrong(name, reason),
        Found::Value(Node::Bool(true)) => Finding::deny(name, "disabled"),
        Found::Value(Node::Bool(false)) => Finding::abstain(name, "does not deny"),
        Found::Value(Node::Text(text)) => match parse_switch(SwitchKind::LegacyString, text.as_ref()) {
            Reading::Abstain => Finding::abstain(name, "does not deny"),
            Reading::Deny => Finding::deny(name, "disabled"),
            Reading::Malformed | Reading::Grant => {
                Finding::wrong(name, "has an unrecognised value: use \"true\" or \"false\"")
            }
        },
        Found::Value(_) => Finding::wrong(name, "must be true, false or a string"),
    };
    let switch = Switch { tree: &tree, key, other: level_key, disables: true };
    switch.unless_misplaced(switch.unless_misspelt(report))
}

/// Returns whether the deployment asks for sent events to be printed.
pub(crate) fn asks_for_debug(inputs: &Inputs) -> bool {
    let (_, level_key) = &inputs.facts.consent.deployment_keys;
    open(&inputs.files.deployment, Format::Yaml).is_ok_and(|(tree, _)| {
        matches!(tree.at(level_key), Found::Value(Node::Text(text)) if text.eq_ignore_ascii_case("debug"))
    })
}
