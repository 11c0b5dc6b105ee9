//! Stores the global client. Each thread keeps a copy, and fetches it again when it has changed.
//!
//! Never runs code of the application while it holds the lock.

use std::cell::RefCell;
use std::mem;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

use crate::client::Client;
use crate::error::{Error, ErrorKind, Result};
use crate::panic::catch_panic;

/// How long a thread waits for another one that is creating the client. In a forked child that thread may not
/// exist.
const WAIT: Duration = Duration::from_millis(100);

/// How often the client has changed; 0 means that there has never been one.
static VERSION: AtomicU64 = AtomicU64::new(0);

static CELL: Mutex<ClientCell> = Mutex::new(ClientCell { client: None, creator: None });

/// Notifies threads that wait for a creator.
static IS_DONE: Condvar = Condvar::new();

struct ClientCell {
    client: Option<Client>,
    /// The process and thread that are creating a client now.
    creator: Option<(u32, ThreadId)>,
}

/// A thread's copy of the client.
struct Known {
    version: u64,
    client: Option<Client>,
}

thread_local! {
    static KNOWN: RefCell<Known> = const { RefCell::new(Known { version: 0, client: None }) };
}

/// Runs `work` with the global client. Reads a number that seldom changes, and takes no lock.
#[inline]
pub(super) fn with<T>(work: impl FnOnce(Option<&Client>) -> T) -> T {
    let version = VERSION.load(Ordering::Acquire);
    if version == 0 {
        return work(None);
    }
    // Checked first and used afterwards, so that what `work` holds is not moved before it is needed.
    let is_at_hand = KNOWN.try_with(|known| known.try_borrow().is_ok_and(|known| known.version == version));
    if is_at_hand == Ok(true) {
        return KNOWN.with(|known| work(known.borrow().client.as_ref()));
    }
    work(current().as_ref())
}

/// Returns the stored client, and keeps a copy for this thread.
#[cold]
pub(super) fn current() -> Option<Client> {
    let known = {
        let cell = CELL.try_lock_for(WAIT)?;
        Known { version: VERSION.load(Ordering::Relaxed), client: cell.client.clone() }
    };
    let client = known.client.clone();
    // This fails while the copy is in use further up the stack, and while the thread ends.
    let before =
        KNOWN.try_with(|copy| copy.try_borrow_mut().ok().map(|mut copy| mem::replace(&mut *copy, known)));
    // This may drop the last clone of a client, with code of the application in it.
    catch_panic(|| drop(before));
    client
}

/// Stores a new client if there is none or the existing one can be replaced.
pub(super) fn init(create: impl FnOnce() -> Result<Client>) -> Result<Client> {
    let creator = Creator::begin()?;
    let client = create()?;
    creator.finish(client.clone());
    Ok(client)
}

/// Marks this thread as creating the client until it is dropped.
struct Creator;

impl Creator {
    fn begin() -> Result<Self> {
        let here = (process::id(), thread::current().id());
        let deadline = Instant::now() + WAIT;
        let mut cell = CELL.try_lock_until(deadline).ok_or_else(already)?;
        while let Some(creator) = cell.creator.filter(|(process, _)| *process == here.0) {
            // A creator that calls `init` again, such as from its logger, would wait for itself.
            if creator == here || IS_DONE.wait_until(&mut cell, deadline).timed_out() {
                return Err(already());
            }
        }
        if cell.client.as_ref().is_some_and(|client| !client.is_replaceable()) {
            return Err(already());
        }
        cell.creator = Some(here);
        Ok(Self)
    }

    fn finish(self, client: Client) {
        let before = {
            let mut cell = CELL.lock();
            VERSION.fetch_add(1, Ordering::Release);
            cell.client.replace(client)
        };
        drop(self);
        catch_panic(|| drop(before));
    }
}

impl Drop for Creator {
    fn drop(&mut self) {
        CELL.lock().creator = None;
        IS_DONE.notify_all();
    }
}

fn already() -> Error {
    Error::new(
        ErrorKind::AlreadyInitialised,
        "candor is already initialised; call `init` once, and get its client with `candor::client()`",
    )
}
