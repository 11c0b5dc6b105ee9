//! A state directory, an endpoint without a network, and runs of a program that use both.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use candor::transport::{Request, Response, SendError, Transport};
use candor::{Client, Config, Consent, DynamicEvent, Env, LossReason, Notice, Spool, Stats};

/// More time than any test needs, even on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(30);

/// What the endpoint does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Answers(u16),
    Refuses,
    /// Takes a request after a while, unless it is cut.
    AnswersSlowly,
    /// Holds the request until it is cut.
    Stalls,
    /// Like a connection that is being established: not even an abort ends it.
    Hangs,
    /// Refuses bodies that contain an event with this number.
    RefusesNumber(u64),
}

/// An endpoint that keeps the accepted events.
#[derive(Clone)]
pub(crate) struct Wire {
    state: Arc<(Mutex<State>, Condvar)>,
}

struct State {
    endpoint: Endpoint,
    taken: Vec<Vec<u8>>,
    requests: usize,
}

impl Wire {
    pub(crate) fn new(endpoint: Endpoint) -> Self {
        let state = State { endpoint, taken: Vec::new(), requests: 0 };
        Self { state: Arc::new((Mutex::new(state), Condvar::new())) }
    }

    pub(crate) fn up() -> Self {
        Self::new(Endpoint::Answers(200))
    }

    pub(crate) fn plug(&self) -> Plug {
        Plug { wire: self.clone(), is_cut: Mutex::new(false) }
    }

    pub(crate) fn set(&self, endpoint: Endpoint) {
        self.state.0.lock().unwrap().endpoint = endpoint;
        self.state.1.notify_all();
    }

    pub(crate) fn requests(&self) -> usize {
        self.state.0.lock().unwrap().requests
    }

    /// The accepted bodies.
    pub(crate) fn bodies(&self) -> Vec<Vec<u8>> {
        self.state.0.lock().unwrap().taken.clone()
    }

    /// The accepted events, as JSON.
    pub(crate) fn events(&self) -> Vec<serde_json::Value> {
        let bodies = self.bodies();
        let parse = |body: &Vec<u8>| serde_json::from_slice::<serde_json::Value>(body).unwrap();
        bodies.iter().map(parse).flat_map(|body| body["batch"].as_array().unwrap().clone()).collect()
    }

    /// The numbers of the accepted events, in order.
    pub(crate) fn numbers(&self) -> Vec<u64> {
        let mut numbers: Vec<u64> =
            self.events().iter().map(|event| event["properties"]["n"].as_u64().unwrap()).collect();
        numbers.sort_unstable();
        numbers
    }
}

/// One transport of a client.
pub(crate) struct Plug {
    wire: Wire,
    is_cut: Mutex<bool>,
}

impl Transport for Plug {
    fn send(&self, request: &Request<'_>) -> Result<Response, SendError> {
        let (state, changed) = &*self.wire.state;
        let mut state = state.lock().unwrap();
        state.requests += 1;
        changed.notify_all();
        let began = Instant::now();
        loop {
            let is_cut = *self.is_cut.lock().unwrap();
            match state.endpoint {
                _ if is_cut && state.endpoint != Endpoint::Hangs => return Err(SendError::Aborted),
                Endpoint::Refuses => return Err(SendError::NotSent("refused".to_owned())),
                Endpoint::RefusesNumber(number) => {
                    let wrong = format!("\"n\":{number},");
                    if String::from_utf8_lossy(request.body).contains(&wrong) {
                        return Ok(Response::status(400));
                    }
                    state.taken.push(request.body.to_vec());
                    return Ok(Response::status(200));
                }
                Endpoint::Answers(status) => {
                    if status == 200 {
                        state.taken.push(request.body.to_vec());
                    }
                    return Ok(Response::status(status));
                }
                Endpoint::AnswersSlowly if began.elapsed() >= Duration::from_millis(50) => {
                    state.taken.push(request.body.to_vec());
                    return Ok(Response::status(200));
                }
                Endpoint::AnswersSlowly | Endpoint::Stalls | Endpoint::Hangs => {
                    state = changed.wait_timeout(state, Duration::from_millis(5)).unwrap().0;
                }
            }
        }
    }

    fn abort(&self) {
        *self.is_cut.lock().unwrap() = true;
        self.wire.state.1.notify_all();
    }
}

/// An address at which a connection is neither made nor refused.
pub(crate) struct BlackHole {
    listener: socket2::Socket,
    /// What fills its queue.
    // Held, so that the queue stays full.
    queued: Vec<TcpStream>,
}

impl BlackHole {
    pub(crate) fn new() -> Self {
        let listener = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
        listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
        listener.listen(0).unwrap();
        let mut hole = Self { listener, queued: Vec::new() };
        let mut queued = Vec::new();
        while let Ok(stream) = TcpStream::connect_timeout(&hole.address(), Duration::from_millis(200)) {
            queued.push(stream);
            assert!(queued.len() < 64, "the queue has no end here");
        }
        hole.queued = queued;
        hole
    }

