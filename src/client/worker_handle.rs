//! The client's hold on its worker: commands, deadlines, the cut.
//!
//! Never waits for a worker of another process, nor for itself.

use std::process;
use std::sync::Arc;
use std::thread::{self, JoinHandle, ThreadId};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};
use parking_lot::Mutex;

use crate::deliver::{Batch, Command, Worker};
use crate::error::{Error, ErrorKind, Result};
use crate::panic::catch_panic;
use crate::queue::Queue;
use crate::transport::Transport;

/// How long a worker that was cut gets to notice.
pub(super) const CUT: Duration = Duration::from_millis(100);

/// A worker's thread, for as long as anybody may have to wait for it.
pub(super) struct WorkerHandle {
    /// Always there until the handle is dropped.
    commands: Option<Sender<Command>>,
    /// Disconnected when the worker has ended.
    ended: Option<Receiver<()>>,
    transport: Arc<dyn Transport>,
    thread: Mutex<Option<JoinHandle<()>>>,
    id: ThreadId,
    queue: Arc<Queue>,
    owner_pid: u32,
}

/// Creates the channel through which a worker is told what to do.
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
        let queue = worker.queue();
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
            thread: Mutex::new(Some(thread)),
            owner_pid: process::id(),
        };
        Ok((Arc::new(handle), begin))
    }

    /// Returns whether the thread was started by this process, and not by the parent of a fork.
    fn is_ours(&self) -> bool {
        self.owner_pid == process::id()
    }

    /// Returns whether this is a thread of the worker, which must not wait for itself.
    pub(super) fn is_current(&self) -> bool {
        self.id == thread::current().id() || self.queue.is_worked_by_this_thread()
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

    /// Asks the worker to end by the deadline.
    pub(super) fn ask_to_end(&self, deadline: Instant) {
        self.tell(Command::Shutdown { deadline });
    }

    /// Hands over what was taken from the queue and is to be sent.
    pub(super) fn deliver(&self, batches: Vec<Batch>) {
        self.tell(Command::Deliver(batches));
    }

    /// Tells the worker that consent is gone, and cuts its request.
    pub(super) fn withdraw(&self) {
        self.tell(Command::Withdraw);
        self.cut();
    }

    /// Cuts the request in flight.
    pub(super) fn cut(&self) {
        catch_panic(|| self.transport.abort());
    }

    /// Waits for the end of the worker, until the deadline; returns whether it has ended. A worker does not wait for
    /// itself.
    pub(super) fn wait(&self, deadline: Instant) -> bool {
        let Some(ended) = self.ended.as_ref().filter(|_| !self.is_current()) else { return false };
        let has_ended = ended.recv_deadline(deadline).is_err_and(|error| error.is_disconnected());
        if has_ended {
            let thread = self.thread.lock().take();
            // The thread is about to go. The worker's panics were caught and counted inside.
            catch_panic(|| drop(thread.map(JoinHandle::join)));
        }
        has_ended
    }
}

impl Drop for WorkerHandle {
    /// Lets the worker go on by itself: without commands to come it sends what it has, and ends.
    ///
    /// In a forked child there is no worker. Its handle and its channels are left as they are: a lock in
    /// them may be held for ever by a thread that does not exist here.
    fn drop(&mut self) {
        if !self.is_ours() {
            std::mem::forget(self.commands.take());
            std::mem::forget(self.ended.take());
            std::mem::forget(self.thread.get_mut().take());
        }
    }
}
