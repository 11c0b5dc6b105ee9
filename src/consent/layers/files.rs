//! The layers that are read from files: L4, L6 and L7.
//!
//! Never takes a file that it cannot read for one that is not there.

use super::super::choice::{Answer, Choice};
use super::super::inputs::{FileContent, FileState, Inputs, OPEN_DIRECTORY, ReadFailure, Source};
use super::super::layer::{Layer, LayerReport, Vote, join};
use super::super::switch::{Reading, SwitchKind, parse_switch};
use super::misspelt::Switch;
use crate::consent::declaration::Subject;
use crate::document::{Format, Found, Node, read};

pub(crate) fn deployment(inputs: &Inputs) -> (LayerReport, bool) {
    let source = &inputs.files.deployment;
    let (key, level_key) = &inputs.facts.consent.deployment_keys;
    let tree = match open(Layer::Deployment, source, Format::Yaml) {
        Ok((tree, _)) => tree,
        Err(report) => return (report, false),
    };
    let debug =
        matches!(tree.at(level_key), Found::Value(Node::Text(text)) if text.eq_ignore_ascii_case("debug"));
    let name = format!("{}: {key}", label(source));
    let report = match tree.at(key) {
        Found::Missing => LayerReport::abstain(Layer::Deployment, name, "not set"),
        Found::Wrong(reason) => LayerReport::wrong(Layer::Deployment, name, reason),
        Found::Value(Node::Bool(true)) => LayerReport::deny(Layer::Deployment, name, "disabled"),
        Found::Value(Node::Bool(false)) => {
            LayerReport::abstain(Layer::Deployment, name, "says nothing against it")
        }
        Found::Value(Node::Text(text)) => match parse_switch(SwitchKind::LegacyString, text.as_ref()) {
            Reading::Abstain => LayerReport::abstain(Layer::Deployment, name, "says nothing against it"),
            Reading::Deny => LayerReport::deny(Layer::Deployment, name, "disabled"),
            Reading::Malformed | Reading::Grant => {
                LayerReport::wrong(Layer::Deployment, name, "cannot be understood")
            }
        },
        Found::Value(_) => LayerReport::wrong(Layer::Deployment, name, "is neither text nor true or false"),
    };
    let switch = Switch { tree: &tree, key, other: level_key, disables: true };
    (switch.unless_misplaced(switch.unless_misspelt(report)), debug)
}

pub(crate) fn project(inputs: &Inputs) -> LayerReport {
    let source = &inputs.files.project;
    let consent = &inputs.facts.consent;
    let (tree, file) = match open(Layer::Project, source, Format::Json) {
        Ok(opened) => opened,
        Err(report) => return report,
    };
    let name = format!("{}: {}", label(source), consent.project_key);
    let report = match tree.at(&consent.project_key) {
        Found::Missing => LayerReport::abstain(Layer::Project, name, "not set"),
        Found::Value(Node::Bool(false)) => LayerReport::deny(Layer::Project, name, "set to false"),
        Found::Value(Node::Bool(true))
            if consent.may_grant(Subject::Project) && file.directory_world_writable =>
        {
            LayerReport::doubted(Layer::Project, name, OPEN_DIRECTORY)
        }
        Found::Value(Node::Bool(true)) if consent.may_grant(Subject::Project) => {
            LayerReport::grant(Layer::Project, name, "set to true")
        }
        Found::Value(Node::Bool(true)) => {
            LayerReport::abstain(Layer::Project, name, "set to true, which is not asked for")
        }
        Found::Value(_) => LayerReport::wrong(Layer::Project, name, "is neither true nor false"),
        Found::Wrong(reason) => LayerReport::wrong(Layer::Project, name, reason),
    };
    Switch { tree: &tree, key: &consent.project_key, other: "", disables: false }.unless_misspelt(report)
}

