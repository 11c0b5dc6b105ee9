//! How silence is read: continuous integration (L9), the mode and the notice.
//!
//! Never denies if somebody granted explicitly, and never grants if somebody denied.

use super::super::choice::Receipt;
use super::super::ci::CiProvider;
use super::super::inputs::{FileState, Inputs};
use super::super::layer::{Layer, LayerReport, Vote};
use super::files::{content, label};
use crate::consent::declaration::{CiPolicy, Mode, Notice};

pub(crate) fn environment(inputs: &Inputs, others: &[LayerReport]) -> LayerReport {
    let consent = &inputs.facts.consent;
    if consent.non_release_build {
        return LayerReport::deny(Layer::Environment, "build", "not a released build");
    }
    let Some((provider, variable)) = CiProvider::detect_with_source(&inputs.env) else {
        return LayerReport::abstain(Layer::Environment, "continuous integration", "not detected");
    };
    let report = if consent.ci == CiPolicy::Allow {
        LayerReport::abstain(
            Layer::Environment,
            variable,
            format!("continuous integration ({provider}), which the application allows"),
        )
    } else if let Some(by) = explicit_grant(inputs, others) {
        LayerReport::abstain(
            Layer::Environment,
            variable,
            format!("continuous integration ({provider}), granted by {by}"),
        )
    } else {
        LayerReport::deny(
            Layer::Environment,
            variable,
            format!("continuous integration ({provider}), and nobody granted for it"),
        )
    };
    match inputs.env.get(variable) {
        Some(raw) => report.with_raw(raw),
        None => report,
    }
}

/// A grant that was made with continuous integration in view: not a person's choice on their own machine.
fn explicit_grant(inputs: &Inputs, others: &[LayerReport]) -> Option<&'static str> {
    let consent = &inputs.facts.consent;
    let by = others.iter().find(|report| {
        report.vote == Vote::Grant
            && matches!(report.layer, Layer::AppEnv | Layer::MachinePolicy | Layer::Account | Layer::Project)
    });
    let session = consent.mode == Mode::Session && consent.session == Some(true);
    by.map(|report| report.layer.name()).or(session.then_some("session"))
}

pub(crate) fn mode(inputs: &Inputs, others: &[LayerReport]) -> LayerReport {
    let consent = &inputs.facts.consent;
    let by = |layer: Option<Layer>| {
        others
            .iter()
            .find(|report| report.vote == Vote::Grant && layer.is_none_or(|layer| layer == report.layer))
    };
    if consent.mode == Mode::OptIn {
        return match by(None) {
            Some(report) => {
                LayerReport::grant(Layer::Mode, "opt-in", format!("granted by {}", report.layer.name()))
            }
            None => LayerReport::abstain(Layer::Mode, "opt-in", "nobody who may grant has granted yet"),
        };
    }
    let name = if consent.mode == Mode::Session { "session" } else { "opt-out" };
    match &consent.notice {
        None => LayerReport::grant(Layer::Mode, name, "nobody has said no"),
        Some(Notice::Documented { url }) => {
            LayerReport::grant(Layer::Mode, name, format!("nobody has said no; the notice is at {url}"))
        }
        Some(Notice::Shown { .. }) if by(Some(Layer::User)).is_some() => {
            LayerReport::grant(Layer::Mode, name, "granted by user")
        }
        Some(Notice::Shown { .. }) => shown(inputs, name),
    }
}

fn shown(inputs: &Inputs, name: &str) -> LayerReport {
    let waiting = |reason: &str| LayerReport::abstain(Layer::Mode, name, reason);
    if inputs.runtime.notice_shown {
        return waiting("the notice was shown by this run, which sends nothing");
    }
    let source = &inputs.files.receipt;
    let file = match content(Layer::Mode, source) {
        Ok(file) => file,
        Err(report) if report.vote == Vote::Deny => return report,
        Err(_) if source.state == FileState::NotDeclared => {
            return waiting("no state directory is known: the receipt of the notice cannot be kept");
        }
        Err(_) => return waiting("the notice has not been shown yet: there is no receipt"),
    };
    if let Some(doubt) = file.doubt() {
        return LayerReport::doubted(Layer::Mode, label(source), doubt);
    }
    let receipt = match Receipt::parse(&file.bytes) {
        Ok(receipt) => receipt,
        Err(reason) => return LayerReport::wrong(Layer::Mode, label(source), reason),
    };
    if receipt.notice_version != inputs.facts.consent.notice_version {
        return waiting("another version of the notice was shown");
    }
    if receipt.shown_at > inputs.now {
        return waiting("the notice was shown at a time that has not come yet");
    }
    LayerReport::grant(Layer::Mode, name, "nobody has said no; the notice was shown")
        .with_since(receipt.shown_at)
}

/// Whether a deferred decision waits for the notice, and for nothing else that the user would have to do.
pub(crate) fn notice_is_due(inputs: &Inputs) -> bool {
    let consent = &inputs.facts.consent;
    let shown = matches!(consent.notice, Some(Notice::Shown { .. }));
    shown && consent.mode != Mode::OptIn && !inputs.runtime.notice_shown
}
