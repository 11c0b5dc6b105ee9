//! A second thread that sends one request while the worker builds the next body.
//!
//! It comes with the first backlog: a program with a few events never has it. One request is under way at a time, and
//! the worker has asked the gate before it hands one over.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::sender::{Outgoing, RequestResult};
use crate::panic::catch_panic;
use crate::queue::Queue;

/// The thread, and the way there and back.
pub(super) struct RequestThread {
    /// Always there until the thread is to end.
    requests: Option<Sender<Outgoing>>,
    answers: Receiver<(Outgoing, Option<RequestResult>)>,
    thread: Option<JoinHandle<()>>,
}

impl RequestThread {
    /// Starts the thread; `None` if the system has none to give.
    pub(super) fn start(
        queue: Arc<Queue>,
        send: impl Fn(&Outgoing) -> RequestResult + Send + 'static,
    ) -> Option<Self> {
        let (requests, received) = bounded::<Outgoing>(1);
        let (answer, answers) = bounded(1);
        let run = move || {
            // The application's transport may capture or flush there, and nobody would take what it waits for.
            queue.helped_by_this_thread();
            for outgoing in received {
                let answered = catch_panic(|| send(&outgoing));
                if answer.send((outgoing, answered)).is_err() {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("candor-request".to_owned()).spawn(run).ok()?;
        Some(Self { requests: Some(requests), answers, thread: Some(thread) })
    }

    /// Sends the request, does `work` meanwhile, and returns what came of both; `None` stands for a panic.
    pub(super) fn send_while<T>(
        &self,
        outgoing: Outgoing,
        work: impl FnOnce() -> T,
    ) -> (Option<(Outgoing, RequestResult)>, Option<T>) {
        if let Some(requests) = &self.requests {
            // The thread is there for as long as this is.
            let _ = requests.send(outgoing);
        }
        let done = catch_panic(work);
        let answered = self.answers.recv().ok().and_then(|(outgoing, answered)| Some((outgoing, answered?)));
        (answered, done)
    }
}

impl Drop for RequestThread {
    /// Waits for the end of the thread, which has nothing to do: every answer was waited for.
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
