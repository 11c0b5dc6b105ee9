//! L8: what is required besides consent: valid settings, a session, a licence key, an endpoint, an API key.

use crate::consent::finding::{Finding, Heard};
use crate::consent::inputs::Inputs;

pub(super) fn ask(inputs: &Inputs, _: &Heard) -> Finding {
    let facts = &inputs.facts;
    if inputs.runtime.disabled {
        return Finding::abstain("configuration", "not examined, because the client is disabled");
    }
    if let Some(error) = &facts.error {
        return Finding::wrong("configuration", error);
    }
    let session = facts.consent.needs_session().then(|| facts.consent.session.unwrap_or(false));
    let endpoint = facts.endpoint.as_deref().is_some_and(|text| !text.trim().is_empty());
    let api_key = (facts.has_api_key || facts.api_key_missing).then_some(!facts.api_key_missing);
    // Each with what is said if it is missing.
    let needed = [
        ("session", session, "missing"),
        ("licence key", facts.consent.license_key, "missing"),
        ("transport", facts.own_transport.then_some(true), "missing"),
        (
            "endpoint",
            (endpoint || !facts.own_transport).then_some(endpoint),
            "not set: call Config::endpoint",
        ),
        ("api key", api_key, "blank"),
    ];
    if let Some((name, _, text)) = needed.into_iter().find(|(_, present, _)| *present == Some(false)) {
        return Finding::deny(name, text);
    }
    let present = needed.iter().filter(|(_, present, _)| present.is_some());
    let names: Vec<_> = present.map(|(name, ..)| *name).collect();
    Finding::abstain(names.join(", "), "present")
}
