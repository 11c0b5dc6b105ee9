//! Runs the sink and, in turns, the children, and checks that every event arrived once.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use peers::median;
use serde_json::Value;

use crate::Plan;
use crate::table::{Table, Target};

/// The batch sizes of posthog-rs: its default, and one with bodies as large as candor's.
const PEER_BATCHES: [usize; 2] = [100, 2_500];

/// The sink's process, which ends with this process.
struct Sink {
    child: Child,
    url: String,
}

impl Sink {
    fn start() -> Self {
        let mut child = Command::new(program("sink")).stdout(Stdio::piped()).spawn().expect("the sink");
        let mut url = String::new();
        BufReader::new(child.stdout.take().expect("a pipe")).read_line(&mut url).expect("the sink's address");
        Self { child, url: url.trim().to_owned() }
    }

    /// Returns what has arrived since the last report.
    fn report(&self) -> Value {
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
    std::env::current_exe().expect("a path").with_file_name(name)
}

/// The figures of one kind of run.
#[derive(Default)]
struct Figures(Vec<Value>);

impl Figures {
    fn median(&self, key: &str) -> f64 {
        median(&mut self.0.iter().map(|run| run[key].as_f64().unwrap_or(0.0)).collect::<Vec<_>>())
    }
}

/// Returns the median of the ratios of two kinds, turn by turn, because turns at the same time compare best.
fn share(of: &Figures, to: &Figures, key: &str) -> f64 {
    let value = |run: &Value| run[key].as_f64().unwrap_or(0.0);
    median(&mut of.0.iter().zip(&to.0).map(|(of, to)| 100.0 * value(of) / value(to)).collect::<Vec<_>>())
}

struct Runner<'a> {
    plan: &'a Plan,
    sink: Sink,
}

impl Runner<'_> {
    /// Runs one child, and returns its report and that of the sink.
    fn run(&self, name: &str, args: &[&str]) -> Value {
        let events = self.plan.events.to_string();
        let output = Command::new(program(name))
            .args(["--url", &self.sink.url, "--events", &events])
            .args(args)
            .stderr(Stdio::inherit())
            .output()
            .expect(name);
        assert!(output.status.success(), "{name} {args:?} failed");
        let mut report: Value = serde_json::from_slice(&output.stdout).expect("a report");
        report["sink"] = self.sink.report();
        report
    }

    /// Runs a burst; each of its events must arrive once.
    fn burst(&self, name: &str, args: &[&str]) -> Value {
        let report = self.run(name, args);
        let sink = &report["sink"];
        for count in ["events", "uuids", "seqs"] {
            assert_eq!(sink[count], self.plan.events, "{name} {args:?}: {count} that arrived, {report}");
        }
        eprintln!("{name} {args:?}: {report}");
        report
    }

    /// Returns the number of events that candor puts into one body of a burst.
    fn body_events(&self) -> String {
        let report = self.burst("with_candor", &[]);
        let bodies = report["sink"]["bodies"].as_u64().unwrap_or(1);
        self.plan.events.div_ceil(bodies).to_string()
    }

    /// Runs the kinds of bursts in turns, so a noisy minute affects all of them.
    fn bursts<const N: usize>(&self, kinds: [(&str, &[&str]); N]) -> [Figures; N] {
        let mut figures = [const { Figures(Vec::new()) }; N];
        for _ in 0..self.plan.runs {
            for (figures, (name, args)) in figures.iter_mut().zip(&kinds) {
                figures.0.push(self.burst(name, args));
            }
        }
        figures
    }

    /// Returns the median time from the start of a process to its end, in milliseconds, for processes run in turns.
    fn oneshots<const N: usize>(&self, names: [&str; N]) -> [f64; N] {
        let mut times = [const { Vec::new() }; N];
        for _ in 0..self.plan.oneshots {
            for (times, name) in times.iter_mut().zip(names) {
                let started = Instant::now();
                let status =
                    Command::new(program(name)).args(["--oneshot", "--url", &self.sink.url]).status();
                times.push(started.elapsed().as_secs_f64() * 1000.0);
                assert!(status.expect(name).success(), "{name} failed");
            }
        }
        times.map(|mut times| median(&mut times))
    }
}

