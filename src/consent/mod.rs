//! Whether anything may be captured and sent at all, and why.
//!
//! Never lets a yes outweigh a no, and leaves nothing behind if the answer is no.

mod account;
mod declaration;
pub use account::Account;
pub use declaration::{CiPolicy, Consent, Mode, Notice, Subject};
mod child;
mod choice;
mod ci;
mod decide;
mod finding;
mod gate;
mod granted;
mod inputs;
mod layers;
mod monitor;
mod opt_in;
mod places;
mod project;
mod replace;
mod report;
mod sources;
mod status;
mod store;
mod switch;
mod throttle;
mod user;
mod watch;

pub use ci::{CiProvider, Projection};
pub use decide::{ConsentState, Decision, decide};
pub use finding::Vote;
pub(crate) use gate::{Gate, GateState};
pub use granted::Granted;
pub use inputs::{Facts, FileContent, FileState, Files, Inputs, ReadFailure, Runtime, Source};
pub use layers::Layer;
pub(crate) use monitor::{ConsentMonitor, explain, spool_dir};
pub use opt_in::OptIn;
pub(crate) use places::{CHOICE_FILE, state_file, writable_state_file};
pub use project::write_project_answer;
pub use report::LayerReport;
pub use sources::collect;
pub use status::{LastSend, QueueStatus, SpoolStatus, Status};
pub use switch::{Reading, SwitchKind, parse_switch};

/// Cuts an address down to scheme, host and port: what a grant is bound to, and what may be shown.
pub(crate) fn origin(endpoint: &str) -> String {
    let (scheme, rest) = endpoint.split_once("://").unwrap_or(("", endpoint));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.to_ascii_lowercase();
    if scheme.is_empty() { host } else { format!("{}://{host}", scheme.to_ascii_lowercase()) }
}

/// Writes seconds since 1970 in RFC 3339, where they are a date at all.
pub(crate) fn time_text(seconds: u64) -> Option<String> {
    let seconds = i64::try_from(seconds).ok()?;
    let time = time::OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    time.format(&time::format_description::well_known::Rfc3339).ok()
}

#[cfg(test)]
mod tests;