pub(crate) fn machine_policy(inputs: &Inputs) -> LayerReport {
    let source = &inputs.files.policy;
    let (tree, file) = match open(Layer::MachinePolicy, source, Format::Toml) {
        Ok(opened) => opened,
        Err(report) => return report,
    };
    let name = label(source);
    if file.group_writable {
        return LayerReport::wrong(Layer::MachinePolicy, name, "its group may write it");
    }
    let Node::Map { entries, .. } = &tree else {
        return match tree {
            Node::Nothing => LayerReport::abstain(Layer::MachinePolicy, name, "says nothing"),
            _ => LayerReport::wrong(Layer::MachinePolicy, name, "is not a map"),
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
        return LayerReport::abstain(Layer::MachinePolicy, name, "says nothing");
    }
    let report = join(Layer::MachinePolicy, reports);
    match file.doubt() {
        Some(doubt) if report.vote == Vote::Grant => LayerReport::doubted(Layer::MachinePolicy, name, doubt),
        _ => report,
    }
}

fn policy_key(file: &str, key: &str, node: &Node) -> LayerReport {
    let name = format!("{file}: {key}");
    match (key, node) {
        ("enabled", Node::Bool(false)) | ("disabled", Node::Bool(true)) => {
            LayerReport::deny(Layer::MachinePolicy, name, "switched off by the administrator")
        }
        ("managed_grant", Node::Bool(true)) => {
            LayerReport::grant(Layer::MachinePolicy, name, "granted by the administrator")
        }
        ("enabled" | "disabled" | "managed_grant", Node::Bool(_)) => {
            LayerReport::abstain(Layer::MachinePolicy, name, "says nothing against it")
        }
        ("enabled" | "disabled" | "managed_grant", _) => {
            LayerReport::wrong(Layer::MachinePolicy, name, "is neither true nor false")
        }
        _ => LayerReport::wrong(
            Layer::MachinePolicy,
            name,
            "is not a key of a policy, and may be one misspelt",
        ),
    }
}

pub(crate) fn user(inputs: &Inputs) -> LayerReport {
    let own = own_choice(inputs, &inputs.files.choice);
    let invoker = &inputs.files.invoker_choice;
    if invoker.state == FileState::NotDeclared {
        return own;
    }
    join(Layer::User, [own, invoker_choice(invoker)])
}

/// Who calls through sudo keeps their own no; their yes is not root's.
fn invoker_choice(source: &Source) -> LayerReport {
    match read_choice(source) {
        Ok((choice, _)) if choice.answer == Answer::Denied => refusal(source, &choice),
        Ok(_) => LayerReport::abstain(Layer::User, label(source), "granted by the caller of sudo only"),
        Err(report) if source.path.is_none() => LayerReport { source: "SUDO_UID".to_owned(), ..report },
        Err(report) => report,
    }
}

fn read_choice(source: &Source) -> Result<(Choice, &FileContent), LayerReport> {
    let file = content(Layer::User, source)?;
    match Choice::parse(&file.bytes) {
        Ok(choice) => Ok((choice, file)),
        Err(reason) => Err(LayerReport::wrong(Layer::User, label(source), reason)),
    }
}

fn refusal(source: &Source, choice: &Choice) -> LayerReport {
    let report = LayerReport::deny(Layer::User, label(source), "refused by the user");
    if choice.at == 0 { report } else { report.with_since(choice.at) }
}

fn own_choice(inputs: &Inputs, source: &Source) -> LayerReport {
    let name = label(source);
    let consent = &inputs.facts.consent;
    let (choice, file) = match read_choice(source) {
        Ok(read) => read,
        Err(report) if source.state == FileState::NotDeclared => {
            return LayerReport::abstain(
                Layer::User,
                report.source,
                "no state directory is known: a choice cannot be kept",
            );
        }
        Err(report) => return report,
    };
    if choice.answer == Answer::Denied {
        return refusal(source, &choice);
    }
    if let Some(doubt) = file.doubt() {
        return LayerReport::doubted(Layer::User, name, doubt);
    }
    let ended = if choice.at > inputs.now {
        Some("granted at a time that has not come yet")
    } else if choice.notice_version != consent.notice_version {
        Some("granted for another version of the notice")
    } else if choice.endpoint != inputs.facts.endpoint.as_deref().map(super::super::origin) {
        Some("granted for another endpoint")
    } else if choice.catalogue != consent.catalogue {
        Some("granted for another catalogue")
    } else if !consent.may_grant(Subject::User) {
        Some("granted by the user, who is not asked")
    } else {
        None
    };
    match ended {
        Some(reason) => LayerReport::abstain(Layer::User, name, reason).with_since(choice.at),
        None => LayerReport::grant(Layer::User, name, "granted by the user").with_since(choice.at),
    }
}

/// Returns the content of a file, or what its absence or its state says for the layer.
pub(crate) fn content(layer: Layer, source: &Source) -> Result<&FileContent, LayerReport> {
    let name = label(source);
    match &source.state {
        FileState::NotDeclared => Err(LayerReport::abstain(layer, name, "not declared")),
        FileState::NotRead => Err(LayerReport::abstain(layer, name, "not read, as it is off anyway")),
        FileState::Missing => Err(LayerReport::abstain(layer, name, "not there")),
        FileState::Failed(failure) => Err(LayerReport::wrong(layer, name, failure_text(*failure))),
        FileState::Read(file) if file.world_writable => {
            Err(LayerReport::wrong(layer, name, "everybody may write it"))
        }
        FileState::Read(file) => Ok(file),
    }
}

fn open(layer: Layer, source: &Source, otherwise: Format) -> Result<(Node, &FileContent), LayerReport> {
    let file = content(layer, source)?;
    let format = source.path.as_deref().map_or(otherwise, |path| Format::of(path, otherwise));
    match read(format, &file.bytes) {
        Ok(tree) => Ok((tree, file)),
        Err(reason) => Err(LayerReport::wrong(layer, label(source), reason)),
    }
}

pub(crate) fn label(source: &Source) -> String {
    source.path.as_deref().map_or_else(String::new, |path| path.display().to_string())
}

fn failure_text(failure: ReadFailure) -> &'static str {
    match failure {
        ReadFailure::Link => "is a symbolic link, which is not followed",
        ReadFailure::NoHome => "names a caller whose home is not known, where a no may be kept",
        ReadFailure::BrokenLink => "is a symbolic link that leads nowhere, or stands behind one",
        ReadFailure::NoPath => "cannot be found: its path is relative to a working directory that is gone",
        ReadFailure::NotAFile => "is not a file",
        ReadFailure::TooLarge => "is larger than 64 KiB",
        ReadFailure::NotAllowed => "may not be read",
        ReadFailure::Failed => "cannot be read",
    }
}
