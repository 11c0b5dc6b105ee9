//! A tool whose events a separate process sends: `testkit/examples/detached_tool.rs`, as real processes.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use testkit::{Reply, Server, eventually, example};

const SENDER: &str = "__candor-send";

/// A machine on which the tool runs.
struct Machine {
    dir: PathBuf,
    server: Server,
}

/// A process of the tool.
#[derive(Debug)]
struct Process {
    id: String,
    group: String,
    argument: String,
    streams: Vec<String>,
}

impl Machine {
    fn new(server: Server) -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("candor-detached-{}-{number}", std::process::id()));
        fs::create_dir_all(&dir).expect("a directory for the test");
        Self { dir, server }
    }

    fn command(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
        let mut command = example("detached_tool");
        command.args(arguments).env_clear().env("TOOL_URL", self.server.url());
        command.env("XDG_STATE_HOME", self.dir.join("state")).env("TOOL_TRACE", self.dir.join("trace"));
        command.envs(variables.iter().copied()).stdin(Stdio::null());
        command
    }

    /// Runs the tool, and waits only until it has ended and its output is closed.
    fn run(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        let output = self.command(arguments, variables).output().expect("the tool runs");
        assert!(output.status.success(), "{output:?}");
        output
    }

    /// Waits until every process that the tool has started has ended; returns all of them, the tools first.
    fn settled(&self) -> (Vec<Process>, Vec<Process>) {
        eventually("the end of every process", || self.processes() == 0);
        let text = fs::read_to_string(self.dir.join("trace")).expect("the trace");
        let processes = text.lines().map(|line| {
            let mut words = line.split(' ').map(str::to_owned);
            let mut next = || words.next().expect("a whole line");
            Process { id: next(), group: next(), argument: next(), streams: words.collect() }
        });
        processes.partition(|process| process.argument != SENDER)
    }

    /// Returns how many processes of the tool are running. A process that was started is found from the moment at
    /// which its parent continues: its memory is then that of the new program, but may have no arguments and no
    /// environment yet.
    fn processes(&self) -> usize {
        let dir = self.dir.display().to_string();
        let is_ours = |process: &PathBuf| {
            let read = |name| fs::read(process.join(name)).unwrap_or_default();
            let environ = read("environ");
            let is_starting =
                || environ.is_empty() && read("cmdline").is_empty() && has_memory(&read("statm"));
            environ.windows(dir.len()).any(|window| window == dir.as_bytes()) || is_starting()
        };
        let entries = fs::read_dir("/proc").expect("the processes").filter_map(Result::ok);
        entries.map(|entry| entry.path()).filter(is_ours).count()
    }

    /// Returns the names of the files with unsent events.
    fn waiting(&self) -> Vec<String> {
        let entries = |dir: PathBuf| fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
        let buckets = entries(self.dir.join("state/detached-tool/spool"));
        let files = buckets.flat_map(|bucket| entries(bucket.path()));
        let names = files.map(|file| file.file_name().to_string_lossy().into_owned());
        names.filter(|name| name.starts_with('e')).collect()
    }

    /// Returns the ids of all events that have arrived, without repetitions.
    fn arrived(&self) -> BTreeSet<String> {
        self.server.requests().iter().flat_map(testkit::Received::uuids).collect()
    }
}

