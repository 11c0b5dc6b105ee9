//! L9: continuous integration, and builds that are not releases.
//!
//! A grant that was made for continuous integration lifts its denial.

use crate::consent::ci::CiProvider;
use crate::consent::declaration::{CiPolicy, Mode};
use crate::consent::finding::{Finding, Grants, Heard};
use crate::consent::inputs::Inputs;

pub(super) fn ask(inputs: &Inputs, heard: &Heard) -> Finding {
    let consent = &inputs.facts.consent;
    if consent.non_release_build {
        return Finding::deny("build", "not a release build");
    }
    let Some((provider, variable)) = CiProvider::detect_with_source(&inputs.env) else {
        return Finding::abstain("continuous integration", "not detected");
    };
    let report = if consent.ci == CiPolicy::Allow {
        Finding::abstain(
            variable,
            format!("continuous integration ({provider}), which the application allows"),
        )
    } else if let Some(by) = explicit_grant(inputs, heard) {
        Finding::abstain(variable, format!("continuous integration ({provider}), granted by {by}"))
    } else {
        Finding::deny(variable, format!("continuous integration ({provider}), and nobody has granted for it"))
    };
    // A provider's own variable may contain an address or an account, and this is likely to end in a build's log.
    match inputs.env.get(variable).filter(|_| provider == CiProvider::Unknown) {
        Some(raw) => report.with_raw(raw),
        None => report,
    }
}

/// Returns a grant that was made with continuous integration in mind: not a person's choice on their own machine.
fn explicit_grant(inputs: &Inputs, heard: &Heard) -> Option<&'static str> {
    let consent = &inputs.facts.consent;
    let session = consent.mode == Mode::Session && consent.session == Some(true);
    heard.grant_that_counts(Grants::Everywhere).or(session.then_some("session"))
}
