//! Code that all programs of the comparison share: arguments, the event's values, clocks and memory.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub mod sink;

/// The values of the event that both sides send, besides `seq`.
pub const NAME: &str = "cf:request.created";
pub const DISTINCT_ID: &str = "usr_-CHh8_rdIqAotcBsP64GKQkfzW2hb1JDJ_6u7q4zom4";
pub const PROVIDER: &str = "commonfate/test-provider@v1";
pub const MODE: &str = "asap";
pub const GROUP: (&str, &str) = ("deployment", "dep_123");

/// The settings of a run.
#[derive(Clone, Debug)]
pub struct Options {
    pub events: u64,
    pub threads: u64,
    pub queue: usize,
    pub batch: usize,
    pub url: String,
    pub gzip: bool,
    pub off: bool,
    pub oneshot: bool,
}

impl Options {
    /// Parses the command line of a child.
    pub fn from_args() -> Self {
        let mut options = Self {
            events: 300_000,
            threads: 1,
            queue: 20_000,
            batch: 100,
            url: String::new(),
            gzip: false,
            off: false,
            oneshot: false,
        };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut value = || args.next().unwrap_or_else(|| panic!("{arg}: no value"));
            match arg.as_str() {
                "--events" => options.events = number(&value()),
                "--threads" => options.threads = number(&value()),
                "--queue" => options.queue = number(&value()),
                "--batch" => options.batch = number(&value()),
                "--url" => options.url = value(),
                "--gzip" => options.gzip = true,
                "--off" => options.off = true,
                "--oneshot" => options.oneshot = true,
                _ => panic!("{arg}: unknown"),
            }
        }
        options
    }
}

/// Parses a number, or ends the program.
pub fn number<N: std::str::FromStr>(text: &str) -> N {
    text.parse().unwrap_or_else(|_| panic!("{text}: not a number"))
}

/// Runs the burst: calls `capture` for each event on the requested number of threads, then `shutdown`, and prints the
/// report.
pub fn burst(options: &Options, capture: impl Fn(u64) + Sync, shutdown: impl FnOnce()) {
    let started = Instant::now();
    let mut times = capture_all(options, &capture);
    let captured = started.elapsed();
    shutdown();
    println!("{}", report(options, &mut times, captured, started.elapsed()));
}

/// Captures the events, and returns the duration of each call in nanoseconds.
fn capture_all(options: &Options, capture: &(impl Fn(u64) + Sync)) -> Vec<u32> {
    let timed = |seq| {
        let started = Instant::now();
        capture(seq);
        u32::try_from(started.elapsed().as_nanos()).unwrap_or(u32::MAX)
    };
    let share = |thread: u64| {
        let first = options.events * thread / options.threads;
        first..options.events * (thread + 1) / options.threads
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..options.threads)
            .map(|thread| scope.spawn(move || share(thread).map(timed).collect::<Vec<u32>>()))
            .collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

fn report(options: &Options, times: &mut [u32], captured: Duration, whole: Duration) -> Value {
    times.sort_unstable();
    let at = |share: usize| times.get(times.len() * share / 100).copied().unwrap_or(0);
    json!({
        "capture_ns_p50": at(50),
        "capture_ns_p99": at(99),
        "capture_seconds": captured.as_secs_f64(),
        "seconds": whole.as_secs_f64(),
        "events_per_second": options.events as f64 / whole.as_secs_f64(),
        "peak_rss_kib": peak_rss_kib(),
    })
}

/// Measures calls that are too short to be timed individually: the median over rounds of 1,000.
pub fn short_calls(options: &Options, capture: impl Fn(u64)) {
    let mut rounds: Vec<f64> = (0..options.events / 1000)
        .map(|round| {
            let started = Instant::now();
            for seq in round * 1000..(round + 1) * 1000 {
                capture(std::hint::black_box(seq));
            }
            started.elapsed().as_nanos() as f64 / 1000.0
        })
        .collect();
    println!("{}", json!({ "capture_ns_p50": median(&mut rounds) }));
}

/// Returns the median of the values, or 0 if there are none.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

/// Returns the peak resident memory, or `None` if there is no `/proc`.
pub fn peak_rss_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