/// Takes all measurements of runs, and adds their rows.
pub fn measure(plan: &Plan, table: &mut Table) {
    let runner = Runner { plan, sink: Sink::start() };
    let whole_queue = (plan.events + 1).to_string();
    let batches = PEER_BATCHES.map(|batch| batch.to_string());
    let [small, large] = [["--batch", &batches[0]], ["--batch", &batches[1]]];
    let body = runner.body_events();
    let [peer_small, peer_large, candor, ready, candor_whole, candor_threads, peer_threads] =
        runner.bursts([
            ("with_posthog", &small),
            ("with_posthog", &large),
            ("with_candor", &[]),
            ("ready_made", &["--batch", &body]),
            ("with_candor", &["--queue", &whole_queue]),
            ("with_candor", &["--threads", "8"]),
            ("with_posthog", &[small[0], small[1], "--threads", "8"]),
        ]);
    // Each figure of the peer is the one of its better batch size.
    let most = |key: &str| peer_small.median(key).max(peer_large.median(key));
    let least = |key: &str| peer_small.median(key).min(peer_large.median(key));

    let p50 = "capture_ns_p50";
    let times_less = Target::TimesLess(6.0);
    table.row(
        "`capture()` of a typed event, median",
        "ns",
        Some(least(p50)),
        candor.median(p50),
        &times_less,
    );
    off(&runner, table);

    let rate = "events_per_second";
    let ten = Target::TimesMore(10.0);
    table.row("delivered events per second", "/s", Some(most(rate)), candor.median(rate), &ten);
    gzip(&runner, table, &large);
    let least_share = Target::AtLeast(40.0);
    table.row(
        "the same, share of what the sink takes",
        "%",
        None,
        share(&candor, &ready, rate),
        &least_share,
    );
    let eight = share(&candor_threads, &candor, rate);
    let peer_eight = share(&peer_threads, &peer_small, rate);
    let all = Target::AtLeast(100.0);
    table.row("8 threads, share of one thread's events per second", "%", Some(peer_eight), eight, &all);

    let rss = |figures: &Figures| figures.median("peak_rss_kib") / 1024.0;
    let peer_rss = rss(&peer_small).min(rss(&peer_large));
    let six = Target::TimesLess(6.0);
    table.row("peak resident memory, callers wait for room", "MiB", Some(peer_rss), rss(&candor), &six);
    let whole = rss(&candor_whole);
    table.row("peak resident memory, queue for all events", "MiB", Some(peer_rss), whole, &Target::None);

    let [empty, peer, candor] = runner.oneshots(["empty", "with_posthog", "with_candor"]);
    let four = Target::TimesLess(4.0);
    table.row("whole process: start, one event, shutdown", "ms", Some(peer), candor, &four);
    table.row("the same for a program that does nothing", "ms", None, empty, &Target::None);
}

fn off(runner: &Runner<'_>, table: &mut Table) {
    let runs = |name| {
        let runs = (0..runner.plan.runs).map(|_| runner.run(name, &["--off"])).collect();
        Figures(runs).median("capture_ns_p50")
    };
    let (peer, candor) = (runs("with_posthog"), runs("with_candor"));
    table.row("the same when off", "ns", Some(peer), candor, &Target::AtMost(2.0));
}

fn gzip(runner: &Runner<'_>, table: &mut Table, large: &[&str; 2]) {
    let [peer, candor] = runner
        .bursts([("with_posthog", &[large[0], large[1], "--gzip"] as &[&str]), ("with_candor", &["--gzip"])]);
    let rate = "events_per_second";
    table.row("the same with gzip", "/s", Some(peer.median(rate)), candor.median(rate), &Target::None);
}
