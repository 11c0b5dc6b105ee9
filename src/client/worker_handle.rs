//! The client's hold on its worker: commands, deadlines, the cut.
//!
//! Never waits for a worker of another process, nor for itself.

use std::process;
use std::sync::Arc;
use std::thread::{self, JoinHandle, ThreadId};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use crate::deliver::{Command, Worker};
use crate::error::{Error, ErrorKind, Result};
use crate::transport::Transport;

/// How long a worker that was cut gets to notice.
const CUT: Duration = Duration::from_millis(100);

/// A running worker.
pub(super) struct WorkerHandle {
    /// Always there until the handle is dropped.
    commands: Option<Sender<Command>>,
    transport: Arc<dyn Transport>,
    thread: Option<JoinHandle<()>>,
    id: ThreadId,
    owner_pid: u32,
}

/// Creates the channel through which a worker is told what to do.
pub(super) fn commands() -> (Sender<Command>, Receiver<Command>) {
    unbounded()
}

impl WorkerHandle {
    /// Starts the thread.
    pub(super) fn start(
        worker: Worker,
        commands: Sender<Command>,
        transport: Arc<dyn Transport>,
    ) -> Result<Self> {
        let thread = thread::Builder::new().name("candor".to_owned()).spawn(move || worker.run()).map_err(
            |cause| {
                Error::new(ErrorKind::NotRunning, "the worker thread could not be started").caused_by(cause)
            },
        )?;
        let id = thread.thread().id();
        Ok(Self { commands: Some(commands), transport, thread: Some(thread), id, owner_pid: process::id() })
    }

    /// Returns whether the thread was started by this process, and not by the parent of a fork.
    pub(super) fn is_ours(&self) -> bool {
        self.owner_pid == process::id()
    }

    /// Returns whether this is the worker's own thread, which must not wait for itself.
    pub(super) fn is_current(&self) -> bool {
        self.id == thread::current().id()
    }

    /// Returns the transport, whose request can be cut from any thread.
    pub(super) fn transport(&self) -> Arc<dyn Transport> {
        Arc::clone(&self.transport)
    }

    /// Hands a command over. A worker that has ended drops it, and the reply with it.
    fn tell(&self, command: Command) {
        if let Some(commands) = &self.commands {
            let _ = commands.send(command);
        }
    }

    /// Asks for a flush; the receiver hears when it is over.
    pub(super) fn flush(&self, deadline: Instant) -> Receiver<()> {
        let (reply, done) = bounded(1);
        self.tell(Command::Flush { reply, deadline });
        done
    }

    /// Asks the worker to end by the deadline; the receiver is disconnected at its end.
    pub(super) fn ask_to_end(&self, deadline: Instant) -> Receiver<()> {
        let (reply, done) = bounded(1);
        self.tell(Command::Shutdown { reply, deadline });
        done
    }

    /// Waits for the end that was asked for; a request in flight is cut at the deadline.
    pub(super) fn ended(mut self, done: &Receiver<()>, deadline: Instant) {
        if self.is_current() {
            return;
        }
        let ended = done.recv_deadline(deadline).is_err_and(|error| error.is_disconnected());
        self.join(ended);
    }

    /// Ends the worker by the deadline; a request in flight is cut there.
    pub(super) fn shutdown(self, deadline: Instant) {
        let done = self.ask_to_end(deadline);
        self.ended(&done, deadline);
    }

    /// Tells the worker that consent is gone, and cuts its request, without waiting for either.
    pub(super) fn tell_withdrawn(&self) {
        self.tell(Command::Withdraw);
        self.transport.abort();
    }

    /// Ends the worker at once; what it holds is dropped.
    pub(super) fn withdraw(mut self) {
        self.tell(Command::Withdraw);
        self.transport.abort();
        if !self.is_current() {
            self.join(false);
        }
    }

    /// Waits for the end of the thread, which is near; cuts it if it is not.
    fn join(&mut self, has_ended: bool) {
        let Some(thread) = self.thread.take() else { return };
        if !has_ended && !thread.is_finished() {
            self.transport.abort();
            let until = Instant::now() + CUT;
            while !thread.is_finished() && Instant::now() < until {
                thread::sleep(Duration::from_millis(1));
            }
        }
        if has_ended || thread.is_finished() {
            // Its panics were caught and counted inside.
            let _ = thread.join();
        }
    }
}

impl Drop for WorkerHandle {
    /// Lets the worker go on by itself: without commands to come it sends what it has, and ends.
    ///
    /// In a forked child there is no worker. Its handle and its channel are left as they are: a lock in
    /// them may be held for ever by a thread that does not exist here.
    fn drop(&mut self) {
        if !self.is_ours() {
            std::mem::forget(self.commands.take());
            std::mem::forget(self.thread.take());
        }
    }
}
