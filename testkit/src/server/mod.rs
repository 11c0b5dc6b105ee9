//! A scripted HTTP server on the loopback interface, for tests and examples. Dropping it ends its threads and sockets.
//!
//! ```ignore
//! let server = Server::start([Reply::status(503), Reply::reset_after_body()]); // then always 200
//! let client = Client::new(Config::new("app", "1.0").endpoint(server.url()))?;
//! // ...
//! server.wait_for(3);
//! assert_eq!(server.events().len(), 1);
//! ```

mod connection;
mod received;
mod reply;

use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

pub use received::Received;
pub use reply::Reply;

/// The maximum time that a test waits for something that should happen, even on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Waits until `is_true` returns true. Panics with `what` after [`PATIENCE`].
#[track_caller]
pub fn eventually(what: &str, mut is_true: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !is_true() {
        assert!(Instant::now() < deadline, "timed out waiting for: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// A running server.
pub struct Server {
    shared: Arc<Shared>,
    address: SocketAddr,
    accepting: Option<JoinHandle<()>>,
}

/// The state that the server's threads share.
struct Shared {
    script: Box<dyn Fn(usize) -> Reply + Send + Sync>,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    /// The number of requests whose head was read; requests are numbered from 0.
    begun: usize,
    received: Vec<Received>,
    connections: usize,
    /// The open connections with their numbers, so the server can close them when it is dropped.
    sockets: Vec<(usize, TcpStream)>,
    threads: Vec<JoinHandle<()>>,
    is_released: bool,
    is_stopped: bool,
}

impl Server {
    /// Starts a server that answers each request with the next reply of the script, and then with 200.
    pub fn start(script: impl IntoIterator<Item = Reply>) -> Self {
        let script: Vec<Reply> = script.into_iter().collect();
        Self::scripted(move |number| script.get(number).cloned().unwrap_or_else(Reply::ok))
    }

    /// Starts a server that answers every request in the same way.
    pub fn always(reply: Reply) -> Self {
        Self::scripted(move |_| reply.clone())
    }

    /// Starts a server that chooses the reply by the number of the request, starting at 0.
    pub fn scripted(script: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let address = listener.local_addr().expect("the port");
        let shared =
            Arc::new(Shared { script: Box::new(script), state: Mutex::default(), changed: Condvar::new() });
        let accepting = thread::spawn({
            let shared = Arc::clone(&shared);
            move || shared.accept(&listener)
        });
        Self { shared, address, accepting: Some(accepting) }
    }

    /// Returns the base URL, without a trailing slash.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the requests whose whole body has arrived, in the order of arrival.
    pub fn requests(&self) -> Vec<Received> {
        self.shared.state().received.clone()
    }

    /// Returns the events of all requests in the order of arrival, including repeated ones.
    pub fn events(&self) -> Vec<Value> {
        self.requests().iter().flat_map(Received::events).collect()
    }

    /// Returns the number of connections accepted so far.
    pub fn connections(&self) -> usize {
        self.shared.state().connections
    }

    /// Returns the number of requests begun so far, including those whose body was never read.
    pub fn begun(&self) -> usize {
        self.shared.state().begun
    }

    /// Waits until this many whole requests have arrived, and returns all of them.
    #[track_caller]
    pub fn wait_for(&self, requests: usize) -> Vec<Received> {
        eventually("requests to arrive", || self.shared.state().received.len() >= requests);
        self.requests()
    }

    /// Waits until this many requests have begun.
    #[track_caller]
    pub fn wait_for_begun(&self, requests: usize) {
        eventually("requests to begin", || self.begun() >= requests);
    }

    /// Releases all held replies, including future ones.
    pub fn release(&self) {
        self.shared.state().is_released = true;
        self.shared.changed.notify_all();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let sockets = {
            let mut state = self.shared.state();
            state.is_stopped = true;
            std::mem::take(&mut state.sockets)
        };
        self.shared.changed.notify_all();
        for (_, socket) in sockets {
            // It may already be closed.
            let _ = socket.shutdown(Shutdown::Both);
        }
        // Wake the accepting thread.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
        let threads = std::mem::take(&mut self.shared.state().threads);
        for thread in threads {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // A failed assertion in another thread must not hide what arrived.
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for stream in listener.incoming() {
            let mut state = self.state();
            if state.is_stopped {
                return;
            }
            let Ok(stream) = stream else { continue };
            let Ok(socket) = stream.try_clone() else { continue };
            let connection = state.connections;
            state.connections += 1;
            state.sockets.push((connection, socket));
            let shared = Arc::clone(self);
            state.threads.push(thread::spawn(move || shared.serve(stream, connection)));
        }
    }

    /// Serves one connection, and then removes its handle, which would keep the socket open.
    fn serve(&self, stream: TcpStream, connection: usize) {
        // An error means that the other side has left.
        let _ = connection::serve(self, stream, connection);
        self.state().sockets.retain(|(known, _)| *known != connection);
    }

    /// Returns the reply for the next request, with the request's number.
    fn next_reply(&self) -> (usize, Reply) {
        let number = {
            let mut state = self.state();
            state.begun += 1;
            state.begun - 1
        };
        (number, (self.script)(number))
    }

    fn record(&self, received: Received) {
        self.state().received.push(received);
        self.changed.notify_all();
    }

    /// Waits until the test releases replies or the server ends; returns whether to continue.
    fn wait_for_release(&self) -> bool {
        let state = self.state();
        let state = self.changed.wait_while(state, |state| !state.is_released && !state.is_stopped);
        !state.unwrap_or_else(std::sync::PoisonError::into_inner).is_stopped
    }

    /// Waits until the server ends, for at most `time`; returns whether to continue.
    fn pause(&self, time: Duration) -> bool {
        let state = self.state();
        let waited = self.changed.wait_timeout_while(state, time, |state| !state.is_stopped);
        !waited.unwrap_or_else(std::sync::PoisonError::into_inner).0.is_stopped
    }
}
