//! L6: the project's file.

use super::file::{label, open};
use super::misspelt::Switch;
use crate::consent::declaration::Subject;
use crate::consent::finding::{Finding, Heard};
use crate::consent::inputs::{Inputs, OPEN_DIRECTORY};
use crate::document::{Format, Found, Node};

pub(super) fn ask(inputs: &Inputs, _: &Heard) -> Finding {
    let source = &inputs.files.project;
    let consent = &inputs.facts.consent;
    let (tree, file) = match open(source, Format::Json) {
        Ok(opened) => opened,
        Err(report) => return report,
    };
    let name = format!("{}: {}", label(source), consent.project_key);
    let report = match tree.at(&consent.project_key) {
        Found::Missing => Finding::abstain(name, "not set"),
        Found::Value(Node::Bool(false)) => Finding::deny(name, "set to false"),
        Found::Value(Node::Bool(true))
            if consent.may_grant(Subject::Project) && file.directory_world_writable =>
        {
            Finding::doubted(name, OPEN_DIRECTORY)
        }
        Found::Value(Node::Bool(true)) if consent.may_grant(Subject::Project) => {
            Finding::grant(name, "set to true")
        }
        Found::Value(Node::Bool(true)) => {
            Finding::abstain(name, "set to true, but the project may not grant")
        }
        Found::Value(_) => Finding::wrong(name, "must be true or false"),
        Found::Wrong(reason) => Finding::wrong(name, reason),
    };
    Switch { tree: &tree, key: &consent.project_key, other: "", disables: false }.unless_misspelt(report)
}
