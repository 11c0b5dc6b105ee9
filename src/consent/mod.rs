//! Decides whether anything may be captured and sent, and explains why.
//!
//! An application declares its sources with [`Consent`], reads the outcome from [`Status`], and stores a person's
//! answer with [`opt_in`](crate::opt_in) and [`opt_out`](crate::opt_out). The other types are what these take and
//! return, and what an administrator's tool shows. A denial overrides every grant, and leaves nothing behind.

mod account;
mod child;
mod choice;
mod ci;
mod decide;
pub(crate) mod declaration;
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

pub use account::Account;
pub use ci::{CiProvider, Projection};
pub use decide::{ConsentState, Decision};
pub use declaration::{CiPolicy, Mode, Subject};
pub(crate) use declaration::{Consent, Notice};
pub use finding::Vote;
pub(crate) use gate::{Gate, GateState};
pub use granted::Granted;
pub use layers::Layer;
pub(crate) use monitor::{ConsentMonitor, explain, spool_dir};
pub use opt_in::OptIn;
pub(crate) use places::{CHOICE_FILE, state_file, writable_state_file};
pub use project::write_project_answer;
pub use report::LayerReport;
pub use status::{LastSend, QueueStatus, SpoolStatus, Status};

// The decision as a pure function of its inputs, for the fuzz targets and our own tests.
#[doc(hidden)]
pub use decide::decide;
#[doc(hidden)]
pub use inputs::{Facts, FileContent, FileState, Files, Inputs, ReadFailure, Runtime, Source};
#[doc(hidden)]
pub use sources::collect;
#[doc(hidden)]
pub use switch::{Reading, SwitchKind, parse_switch};

/// Returns the scheme, host and port of an endpoint: what a grant is bound to, and what may be shown.
pub(crate) fn origin(endpoint: &str) -> String {
    let (scheme, rest) = endpoint.split_once("://").unwrap_or(("", endpoint));
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.to_ascii_lowercase();
    if scheme.is_empty() { host } else { format!("{}://{host}", scheme.to_ascii_lowercase()) }
}

/// Formats seconds since 1970 as RFC 3339; `None` if they are out of range.
pub(crate) fn time_text(seconds: u64) -> Option<String> {
    let seconds = i64::try_from(seconds).ok()?;
    let time = time::OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    time.format(&time::format_description::well_known::Rfc3339).ok()
}

#[cfg(test)]
mod tests;