    fn address(&self) -> SocketAddr {
        self.listener.local_addr().unwrap().as_socket().unwrap()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address())
    }
}

/// A state directory for one test.
pub(crate) struct Scratch(PathBuf);

pub(crate) fn scratch() -> Scratch {
    let path = std::env::temp_dir().join(format!("candor-spool-test-{}", uuid::Uuid::new_v4().simple()));
    fs::create_dir_all(&path).unwrap();
    Scratch(path)
}

impl Scratch {
    /// A directory that another process creates and removes.
    pub(crate) fn at(path: impl Into<PathBuf>) -> std::mem::ManuallyDrop<Self> {
        std::mem::ManuallyDrop::new(Self(path.into()))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn spool(&self) -> PathBuf {
        self.0.join("spool")
    }

    /// The buckets.
    pub(crate) fn buckets(&self) -> Vec<PathBuf> {
        let Ok(entries) = fs::read_dir(self.spool()) else { return Vec::new() };
        entries.map(|entry| entry.unwrap().path()).collect()
    }

    /// The finished files of all buckets, sorted.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        let names = |dir: &PathBuf| fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<PathBuf> = self.buckets().iter().flat_map(names).filter(is_events).collect();
        files.sort();
        files
    }

    /// Everything in the spool's directory, for comparison.
    pub(crate) fn everything(&self) -> Vec<(PathBuf, Option<Vec<u8>>)> {
        fn walk(dir: &Path, found: &mut Vec<(PathBuf, Option<Vec<u8>>)>) {
            for entry in fs::read_dir(dir).into_iter().flatten() {
                let path = entry.unwrap().path();
                found.push((path.clone(), fs::read(&path).ok()));
                walk(&path, found);
            }
        }
        let mut found = Vec::new();
        walk(&self.0, &mut found);
        found.sort();
        found
    }
}

/// How many events a finished file holds, by its name.
pub(crate) fn events_in(file: &Path) -> u64 {
    let name = file.file_name().unwrap().to_str().unwrap();
    name.split('-').find_map(|part| part.strip_prefix('n')).unwrap().parse().unwrap()
}

#[expect(clippy::ptr_arg, reason = "a filter over paths hands these out")]
fn is_events(path: &PathBuf) -> bool {
    path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"e"))
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

pub(crate) fn documented(state: &Scratch) -> Consent {
    Consent::opt_out(Notice::documented("https://example.com/telemetry"))
        .policy_file(state.path().join("no-policy.toml"))
        .state_dir(state.path())
}

/// A configuration that reads only what a test provides.
pub(crate) fn config(state: &Scratch, wire: &Wire, spool: Spool) -> Config {
    let wire = wire.clone();
    over_network(state, spool).transport(move |_granted| Ok(Box::new(wire.plug()) as Box<dyn Transport>))
}

/// The same with the transport that applications have.
pub(crate) fn over_network(state: &Scratch, spool: Spool) -> Config {
    Config::new("spool-app", "1.0.0")
        .env(Env::empty())
        .endpoint("http://127.0.0.1:9")
        .flush_interval(LONG)
        .retry_delays(Duration::from_millis(2), Duration::from_millis(20))
        .shutdown_timeout(LONG)
        .consent(documented(state))
        .spool(spool)
}

pub(crate) fn client(config: Config) -> Client {
    let client = Client::new(config).unwrap();
    assert!(client.is_enabled(), "{:?}", client.disabled_reason());
    client
}

pub(crate) fn capture(client: &Client, numbers: impl IntoIterator<Item = u64>) {
    for n in numbers {
        client.capture(numbered(n));
    }
}

pub(crate) fn numbered(n: u64) -> DynamicEvent {
    // The number is not the last property, as `RefusesNumber` looks for a comma.
    DynamicEvent::new("counted", "node-7").property("n", n).property("z", true)
}

/// Runs a program that captures these events and ends.
pub(crate) fn run(config: Config, numbers: impl IntoIterator<Item = u64>) -> Stats {
    let client = client(config);
    capture(&client, numbers);
    client.shutdown(LONG).unwrap();
    adds_up(&client.stats());
    client.stats()
}

#[track_caller]
pub(crate) fn adds_up(stats: &Stats) {
    let ended = stats.queued + stats.spooled + stats.sent + stats.lost_total();
    assert_eq!(stats.captured + stats.recovered, ended, "{stats}");
}

#[track_caller]
pub(crate) fn lost(stats: &Stats, reason: LossReason) -> u64 {
    assert_eq!(stats.lost_total(), stats.lost(reason), "{stats}");
    stats.lost(reason)
}

/// Polls until a condition is true, with a generous timeout.
#[track_caller]
pub(crate) fn eventually(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + LONG;
    while !holds() {
        assert!(Instant::now() < deadline, "timed out waiting for: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
