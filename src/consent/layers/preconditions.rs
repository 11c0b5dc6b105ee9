//! L8: what is required besides consent: a session, a licence key, an endpoint, an API key.

use crate::consent::finding::{Finding, Heard};
use crate::consent::inputs::Inputs;

pub(super) fn ask(inputs: &Inputs, _: &Heard) -> Finding {
    let facts = &inputs.facts;
    let session = facts.consent.needs_session().then(|| facts.consent.session.unwrap_or(false));
    let endpoint =
        facts.own_transport || facts.endpoint.as_deref().is_some_and(|text| !text.trim().is_empty());
    let needed = [
        ("session", session),
        ("licence key", facts.consent.license_key),
        ("endpoint", Some(endpoint)),
        ("api key", Some(!facts.api_key_missing)),
    ];
    if let Some((name, _)) = needed.into_iter().find(|(_, present)| *present == Some(false)) {
        return Finding::deny(name, "missing");
    }
    let asked = needed.iter().filter(|(_, present)| present.is_some());
    let names: Vec<_> = asked.map(|(name, _)| *name).collect();
    Finding::abstain(names.join(", "), "present")
}
