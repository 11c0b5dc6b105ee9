//! A typed event: its type defines what is sent, and the catalogue shows it.
//!
//! For programs whose users should be able to read what is sent. Prints the page and the bytes, and sends nothing.

use std::error::Error;
use std::time::Duration;

use candor::{Catalogue, Event, Label};

/// An access request was created.
///
/// Shows which providers people ask for.
#[derive(Event)]
#[event(name = "request created")]
struct RequestCreated<'a> {
    /// Who asked for access.
    #[event(distinct_id, hashed = "usr")]
    requested_by: &'a str,
    /// Whether the requester gave a reason. The reason itself is never sent.
    has_reason: bool,
    /// The kind of provider.
    provider: Provider,
    /// How long the access lasts.
    #[event(buckets = [60, 480])]
    duration_minutes: Duration,
}

#[derive(Label)]
enum Provider {
    Aws,
    Gcp,
}

const EVENTS: Catalogue = candor::events![RequestCreated].product("Granted");

fn main() -> Result<(), Box<dyn Error>> {
    println!("{}", EVENTS.markdown());
    for (requested_by, provider) in [("ada", Provider::Aws), ("grace", Provider::Gcp)] {
        let event = RequestCreated {
            requested_by,
            has_reason: true,
            provider,
            duration_minutes: Duration::from_secs(3600),
        };
        let preview = candor::preview(&event).map_err(|reason| reason.to_string())?;
        println!("{}\n", String::from_utf8_lossy(preview.event()));
    }
    Ok(())
}
