//! The client's hold on its worker: commands, deadlines, the cut.
//! Takes what the client asks; gives replies within the time given.
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
    commands: Sender<Command>,
    transport: Arc<dyn Transport>,
    thread: Option<JoinHandle<()>>,
    id: ThreadId,
    owner: u32,
}

/// Makes the channel through which a worker is told what to do.
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
        let thread = thread::Builder::new()
            .name("candor".to_owned())
            .spawn(move || worker.run())
            .map_err(|cause| Error::new(ErrorKind::NotRunning, "the worker thread").caused_by(cause))?;
        let id = thread.thread().id();
        Ok(Self { commands, transport, thread: Some(thread), id, owner: process::id() })
    }

    /// Returns whether the thread was started by this process, and not by the parent of a fork.
    pub(super) fn is_ours(&self) -> bool {
        self.owner == process::id()
    }

    /// Returns whether this is the worker's own thread, which must not wait for itself.
    pub(super) fn is_current(&self) -> bool {
        self.id == thread::current().id()
    }

    /// Asks for a flush; the receiver hears when it is over.
    pub(super) fn flush(&self, deadline: Instant) -> Receiver<()> {
        let (reply, done) = bounded(1);
        // A worker that has ended drops the reply, which ends the wait as well.
        let _ = self.commands.send(Command::Flush { reply, deadline });
        done
    }

    /// Ends the worker by the deadline; a request in flight is cut there.
    pub(super) fn shutdown(mut self, deadline: Instant) {
        let (reply, done) = bounded(1);
        let _ = self.commands.send(Command::Shutdown { reply, deadline });
        if self.is_current() {
            return;
        }
        // The worker drops the reply at its end.
        let ended = done.recv_deadline(deadline).is_err_and(|error| error.is_disconnected());
        self.join(ended);
    }

    /// Ends the worker at once; what it holds is dropped.
    pub(super) fn withdraw(mut self) {
        let _ = self.commands.send(Command::Withdraw);
        self.transport.abort();
        if !self.is_current() {
            self.join(false);
        }
    }

    /// Waits for the end of the thread, which is near; cuts it where it is not.
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

    /// Lets go of a worker that is the parent's: nothing of it exists in this process.
    pub(super) fn forget(mut self) {
        if let Some(thread) = self.thread.take() {
            // Dropping the handle would detach a thread that is not there.
            std::mem::forget(thread);
        }
    }
}
