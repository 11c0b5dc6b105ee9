//! Code that the benchmarks share: clients without a network, the measured event, medians and the header line.

#![allow(dead_code, reason = "each benchmark uses a part")]

use std::process::Command;
use std::time::{Duration, Instant};

use candor::transport::{Request, Response, SendError, Transport};
use candor::{Client, Config, Consent, Env, Event, Label, Notice};

/// The number of rounds whose median is taken.
pub(crate) const ROUNDS: usize = 31;

/// The maximum time for calls that should be short.
pub(crate) const LONG: Duration = Duration::from_secs(60);

/// An access request was created.
#[derive(Event)]
#[event(name = "cf:request.created")]
pub(crate) struct RequestCreated<'a> {
    /// Who asked for access.
    #[event(distinct_id, raw = "hashed by the caller, so the figures show the capture and not the hash")]
    pub(crate) requested_by: &'a str,
    /// Whether the requester gave a reason.
    pub(crate) has_reason: bool,
    /// The provider.
    #[event(raw = "the public name of a plugin")]
    pub(crate) provider: &'a str,
    /// Whether a person must approve.
    pub(crate) requires_approval: bool,
    /// The time at which access is requested.
    pub(crate) mode: Mode,
    /// The number of the event.
    pub(crate) seq: u64,
}

/// The time at which access is requested.
#[derive(Clone, Copy, Label)]
pub(crate) enum Mode {
    /// Immediately.
    Asap,
}

/// Returns the event that all benchmarks and the comparison with peers capture.
pub(crate) fn created(seq: u64) -> RequestCreated<'static> {
    RequestCreated {
        requested_by: "usr_-CHh8_rdIqAotcBsP64GKQkfzW2hb1JDJ_6u7q4zom4",
        has_reason: true,
        provider: "commonfate/test-provider@v1",
        requires_approval: true,
        mode: Mode::Asap,
        seq,
    }
}

/// Accepts and discards every body.
pub(crate) struct Nowhere;

impl Transport for Nowhere {
    fn send(&self, _: &Request<'_>) -> Result<Response, SendError> {
        Ok(Response::status(200))
    }
}

/// A configuration that sends nothing, and whose worker sleeps until a flush.
pub(crate) fn config(events: usize) -> Config {
    let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry")).policy_file("");
    Config::new("bench", "1.0.0")
        .consent(consent)
        .group("deployment", "dep_123")
        .env(Env::empty())
        .endpoint("http://127.0.0.1:9")
        .transport(|_granted| Ok(Box::new(Nowhere) as Box<dyn Transport>))
        .queue_events(events)
        .queue_bytes(1 << 30)
        .flush_at(1 << 30)
        .flush_bytes(1 << 39)
        .flush_interval(Duration::from_secs(3600))
}

/// Returns a client with this configuration, which must be enabled.
pub(crate) fn client(config: Config) -> Client {
    let client = Client::new(config).expect("a valid configuration");
    assert!(client.is_enabled());
    client
}

/// Prints the date and the machine of the figures.
pub(crate) fn print_machine() {
    let output = |program: &str, args: &[&str]| {
        let output = Command::new(program).args(args).output().ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let model = std::fs::read_to_string("/proc/cpuinfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("model name"))?;
        Some(line.split_once(':')?.1.trim().to_owned())
    });
    let cores = std::thread::available_parallelism().ok().map(|cores| format!("{cores} cores"));
    let parts = [output("date", &["-u", "+%Y-%m-%d"]), model, cores, output("rustc", &["--version"])];
    println!("{}; medians of {ROUNDS} rounds", parts.into_iter().flatten().collect::<Vec<_>>().join(", "));
}

/// Returns the median time of one of `calls`, in nanoseconds, without the time of `before`, which runs before each
/// round.
pub(crate) fn median(calls: usize, mut before: impl FnMut(), mut round: impl FnMut(usize)) -> f64 {
    let mut rounds: Vec<f64> = (0..ROUNDS)
        .map(|_| {
            before();
            let start = Instant::now();
            round(calls);
            #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
            let calls = calls as f64;
            start.elapsed().as_secs_f64() * 1e9 / calls
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[ROUNDS / 2]
}

/// Prints one figure.
pub(crate) fn print(what: &str, value: f64, unit: &str) {
    println!("{what:<52} {value:>9.1} {unit}");
}
