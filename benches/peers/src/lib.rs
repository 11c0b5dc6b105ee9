//! Code that all programs of the comparison share: arguments, the event's values, clocks and memory.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

pub mod process;
pub mod sink;

/// The values of the event that both sides send, besides `seq`.
pub const NAME: &str = "cf:request.created";
pub const DISTINCT_ID: &str = "usr_-CHh8_rdIqAotcBsP64GKQkfzW2hb1JDJ_6u7q4zom4";
pub const PROVIDER: &str = "commonfate/test-provider@v1";
pub const MODE: &str = "asap";
pub const GROUP: (&str, &str) = ("deployment", "dep_123");

/// The work of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Work {
    /// Capture the events as fast as the threads can, and deliver all of them.
    Burst,
    /// Capture while off.
    Off,
    /// The run of a tool: start, one event, end.
    Tool,
    /// Create clients; with `--events`, capture one event with each of them.
    Clients,
    /// Deliver one event, then do nothing.
    Idle,
    /// Leave the events on disk.
    Fill,
    /// Send the events that are on disk.
    Drain,
    /// Start and capture once, with the events of earlier runs on disk.
    Start,
}

/// When an event is written to disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    Sealed,
    WriteAhead,
    EachEvent,
}

/// The settings of a run.
#[derive(Clone, Debug)]
pub struct Options {
    pub work: Work,
    pub events: u64,
    pub threads: u64,
    pub queue: usize,
    pub batch: usize,
    pub clients: usize,
    pub seconds: u64,
    pub url: String,
    pub gzip: bool,
    pub off: bool,
    pub spool: Option<String>,
    pub durability: Durability,
    pub file_events: Option<usize>,
}

impl Options {
    /// Parses the command line of a child.
    pub fn from_args() -> Self {
        let mut options = Self {
            work: Work::Burst,
            events: 0,
            threads: 1,
            queue: 20_000,
            batch: 100,
            clients: 1,
            seconds: 0,
            url: String::new(),
            gzip: false,
            off: false,
            spool: None,
            durability: Durability::Sealed,
            file_events: None,
        };
        let mut args = std::env::args().skip(1);
        while let Some(arg) = args.next() {
            let mut value = || args.next().unwrap_or_else(|| panic!("{arg}: no value"));
            match arg.as_str() {
                "--work" => options.work = work(&value()),
                "--events" => options.events = number(&value()),
                "--threads" => options.threads = number(&value()),
                "--queue" => options.queue = number(&value()),
                "--batch" => options.batch = number(&value()),
                "--clients" => options.clients = number(&value()),
                "--seconds" => options.seconds = number(&value()),
                "--url" => options.url = value(),
                "--gzip" => options.gzip = true,
                "--off" => options.off = true,
                "--spool" => options.spool = Some(value()),
                "--durability" => options.durability = durability(&value()),
                "--file-events" => options.file_events = Some(number(&value())),
                _ => panic!("{arg}: unknown"),
            }
        }
        options
    }
}

fn work(name: &str) -> Work {
    match name {
        "burst" => Work::Burst,
        "off" => Work::Off,
        "tool" => Work::Tool,
        "clients" => Work::Clients,
        "idle" => Work::Idle,
        "fill" => Work::Fill,
        "drain" => Work::Drain,
        "start" => Work::Start,
        _ => panic!("{name}: not a kind of work"),
    }
}

fn durability(name: &str) -> Durability {
    match name {
        "sealed" => Durability::Sealed,
        "write-ahead" => Durability::WriteAhead,
        "each-event" => Durability::EachEvent,
        _ => panic!("{name}: not a durability"),
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
    shutdown();
    println!("{}", report(options, &mut times, started.elapsed()));
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

fn report(options: &Options, times: &mut [u32], whole: Duration) -> Value {
    times.sort_unstable();
    let at = |share: f64| {
        let index = (times.len() as f64 * share) as usize;
        times.get(index.min(times.len().saturating_sub(1))).copied().unwrap_or(0)
    };
    json!({
        "capture_ns_p50": at(0.5),
        "capture_ns_p99": at(0.99),
        "capture_ns_p9999": at(0.9999),
        "seconds": whole.as_secs_f64(),
        "events_per_second": options.events as f64 / whole.as_secs_f64(),
        "peak_rss_kib": process::peak_rss_kib(),
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

/// Creates the clients, captures one event with each if there are events, and prints the memory that they use.
pub fn clients<C>(options: &Options, create: impl Fn() -> C, capture: impl Fn(&C, u64), flush: impl Fn(&C)) {
    let before = process::rss_kib();
    let clients: Vec<C> = (0..options.clients).map(|_| create()).collect();
    if options.events > 0 {
        clients.iter().zip(0..).for_each(|(client, seq)| capture(client, seq));
        clients.iter().for_each(flush);
    }
    // Threads that the clients have started are running by then.
    std::thread::sleep(Duration::from_secs(1));
    let kib = process::rss_kib().zip(before).map(|(after, before)| after.saturating_sub(before));
    println!("{}", json!({ "rss_kib": kib, "threads": process::threads() }));
}

/// Does nothing for a while, and prints how often the threads of the process woke up meanwhile.
pub fn idle(options: &Options) {
    // The start and the one event are over by then.
    std::thread::sleep(Duration::from_secs(1));
    let before = process::switches_of_other_threads();
    std::thread::sleep(Duration::from_secs(options.seconds));
    let wakes =
        process::switches_of_other_threads().zip(before).map(|(after, before)| after.saturating_sub(before));
    println!("{}", json!({ "wakes": wakes }));
}

/// Returns the median of the values, or 0 if there are none.
pub fn median(values: &mut [f64]) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}
