//! Runs the sinks and, in turns, the children, and checks that every event arrived once.

use std::cell::Cell;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use peers::median;
use serde_json::Value;

/// The sink's process, which ends with this process.
pub struct Sink {
    child: Child,
    pub url: String,
}

impl Sink {
    pub fn start(args: &[&str]) -> Self {
        let mut child =
            Command::new(program("sink")).args(args).stdout(Stdio::piped()).spawn().expect("the sink");
        let mut url = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut url).expect("the sink's address");
        Self { child, url: url.trim().to_owned() }
    }

    /// Starts a sink with room for all bodies of a burst.
    pub fn roomy() -> Self {
        Self::start(&["--room-mib", "512"])
    }

    /// Returns what has arrived since the last report.
    pub fn report(&self) -> Value {
        let mut stream = TcpStream::connect(self.url.trim_start_matches("http://")).expect("the sink");
        stream.write_all(b"GET /report HTTP/1.1\r\n\r\n").expect("a request");
        stream.shutdown(std::net::Shutdown::Write).expect("a half");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("an answer");
        let body = answer.split_once("\r\n\r\n").expect("a body").1;
        serde_json::from_str(body).expect("JSON")
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program(name: &str) -> PathBuf {
    let path = std::env::current_exe().expect("a path").with_file_name(name);
    assert!(
        path.with_extension(std::env::consts::EXE_EXTENSION).exists(),
        "{name} is not built: cargo build --release"
    );
    path
}

/// Runs one child, and returns its report.
pub fn run(name: &str, url: &str, args: &[&str]) -> Value {
    let output = Command::new(program(name))
        .args(["--url", url])
        .args(args)
        .stderr(Stdio::inherit())
        .output()
        .expect(name);
    assert!(output.status.success(), "{name} {args:?} failed");
    let report: Value = serde_json::from_slice(&output.stdout).expect("a report");
    eprintln!("{name} {args:?}: {report}");
    report
}

/// Runs one child, and returns its report and that of the sink; each of its events must arrive once.
pub fn deliver(name: &str, sink: &Sink, events: u64, args: &[&str]) -> Value {
    let count = events.to_string();
    let mut report = run(name, &sink.url, &[&["--events", count.as_str()], args].concat());
    let arrived = sink.report();
    for what in ["events", "counted", "uuids", "seqs"] {
        assert_eq!(arrived[what], events, "{name} {args:?}: {what} that arrived, {arrived}");
    }
    report["sink"] = arrived;
    report
}

/// Returns the time from the start of a process to its end, in milliseconds.
pub fn process_ms(name: &str, url: &str, args: &[&str]) -> f64 {
    let started = Instant::now();
    let status = Command::new(program(name)).args(["--url", url]).args(args).status();
    let milliseconds = started.elapsed().as_secs_f64() * 1000.0;
    assert!(status.expect(name).success(), "{name} {args:?} failed");
    eprintln!("{name} {args:?} at {url}: {milliseconds:.2} ms");
    milliseconds
}

/// The reports of one kind of run.
#[derive(Default)]
pub struct Figures(Vec<Value>);

impl Figures {
    /// Returns the median, or `None` if a run does not have the figure.
    pub fn median(&self, key: &str) -> Option<f64> {
        let values: Option<Vec<f64>> = self.0.iter().map(|run| run[key].as_f64()).collect();
        values.map(|mut values| median(&mut values))
    }

    /// Returns the median of the ratios to another kind in percent, turn by turn, because turns at the same time compare
    /// best.
    pub fn percent_of(&self, other: &Self, key: &str) -> Option<f64> {
        let pairs = self.0.iter().zip(&other.0);
        let shares: Option<Vec<f64>> =
            pairs.map(|(of, to)| Some(100.0 * of[key].as_f64()? / to[key].as_f64()?)).collect();
        shares.map(|mut shares| median(&mut shares))
    }
}

/// Runs the kinds in turns, so a noisy minute affects all of them.
pub fn in_turns<const N: usize>(runs: usize, kinds: [&dyn Fn() -> Value; N]) -> [Figures; N] {
    let mut figures = [const { Figures(Vec::new()) }; N];
    for _ in 0..runs {
        for (figures, run) in figures.iter_mut().zip(kinds) {
            figures.0.push(run());
        }
    }
    figures
}

/// Returns the median time of each kind of process in milliseconds, for processes run in turns.
pub fn processes_in_turns<const N: usize>(runs: usize, kinds: [&dyn Fn() -> f64; N]) -> [f64; N] {
    let mut times = [const { Vec::new() }; N];
    for _ in 0..runs {
        for (times, run) in times.iter_mut().zip(kinds) {
            times.push(run());
        }
    }
    times.map(|mut times| median(&mut times))
}

/// A temporary directory, removed at the end.
pub struct Scratch {
    path: PathBuf,
    made: Cell<u32>,
}

impl Scratch {
    pub fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("candor-peers-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a directory");
        Self { path, made: Cell::new(0) }
    }

    /// Creates a new directory in it.
    pub fn fresh(&self) -> String {
        self.made.set(self.made.get() + 1);
        let path = self.path.join(self.made.get().to_string());
        std::fs::create_dir(&path).expect("a directory");
        path.to_str().expect("text").to_owned()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
