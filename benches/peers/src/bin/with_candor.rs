//! The work through candor.

use std::time::{Duration, Instant};

use candor::{Client, Compression, Config, Consent, Env, Event, Label, Notice, Overflow, Sending, Spool};
use peers::{DISTINCT_ID, Durability, GROUP, Options, PROVIDER, Work, burst, clients, idle, short_calls};
use serde_json::json;

/// The maximum time for calls that must succeed.
const LONG: Duration = Duration::from_secs(120);

/// The number of events that make a batch by default.
const FLUSH_AT: u64 = 100;

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

/// The default configuration, with a state directory if there is a spool.
fn defaults(options: &Options) -> Config {
    let env = if options.off { Env::empty().with("DO_NOT_TRACK", "1") } else { Env::empty() };
    let mut consent = Consent::opt_out(Notice::documented("https://example.com/telemetry"));
    if let Some(dir) = &options.spool {
        consent = consent.state_dir(dir);
    }
    Config::new("peers", "1.0.0")
        .consent(consent)
        .endpoint(&options.url)
        .api_key("phc_loopback")
        .group(GROUP.0, GROUP.1)
        .env(env)
}

/// A server's spool with room for all events.
fn server_spool(options: &Options) -> Spool {
    let spool = Spool::server().max_bytes(4 << 30).max_files(100_000);
    let spool = match options.file_events {
        Some(events) => spool.file_events(events),
        None => spool,
    };
    match options.durability {
        Durability::Sealed => spool,
        Durability::WriteAhead => spool.write_ahead(Duration::from_millis(100)),
        Durability::EachEvent => spool.each_event(),
    }
}

/// The configuration for a burst: callers wait for room.
fn for_bursts(options: &Options) -> Config {
    let config = defaults(options)
        .queue_events(options.queue)
        .queue_bytes(options.queue * 256)
        .overflow(Overflow::Wait(Duration::from_secs(60)))
        .compression(if options.gzip { Compression::Gzip } else { Compression::None });
    if options.spool.is_some() { config.spool(server_spool(options)) } else { config }
}

/// A tool as the docs recommend it: with a spool it waits for nothing, without one for at most 400 ms.
fn tool(options: &Options) -> Config {
    if options.spool.is_some() {
        defaults(options).is_server(false).spool(Spool::cli())
    } else {
        defaults(options).short_lived()
    }
}

fn client(config: Config, options: &Options) -> Client {
    let client = Client::new(config).expect("a client");
    assert_eq!(client.is_enabled(), !options.off);
    client
}

/// Shuts the client down; it must have delivered every event of the run.
fn deliver_all(client: &Client, options: &Options) {
    client.shutdown(LONG).expect("a shutdown");
    let stats = client.stats();
    let is_all = stats.captured == options.events && stats.sent == options.events;
    assert!(is_all && stats.lost_total() + stats.queued + stats.spooled == 0, "{stats}");
}

fn main() {
    let options = Options::from_args();
    match options.work {
        Work::Burst => {
            let client = client(for_bursts(&options), &options);
            burst(&options, |seq| client.capture(created(seq)), || deliver_all(&client, &options));
        }
        Work::Off => {
            let options = Options { off: true, ..options };
            let client = client(defaults(&options), &options);
            short_calls(&options, |seq| client.capture(created(seq)));
            assert_eq!(client.stats().captured, 0);
        }
        Work::Tool => {
            let guard = candor::init(tool(&options)).expect("a client");
            candor::capture(created(0));
            drop(guard);
        }
        Work::Clients => clients(
            &options,
            || client(defaults(&options), &options),
            |client, seq| client.capture(created(seq)),
            |client| assert!(client.flush(LONG).expect("a flush").is_complete()),
        ),
        Work::Idle => {
            let client = client(defaults(&options), &options);
            client.capture(created(0));
            assert!(client.flush(LONG).expect("a flush").is_complete());
            idle(&options);
        }
        Work::Fill => fill(&options),
        Work::Drain => drain(&options),
        Work::Start => start(&options),
    }
}

/// Leaves the events on disk, as a program does that ends before they are sent.
fn fill(options: &Options) {
    let spool = server_spool(options).sending(Sending::NextRun);
    let client = client(for_bursts(options).spool(spool), options);
    (0..options.events).for_each(|seq| client.capture(created(seq)));
    // The worker writes full batches to disk meanwhile; the shutdown writes the rest.
    let started = Instant::now();
    while client.stats().queued >= FLUSH_AT && started.elapsed() < LONG {
        std::thread::sleep(Duration::from_millis(1));
    }
    client.shutdown(LONG).expect("a shutdown");
    let stats = client.stats();
    assert!(stats.spooled == options.events && stats.sent + stats.lost_total() == 0, "{stats}");
    println!("{}", json!({ "spooled": stats.spooled }));
}

/// Sends the events that are on disk, which must be all of them.
fn drain(options: &Options) {
    let started = Instant::now();
    let client = client(for_bursts(options), options);
    while client.stats().sent < options.events {
        assert!(started.elapsed() < LONG, "{}", client.stats());
        // A flush waits for the events on disk as well.
        client.flush(LONG).expect("a flush");
    }
    let seconds = started.elapsed().as_secs_f64();
    client.shutdown(LONG).expect("a shutdown");
    let stats = client.stats();
    let is_all = stats.recovered == options.events && stats.sent == options.events;
    assert!(is_all && stats.lost_total() + stats.spooled == 0, "{stats}");
    println!("{}", json!({ "events_per_second": options.events as f64 / seconds }));
}

/// Starts a tool, and captures once.
fn start(options: &Options) {
    let started = Instant::now();
    let guard = candor::init(tool(options).spool(Spool::cli().max_files(100_000).max_events(1_000_000)));
    candor::capture(created(0));
    let seconds = started.elapsed().as_secs_f64();
    drop(guard.expect("a client"));
    println!("{}", json!({ "start_ms": seconds * 1000.0 }));
}
