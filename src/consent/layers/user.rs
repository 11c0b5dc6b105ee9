//! L7: the user's stored choice and, under sudo, that of the user who called it.

use super::file::{content, label};
use crate::consent::choice::{Answer, Choice};
use crate::consent::declaration::Subject;
use crate::consent::finding::{Finding, Heard, join};
use crate::consent::inputs::{FileContent, FileState, Inputs, Source};

pub(super) fn ask(inputs: &Inputs, _: &Heard) -> Finding {
    let own = own_choice(inputs, &inputs.files.choice);
    let invoker = &inputs.files.invoker_choice;
    if invoker.state == FileState::NotDeclared {
        return own;
    }
    join([own, invoker_choice(invoker)])
}

/// Returns how often the user has refused, as far as the stored choice records it.
pub(crate) fn refusals(inputs: &Inputs) -> u64 {
    read_choice(&inputs.files.choice).map_or(0, |(choice, _)| choice.refusals)
}

/// The refusal of a user who calls through sudo counts. Their grant does not count for root.
fn invoker_choice(source: &Source) -> Finding {
    match read_choice(source) {
        Ok((choice, _)) if choice.answer == Answer::Denied => refusal(source, &choice),
        Ok(_) => Finding::abstain(label(source), "granted only by the user who called sudo"),
        Err(report) if source.path.is_none() => Finding { source: "SUDO_UID".to_owned(), ..report },
        Err(report) => report,
    }
}

fn read_choice(source: &Source) -> Result<(Choice, &FileContent), Finding> {
    let file = content(source)?;
    match Choice::parse(&file.bytes) {
        Ok(choice) => Ok((choice, file)),
        Err(reason) => Err(Finding::wrong(label(source), reason)),
    }
}

fn refusal(source: &Source, choice: &Choice) -> Finding {
    let report = Finding::deny(label(source), "refused by the user");
    if choice.at == 0 { report } else { report.with_since(choice.at) }
}

fn own_choice(inputs: &Inputs, source: &Source) -> Finding {
    let name = label(source);
    let consent = &inputs.facts.consent;
    let (choice, file) = match read_choice(source) {
        Ok(read) => read,
        Err(report) if source.state == FileState::NotDeclared => {
            return Finding::abstain(report.source, "no state directory is known: a choice cannot be stored");
        }
        Err(report) => return report,
    };
    if choice.answer == Answer::Denied {
        return refusal(source, &choice);
    }
    if let Some(doubt) = file.doubt() {
        return Finding::doubted(name, doubt);
    }
    let ended = if choice.at > inputs.now {
        Some("the grant is dated in the future")
    } else if choice.notice_version != consent.notice_version {
        Some("granted for a different version of the notice")
    } else if choice.endpoint != inputs.facts.endpoint.as_deref().map(crate::consent::origin) {
        Some("granted for a different endpoint")
    } else if choice.catalogue != consent.catalogue {
        Some("granted for a different catalogue")
    } else if !consent.may_grant(Subject::User) {
        Some("granted by the user, who may not grant")
    } else {
        None
    };
    match ended {
        Some(reason) => Finding::abstain(name, reason).with_since(choice.at),
        None => Finding::grant(name, "granted by the user").with_since(choice.at),
    }
}
