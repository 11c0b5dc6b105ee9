//! The work through candor.

use std::time::Duration;

use candor::{Client, Compression, Config, Consent, Env, Event, Label, Notice, Overflow};
use peers::{DISTINCT_ID, GROUP, Options, PROVIDER, burst, short_calls};

/// An access request was created.
#[derive(Event)]
#[event(name = "cf:request.created")]
struct RequestCreated<'a> {
    /// Who asked for access.
    #[event(
        distinct_id,
        raw = "hashed by the caller, so that the figures show the capture and not the hash"
    )]
    requested_by: &'a str,
    /// Whether the requester gave a reason.
    has_reason: bool,
    /// The provider.
    #[event(raw = "the public name of a plugin")]
    provider: &'a str,
    /// Whether a person must approve.
    requires_approval: bool,
    /// The time at which access is requested.
    mode: Mode,
    /// A number that shows whether an event is missing.
    seq: u64,
}

/// The time at which access is requested.
#[derive(Clone, Copy, Label)]
enum Mode {
    Asap,
}

fn created(seq: u64) -> RequestCreated<'static> {
    RequestCreated {
        requested_by: DISTINCT_ID,
        has_reason: true,
        provider: PROVIDER,
        requires_approval: true,
        mode: Mode::Asap,
        seq,
    }
}

fn main() {
    let options = Options::from_args();
    let env = if options.off { Env::empty().with("DO_NOT_TRACK", "1") } else { Env::empty() };
    let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry"));
    let config = Config::new("peers", "1.0.0")
        .consent(consent)
        .endpoint(&options.url)
        .api_key("phc_loopback")
        .group(GROUP.0, GROUP.1)
        .env(env);
    if options.oneshot {
        let client = Client::new(config).expect("a client");
        client.capture(created(0));
        client.shutdown(Duration::from_secs(30)).expect("a shutdown");
        return;
    }
    let config = config
        .queue_events(options.queue)
        .queue_bytes(options.queue * 256)
        .overflow(Overflow::Wait(Duration::from_secs(60)))
        .compression(if options.gzip { Compression::Gzip } else { Compression::None });
    let client = Client::new(config).expect("a client");
    if options.off {
        short_calls(&options, |seq| client.capture(created(seq)));
    } else {
        burst(
            &options,
            |seq| client.capture(created(seq)),
            || assert!(client.shutdown(Duration::from_secs(120)).expect("a shutdown").is_complete()),
        );
    }
}
