//! The notice: the short text that people see before anything is sent.

use crate::catalogue::registry::Catalogue;
use crate::catalogue::words;
use crate::catalogue::words::Uses;
use crate::schema::Purpose;

/// Returns the notice.
pub(super) fn write(catalogue: &Catalogue) -> String {
    let mut lines = vec![format!(
        "{} sends {}{}{}.",
        words::subject(catalogue),
        words::counted(catalogue.events.len()),
        catalogue.endpoint.map(|endpoint| format!(" to {endpoint},")).unwrap_or_default(),
        purposes(catalogue),
    )];
    let uses = Uses::of(catalogue);
    if let Some(by) = catalogue.identified {
        lines.push(format!("The events are not anonymous: {by}."));
    }
    if uses.hashed {
        lines.push("Identifiers are hashed: the events are pseudonymous, not anonymous.".to_owned());
    } else if uses.keyed {
        lines.push("Identifiers are replaced with pseudonyms that change from time to time.".to_owned());
    }
    if uses.raw {
        lines.push("Some values are sent as they are; the full list shows which ones and why.".to_owned());
    }
    lines.extend(catalogue.retention.map(str::to_owned));
    if catalogue.is_kept_on_disk {
        lines.push(words::KEPT_ON_DISK.to_owned());
    }
    if !catalogue.turn_off.is_empty() {
        lines.push(format!("To turn it off: {}", catalogue.turn_off.join(" Or: ")));
    }
    lines.extend(catalogue.link.map(|link| format!("Everything that is sent: {link}")));
    lines.join("\n")
}

fn purposes(catalogue: &Catalogue) -> String {
    let all = [Purpose::Usage, Purpose::Error, Purpose::UpdateCheck];
    let used =
        all.into_iter().filter(|purpose| catalogue.events.iter().any(|event| event.purpose == *purpose));
    let aims: Vec<_> = used.map(words::aim).collect();
    match aims.split_last() {
        Some((last, [])) => format!(" {last}"),
        Some((last, others)) => format!(" {} and {last}", others.join(", ")),
        None => String::new(),
    }
}