/// Returns whether a process has memory of its own, from its `statm`: one that has ended and one of the kernel have none.
fn has_memory(statm: &[u8]) -> bool {
    statm.first().is_some_and(|digit| *digit != b'0')
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

#[test]
fn the_events_of_a_run_arrive_without_a_second_run() {
    let machine = Machine::new(Server::start([]));
    let output = machine.run(&[], &[]);
    assert!(output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
    machine.server.wait_for(1);
    let (tools, senders) = machine.settled();
    assert_eq!((tools.len(), senders.len(), machine.server.events().len()), (1, 1, 1), "{senders:?}");
    assert_eq!(machine.waiting(), [""; 0]);
    let [sender] = senders.as_slice() else { panic!("{senders:?}") };
    assert_eq!(sender.group, sender.id, "a group of its own");
    assert_eq!(sender.streams, ["/dev/null"; 3]);
    assert_ne!(tools[0].group, tools[0].id);
}

#[test]
fn a_command_ends_without_waiting() {
    let machine = Machine::new(Server::always(Reply::ok().held()));
    // It returns although there is no answer yet and the tool may wait for 10 minutes. Its output is closed, so no other
    // process holds it.
    machine.run(&[], &[]);
    machine.server.release();
    machine.server.wait_for(1);
    machine.settled();
    assert_eq!((machine.server.events().len(), machine.waiting().len()), (1, 0));
}

#[test]
fn concurrent_commands_start_senders_and_each_event_arrives_once() {
    const COMMANDS: usize = 8;
    let machine = Machine::new(Server::start([]));
    for round in 1..=2 {
        thread::scope(|scope| {
            for _ in 0..COMMANDS {
                scope.spawn(|| machine.run(&[], &[]));
            }
        });
        let (tools, senders) = machine.settled();
        assert!(senders.len() <= tools.len(), "no sender starts another: {senders:?}");
        let events = machine.server.events().len();
        assert_eq!((events, machine.arrived().len()), (round * COMMANDS, round * COMMANDS));
        assert_eq!(machine.waiting(), [""; 0]);
    }
}

#[test]
fn what_another_command_leaves_meanwhile_is_sent_by_the_sender_at_work() {
    let server = Server::scripted(|number| if number == 0 { Reply::ok().held() } else { Reply::ok() });
    let machine = Machine::new(server);
    machine.run(&[], &[]);
    machine.server.wait_for_begun(1);
    machine.run(&[], &[]);
    // The second sender finds the bucket locked and ends; its event is on disk since before.
    eventually("the end of the second sender", || machine.processes() == 1);
    machine.server.release();
    let (_, senders) = machine.settled();
    assert_eq!((senders.len(), machine.server.events().len(), machine.waiting().len()), (2, 2, 0));
}

#[test]
fn no_process_is_started_while_telemetry_is_off_or_no_event_may_be_kept() {
    let machine = Machine::new(Server::start([]));
    let marked = [("CANDOR_SENDER", "1")];
    for (arguments, variables) in [
        (&[][..], &[("DO_NOT_TRACK", "1")][..]),
        (&[], &[("DETACHED_TOOL_TELEMETRY", "0")]),
        (&[], &[("CI", "true")]),
        (&["--no-telemetry"], &[]),
        // A process that a sender has started, directly or indirectly.
        (&[], &marked),
        // A refusal while the command runs. It is stored, so this case comes last.
        (&["withdraw"], &[]),
        (&[], &[]),
    ] {
        machine.run(arguments, variables);
        let (_, senders) = machine.settled();
        assert!(senders.is_empty(), "{arguments:?} {variables:?}: {senders:?}");
    }
    assert_eq!((machine.server.connections(), machine.waiting().len()), (0, 0));
}

#[test]
fn a_program_that_is_not_ready_leaves_its_events_to_the_next_run() {
    let machine = Machine::new(Server::start([]));
    let output = machine.run(&[], &[("TOOL_NOT_READY", "1")]);
    let warned = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(warned.matches("run_sender_if_asked").count(), 1, "{warned}");
    assert!(machine.settled().1.is_empty());
    assert_eq!((machine.server.connections(), machine.waiting().len()), (0, 1));
    // Once it is ready, both events arrive.
    machine.run(&[], &[]);
    machine.settled();
    assert_eq!((machine.server.events().len(), machine.waiting().len()), (2, 0));
}

#[test]
fn a_withdrawal_before_the_sender_starts_is_honoured() {
    let machine = Machine::new(Server::start([]));
    machine.run(&[], &[("TOOL_NOT_READY", "1")]);
    let sender =
        |variables| machine.command(&[SENDER], variables).env("CANDOR_SENDER", "1").output().unwrap();
    for denied in [&[("DO_NOT_TRACK", "1")][..], &[("CI", "true")]] {
        sender(denied);
        assert_eq!((machine.server.connections(), machine.waiting().len()), (0, 1), "{denied:?}");
    }
    sender(&[]);
    assert_eq!((machine.server.events().len(), machine.waiting().len()), (1, 0));
}

#[test]
fn a_sender_ends_without_an_answer_and_the_events_stay() {
    let is_up = Arc::new(AtomicBool::new(false));
    let up = Arc::clone(&is_up);
    let reply = move |_| if up.load(Ordering::Relaxed) { Reply::ok() } else { Reply::stall() };
    let machine = Machine::new(Server::scripted(reply));
    machine.run(&[], &[]);
    machine.server.wait_for_begun(1);
    machine.run(&[], &[]);
    let (tools, senders) = machine.settled();
    assert_eq!((tools.len(), senders.len()), (2, 2));
    let waiting = machine.waiting();
    // An attempt that the sender itself has cut does not count; otherwise a slow endpoint would lose events.
    assert!(waiting.len() == 2 && waiting.iter().all(|name| name.ends_with("-a0")), "{waiting:?}");
    is_up.store(true, Ordering::Relaxed);
    machine.run(&[], &[]);
    machine.settled();
    assert_eq!((machine.arrived().len(), machine.waiting().len()), (3, 0));
}

#[test]
fn a_watchdog_ends_a_sender_that_hangs() {
    let machine = Machine::new(Server::start([]));
    machine.run(&[], &[("TOOL_HANGS", "1")]);
    let (_, senders) = machine.settled();
    assert_eq!((senders.len(), machine.server.connections(), machine.waiting().len()), (1, 0, 1));
}
