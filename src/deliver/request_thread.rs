//! A second thread that sends a request while the worker builds the next body.
//!
//! It is started by the first backlog, or by the first request if there is a spool, so a program with few events and no
//! spool never has it. There is one request in flight at a time, and the worker has checked the gate before it hands
//! one over.

use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crossbeam_channel::{Receiver, Sender, bounded};

use super::sender::{Outgoing, RequestResult};
use crate::panic::catch_panic;
use crate::queue::Queue;

/// The thread, with the channels to and from it.
pub(super) struct RequestThread {
    /// Always `Some` until the thread is to end.
    requests: Option<Sender<Arc<Outgoing>>>,
    answers: Receiver<Option<RequestResult>>,
    thread: Option<JoinHandle<()>>,
}

impl RequestThread {
    /// Starts the thread; `None` if the system cannot start one.
    pub(super) fn start(
        queue: Arc<Queue>,
        send: impl Fn(&Outgoing) -> RequestResult + Send + 'static,
    ) -> Option<Self> {
        let (requests, received) = bounded::<Arc<Outgoing>>(1);
        let (answer, answers) = bounded(1);
        let run = move || {
            // The application's transport may capture or flush on this thread, where waiting for room or for delivery
            // would block the worker that has to provide them.
            queue.helped_by_this_thread();
            for outgoing in received {
                let answered = catch_panic(|| send(&outgoing));
                // Dropped before the result is sent, so its receiver holds the only reference to the body.
                drop(outgoing);
                if answer.send(answered).is_err() {
                    return;
                }
            }
        };
        let thread = thread::Builder::new().name("candor-request".to_owned()).spawn(run).ok()?;
        Some(Self { requests: Some(requests), answers, thread: Some(thread) })
    }

    /// Hands a request to the thread. Its result must be received before the next one is sent.
    pub(super) fn send(&self, outgoing: Arc<Outgoing>) {
        if let Some(requests) = &self.requests {
            // The thread lives as long as `self`.
            let _ = requests.send(outgoing);
        }
    }

    /// Returns the channel of the results; `None` means that the transport panicked.
    pub(super) fn answers(&self) -> &Receiver<Option<RequestResult>> {
        &self.answers
    }

    /// Detaches the thread: it ends after its request, whose result is dropped.
    pub(super) fn leave_behind(mut self) {
        drop(self.thread.take());
    }
}

impl Drop for RequestThread {
    /// Joins the thread, which is idle by now: every response has been received.
    fn drop(&mut self) {
        self.requests = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
