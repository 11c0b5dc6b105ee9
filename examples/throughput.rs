//! Captures N events as fast as possible on one or more threads, and prints the measurements as one line of JSON.
//!
//! `throughput --events N --url URL [--threads T] [--gzip] [--off] [--api-key KEY]
//! [--spool DIR [--durability sealed|write-ahead|each-event]] [--progress] [--drain]`
//!
//! With `--spool DIR`, the state directory, events are kept on disk while they cannot be delivered, as in a server.
//! With `--progress`, `captured <seq>` is printed to stderr after every thousand captures. With `--drain`, nothing is
//! captured: the events that an earlier run has left in `DIR` are sent.
//!
//! The queue is bounded as in a server, and a full queue makes the caller wait, so no event is lost however many there
//! are. The waits affect the mean of the capture times, but not the median.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use candor::{Client, Compression, Config, Consent, Env, Event, Label, Notice, Overflow, Spool};

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
    /// Whether somebody must approve.
    requires_approval: bool,
    /// When access is wanted.
    mode: Mode,
    /// A number that shows whether an event is missing.
    seq: u64,
}

/// When access is wanted.
#[derive(Clone, Copy, Label)]
enum Mode {
    Asap,
}

#[expect(clippy::struct_excessive_bools, reason = "each is a command-line flag")]
#[derive(Default)]
struct Options {
    events: u64,
    threads: u64,
    url: Option<String>,
    key: Option<String>,
    gzip: bool,
    off: bool,
    spool: Option<String>,
    durability: Durability,
    progress: bool,
    drain: bool,
}

/// When an event is on disk.
#[derive(Clone, Copy, Default)]
enum Durability {
    #[default]
    Sealed,
    WriteAhead,
    EachEvent,
}

const USAGE: &str = "usage: throughput --events N --url URL [--threads T] [--gzip] [--off] [--api-key KEY] \
                     [--spool DIR [--durability sealed|write-ahead|each-event]] [--progress] [--drain]";

fn main() -> ExitCode {
    let Some(options) = parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    match run(&options) {
        Ok(line) => {
            println!("{line}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("throughput: {error}");
            ExitCode::FAILURE
        }
    }
}

fn parse(mut arguments: impl Iterator<Item = String>) -> Option<Options> {
    let mut options = Options { events: 100_000, threads: 1, ..Options::default() };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--events" => options.events = arguments.next()?.parse().ok()?,
            "--threads" => options.threads = arguments.next()?.parse().ok().filter(|threads| *threads > 0)?,
            "--url" => options.url = arguments.next(),
            "--api-key" => options.key = arguments.next(),
            "--gzip" => options.gzip = true,
            "--off" => options.off = true,
            "--spool" => options.spool = Some(arguments.next()?),
            "--durability" => {
                options.durability = match arguments.next()?.as_str() {
                    "sealed" => Durability::Sealed,
                    "write-ahead" => Durability::WriteAhead,
                    "each-event" => Durability::EachEvent,
                    _ => return None,
                }
            }
            "--progress" => options.progress = true,
            "--drain" => options.drain = true,
            _ => return None,
        }
    }
    if options.drain {
        options.events = 0;
    }
    let needs_spool = options.drain || !matches!(options.durability, Durability::Sealed);
    let is_complete = options.url.is_some() && (options.spool.is_some() || !needs_spool);
    is_complete.then_some(options)
}

fn run(options: &Options) -> candor::Result<String> {
    let env = if options.off { Env::empty().with("DO_NOT_TRACK", "1") } else { Env::empty() };
    let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry"));
    let mut config = Config::new("throughput", "1.0.0")
        .endpoint(options.url.as_deref().unwrap_or_default())
        .group("deployment", "dep_123")
        .queue_events(20_000)
        .queue_bytes(12 * 1024 * 1024)
        .overflow(Overflow::Wait(Duration::from_secs(60)))
        .env(env)
        .consent(consent.clone());
    if options.gzip {
        config = config.compression(Compression::Gzip);
    }
    if let Some(key) = &options.key {
        config = config.api_key(key);
    }
    if let Some(dir) = &options.spool {
        let spool = match options.durability {
            Durability::Sealed => Spool::server(),
            Durability::WriteAhead => Spool::server().write_ahead(Duration::from_millis(100)),
            Durability::EachEvent => Spool::server().each_event(),
        };
        // Enough for a long outage of the endpoint.
        let spool = spool.max_bytes(4 * 1024 * 1024 * 1024).max_files(100_000);
        config = config.consent(consent.state_dir(dir)).spool(spool);
    }
    let client = Client::new(config)?;
    let started = Instant::now();
    let mut times = capture_all(&client, options);
    if options.drain {
        client.flush(Duration::from_secs(120))?;
    }
    client.shutdown(Duration::from_secs(120))?;
    let seconds = started.elapsed().as_secs_f64();
    Ok(report(options, &client.stats(), &mut times, seconds))
}

/// Captures the events on all threads and returns how long each call took, in nanoseconds.
fn capture_all(client: &Client, options: &Options) -> Vec<u32> {
    let share = |thread: u64| {
        let first = options.events * thread / options.threads;
        first..options.events * (thread + 1) / options.threads
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..options.threads)
            .map(|thread| {
                let client = client.clone();
                let progress = options.progress;
                scope.spawn(move || {
                    share(thread).map(|seq| capture_one(&client, seq, progress)).collect::<Vec<u32>>()
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap_or_default()).collect()
    })
}

fn capture_one(client: &Client, seq: u64, progress: bool) -> u32 {
    let started = Instant::now();
    client.capture(RequestCreated {
        requested_by: "usr_-CHh8_rdIqAotcBsP64GKQkfzW2hb1JDJ_6u7q4zom4",
        has_reason: true,
        provider: "commonfate/test-provider@v1",
        requires_approval: true,
        mode: Mode::Asap,
        seq,
    });
    let nanos = u32::try_from(started.elapsed().as_nanos()).unwrap_or(u32::MAX);
    if progress && (seq + 1).is_multiple_of(1000) {
        eprintln!("captured {seq}");
    }
    nanos
}

#[expect(clippy::cast_precision_loss, reason = "figures for people")]
fn report(options: &Options, stats: &candor::Stats, times: &mut [u32], seconds: f64) -> String {
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or(0);
    let mean = times.iter().map(|time| f64::from(*time)).sum::<f64>() / times.len().max(1) as f64;
    serde_json::json!({
        "events": options.events,
        "captured": stats.captured,
        "delivered": stats.sent,
        "dropped": stats.lost_total(),
        "spooled": stats.spooled,
        "recovered": stats.recovered,
        "capture_ns_p50": at(50),
        "capture_ns_p99": at(99),
        "capture_ns_mean": (mean * 10.0).round() / 10.0,
        "seconds": seconds,
        "events_per_second": (stats.sent as f64 / seconds).round(),
        "peak_rss_kib": peak_rss_kib(),
    })
    .to_string()
}

/// Returns the peak of the resident memory; `None` if there is no `/proc`, as on systems other than Linux.
fn peak_rss_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
