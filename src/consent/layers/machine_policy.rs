//! L4: the machine's policy.

use super::file::{label, open};
use crate::consent::finding::{Finding, Heard, Vote, join};
use crate::consent::inputs::Inputs;
use crate::document::{Format, Node};

pub(super) fn ask(inputs: &Inputs, _: &Heard) -> Finding {
    let source = &inputs.files.policy;
    let (tree, file) = match open(source, Format::Toml) {
        Ok(opened) => opened,
        Err(report) => return report,
    };
    let name = label(source);
    if file.group_writable {
        return Finding::wrong(name, "can be written by its group: restrict its permissions");
    }
    let Node::Map { entries, .. } = &tree else {
        return match tree {
            Node::Nothing => Finding::abstain(name, "is empty"),
            _ => Finding::wrong(name, "must be a table"),
        };
    };
    let mut reports = Vec::new();
    for (key, node) in entries {
        match node {
            Node::Map { entries, .. } if key == "telemetry" => {
                reports.extend(entries.iter().map(|(key, node)| policy_key(&name, key, node)));
            }
            _ => reports.push(policy_key(&name, key, node)),
        }
    }
    if reports.is_empty() {
        return Finding::abstain(name, "is empty");
    }
    let report = join(reports);
    match file.doubt() {
        Some(doubt) if report.vote == Vote::Grant => Finding::doubted(name, doubt),
        _ => report,
    }
}

fn policy_key(file: &str, key: &str, node: &Node) -> Finding {
    let name = format!("{file}: {key}");
    match (key, node) {
        ("enabled", Node::Bool(false)) | ("disabled", Node::Bool(true)) => {
            Finding::deny(name, "switched off by the administrator")
        }
        ("managed_grant", Node::Bool(true)) => Finding::grant(name, "granted by the administrator"),
        ("enabled" | "disabled" | "managed_grant", Node::Bool(_)) => Finding::abstain(name, "does not deny"),
        ("enabled" | "disabled" | "managed_grant", _) => Finding::wrong(name, "must be true or false"),
        _ => {
            Finding::wrong(name, "is not a key of a policy, but may be a misspelt one: correct or remove it")
        }
    }
}
