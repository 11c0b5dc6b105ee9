//! L5: the account's toggle.

use crate::consent::account::{Account, AccountAnswer};
use crate::consent::declaration::Subject;
use crate::consent::finding::{Finding, Heard};
use crate::consent::inputs::Inputs;

pub(super) fn ask(inputs: &Inputs, _: &Heard) -> Finding {
    let consent = &inputs.facts.consent;
    let Some(account) = &consent.account else {
        return Finding::abstain("account", "not declared");
    };
    let Account { answer, age, ttl, unknown_denies } = account;
    let fetched = inputs.now.saturating_sub(age.as_secs());
    let report = match answer {
        AccountAnswer::Deny => Finding::deny("account", "switched off"),
        AccountAnswer::Allow if age <= ttl => {
            if consent.may_grant(Subject::Account) {
                Finding::grant("account", "switched on")
            } else {
                Finding::abstain("account", "switched on, but the account may not grant")
            }
        }
        AccountAnswer::Allow | AccountAnswer::Unknown => {
            let text =
                if *answer == AccountAnswer::Unknown { "unknown" } else { "the last answer is too old" };
            let denies = unknown_denies.unwrap_or(consent.needs_session());
            if denies { Finding::deny("account", text) } else { Finding::abstain("account", text) }
        }
    };
    if *answer == AccountAnswer::Unknown { report } else { report.with_since(fetched) }
}
