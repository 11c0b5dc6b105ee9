//! How silence is interpreted: the mode, and the notice if the mode requires one.

use super::file::{content, label};
use crate::consent::choice::Receipt;
use crate::consent::declaration::{Mode, Notice};
use crate::consent::finding::{Finding, Grants, Heard, Vote};
use crate::consent::inputs::{FileState, Inputs};

pub(super) fn ask(inputs: &Inputs, heard: &Heard) -> Finding {
    let consent = &inputs.facts.consent;
    if consent.mode == Mode::OptIn {
        return match heard.grant() {
            Some(by) => Finding::grant("opt-in", format!("granted by {by}")),
            None if inputs.facts.declares_consent => {
                Finding::abstain("opt-in", "nobody who may grant consent has done so yet")
            }
            None => Finding::abstain(
                "opt-in",
                "the application declares no consent source, so nothing is sent: call Config::consent to declare one",
            ),
        };
    }
    let name = if consent.mode == Mode::Session { "session" } else { "opt-out" };
    match &consent.notice {
        None => Finding::grant(name, "nobody has refused"),
        Some(Notice::Documented { url }) => {
            Finding::grant(name, format!("nobody has refused; the notice is at {url}"))
        }
        Some(Notice::Shown { .. }) if heard.grant_that_counts(Grants::ForPeople).is_some() => {
            Finding::grant(name, "granted by user")
        }
        Some(Notice::Shown { .. }) => shown(inputs, name),
    }
}

fn shown(inputs: &Inputs, name: &str) -> Finding {
    let waiting = |reason: &str| Finding::abstain(name, reason);
    if inputs.runtime.notice_shown {
        return waiting("the notice was shown by this run, which sends nothing");
    }
    let source = &inputs.files.receipt;
    let file = match content(source) {
        Ok(file) => file,
        Err(report) if report.vote == Vote::Deny => return report,
        Err(_) if source.state == FileState::NotDeclared => {
            return waiting("no state directory is known: the receipt of the notice cannot be stored");
        }
        Err(_) => return waiting("the notice has not been shown yet: there is no receipt"),
    };
    if let Some(doubt) = file.doubt() {
        return Finding::doubted(label(source), doubt);
    }
    let receipt = match Receipt::parse(&file.bytes) {
        Ok(receipt) => receipt,
        Err(reason) => return Finding::wrong(label(source), reason),
    };
    if receipt.notice_version != inputs.facts.consent.notice_version {
        return waiting("a different version of the notice was shown").with_since(receipt.shown_at);
    }
    if receipt.shown_at > inputs.now {
        return waiting("the receipt of the notice is dated in the future");
    }
    Finding::grant(name, "nobody has refused; the notice was shown").with_since(receipt.shown_at)
}

/// Returns whether a deferred decision waits only for the notice.
pub(crate) fn notice_is_due(inputs: &Inputs) -> bool {
    let consent = &inputs.facts.consent;
    let shown = matches!(consent.notice, Some(Notice::Shown { .. }));
    shown && consent.mode != Mode::OptIn && !inputs.runtime.notice_shown
}
