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
    requests: Option<Sender<Arc<Outgoing>>>,
    answers: Receiver<Option<RequestResult>>,
    thread: Option<JoinHandle<()>>,
}

impl RequestThread {
    /// Starts the thread; `None` if the system has none to give.
    pub(super) fn start(
        queue: Arc<Queue>,
        send: impl Fn(&Outgoing) -> RequestResult + Send + 'static,
    ) -> Option<Self> {
        let (requests, received) = bounded::<Arc<Outgoing>>(1);
        let (answer, answers) = bounded(1);
        let run = move || {
            // The application's transport may capture or flush there, and nobody would take what it waits for.
            queue.helped_by_this_thread();
            for outgoing in received {
                let answered = catch_panic(|| send(&outgoing));
                // Before the answer, so that whoever gets that has the only hold on the body.
                drop(outgoing);
                if answer.send(answered).is_err() {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("candor-request".to_owned()).spawn(run).ok()?;
        Some(Self { requests: Some(requests), answers, thread: Some(thread) })
    }

    /// Sends a request, whose answer is to be waited for before the next.
    pub(super) fn send(&self, outgoing: Arc<Outgoing>) {
        if let Some(requests) = &self.requests {
            // The thread is there for as long as this is.
            let _ = requests.send(outgoing);
        }
    }

    /// Where the answer comes; `None` stands for a panic.
    pub(super) fn answers(&self) -> &Receiver<Option<RequestResult>> {
        &self.answers
    }

    /// Leaves the thread to itself: it ends with its request, and nobody hears of the answer.
    pub(super) fn leave_behind(mut self) {
        drop(self.thread.take());
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
