//! The client's handle to its worker: commands, deadlines, and cutting off a request.
//!
//! Never waits for a worker of another process, nor for itself.

use std::process;
use std::sync::Arc;
use std::thread::{self, JoinHandle, ThreadId};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use parking_lot::Mutex;

use crate::deliver::{Command, Held, Unwritten, Worker};
use crate::error::{Error, ErrorKind, Result};
use crate::panic::catch_panic;
use crate::queue::Queue;
use crate::transport::Transport;

/// How long a worker gets to notice that its request was cut off.
pub(super) const CUT: Duration = Duration::from_millis(100);

/// A worker's thread, for as long as anyone may have to wait for it.
pub(super) struct WorkerHandle {
    /// Present until the handle is dropped.
    commands: Option<Sender<Command>>,
    /// Disconnected when the worker has ended.
    ended: Option<Receiver<()>>,
    transport: Arc<dyn Transport>,
    thread: Mutex<Option<JoinHandle<()>>>,
    id: ThreadId,
    queue: Arc<Queue>,
    held: Arc<Held>,
    owner_pid: u32,
}

/// Creates the channel for commands to a worker.
pub(super) fn commands() -> (Sender<Command>, Receiver<Command>) {
    unbounded()
}

impl WorkerHandle {
    /// Starts the thread, which waits for the generation that it is to serve.
    pub(super) fn start(
        worker: Worker,
        commands: Sender<Command>,
        transport: Arc<dyn Transport>,
    ) -> Result<(Arc<Self>, Sender<u32>)> {
        let (queue, held) = (worker.queue(), worker.held());
        let (begin, begun) = bounded::<u32>(1);
        let (alive, ended) = bounded(0);
        let run = move || {
            let _alive: Sender<()> = alive;
            if let Ok(generation) = begun.recv() {
                worker.run(generation);
            }
        };
        let thread = thread::Builder::new().name("candor".to_owned()).spawn(run).map_err(|cause| {
            Error::new(ErrorKind::NotRunning, "the worker thread could not be started").caused_by(cause)
        })?;
        let handle = Self {
            commands: Some(commands),
            ended: Some(ended),
            transport,
            id: thread.thread().id(),
            queue,
            held,
            thread: Mutex::new(Some(thread)),
            owner_pid: process::id(),
        };
        Ok((Arc::new(handle), begin))
    }

    /// Returns whether this process started the thread, and not the parent of a fork.
    fn is_ours(&self) -> bool {
        self.owner_pid == process::id()
    }

    /// Returns whether the current thread is one of the worker's, which must not wait for itself.
    pub(super) fn is_current(&self) -> bool {
        self.id == thread::current().id() || self.queue.is_worked_by_this_thread()
    }

    /// Sends a command. A worker that has ended drops it together with its reply channel.
    fn tell(&self, command: Command) {
        if let Some(commands) = &self.commands {
            let _ = commands.send(command);
        }
    }

    /// Requests a flush. The receiver is notified when it is over.
    pub(super) fn flush(&self, deadline: Instant) -> Receiver<()> {
        let (reply, done) = bounded(1);
        self.tell(Command::Flush { reply, deadline });
        done
    }

    /// Requests the worker to end by the deadline.
    pub(super) fn ask_to_end(&self, deadline: Instant) {
        self.tell(Command::Shutdown { deadline });
    }

    /// Passes batches that were taken from the queue to the worker to be sent. A worker that ends instead counts them.
    pub(super) fn deliver(&self, batches: Unwritten) {
        self.tell(Command::Deliver(batches));
    }

    /// Leaves the worker behind, which may be stuck in the application's code. Returns how many of its events the caller
    /// has to count as lost.
    pub(super) fn leave_behind(&self) -> u64 {
        self.held.claim()
    }

    /// Tells the worker that consent has ended, and cuts off its request.
    pub(super) fn withdraw(&self) {
        self.tell(Command::Withdraw);
        self.cut();
    }

    /// Cuts off the request in flight.
    pub(super) fn cut(&self) {
        catch_panic(|| self.transport.abort());
    }

    /// Waits until the worker has ended or the deadline passes, and returns whether it has ended. A worker does not
    /// wait for itself.
    pub(super) fn wait(&self, deadline: Instant) -> bool {
        let Some(ended) = self.ended.as_ref().filter(|_| !self.is_current()) else { return false };
        let has_ended = ended.recv_deadline(deadline).is_err_and(|error| error.is_disconnected());
        if has_ended {
            let thread = self.thread.lock().take();
            // The thread is about to exit. The worker's panics were caught and counted inside it.
            catch_panic(|| drop(thread.map(JoinHandle::join)));
        }
        has_ended
    }
}

impl Drop for WorkerHandle {
    /// Lets the worker finish: with no commands to come, it sends what it has and ends.
    ///
    /// In a forked child there is no worker. Its handle and channels are leaked, because a lock in them may be held
    /// forever by a thread that does not exist here.
    fn drop(&mut self) {
        if !self.is_ours() {
            std::mem::forget(self.commands.take());
            std::mem::forget(self.ended.take());
            std::mem::forget(self.thread.get_mut().take());
        }
    }
}
