//! The client that replaces the global client during a test capture: on a thread, and for a future.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use crate::client::Client;

/// The number of substitutes. While it is 0, a capture does not look for one.
static ACTIVE: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static SUBSTITUTES: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

/// A client that replaces the global client on this thread until its test capture ends, on whichever thread that is.
struct Entry {
    client: Client,
    has_ended: Arc<AtomicBool>,
}

/// Returns whether any thread may have a substitute for the global client.
#[inline]
pub(crate) fn is_active() -> bool {
    ACTIVE.load(Ordering::Relaxed) != 0
}

/// Runs `work` with this thread's substitute for the global client, if it has one.
pub(crate) fn with_substitute<T>(work: impl FnOnce(Option<&Client>) -> T) -> T {
    work(here().as_ref())
}

/// Returns this thread's substitute for the global client.
pub(super) fn here() -> Option<Client> {
    let is_current = |entry: &&Entry| !entry.has_ended.load(Ordering::Acquire);
    let found =
        |all: &RefCell<Vec<Entry>>| all.borrow().iter().rev().find(is_current).map(|e| e.client.clone());
    SUBSTITUTES.try_with(found).ok().flatten()
}

/// Replaces the global client on the threads that enter it, until it is dropped, even by a panic.
pub(super) struct Substitute {
    client: Client,
    has_ended: Arc<AtomicBool>,
}

impl Substitute {
    fn new(client: Client) -> Self {
        ACTIVE.fetch_add(1, Ordering::Relaxed);
        Self { client, has_ended: Arc::default() }
    }

    pub(super) fn enter(client: Client) -> Self {
        let substitute = Self::new(client);
        substitute.enter_here();
        substitute
    }

    /// Replaces the global client on this thread, too. Does nothing if it already does.
    fn enter_here(&self) {
        SUBSTITUTES.with(|all| {
            let mut all = all.borrow_mut();
            all.retain(|entry| !entry.has_ended.load(Ordering::Acquire));
            if !all.iter().any(|entry| Arc::ptr_eq(&entry.has_ended, &self.has_ended)) {
                all.push(Entry { client: self.client.clone(), has_ended: Arc::clone(&self.has_ended) });
            }
        });
    }
}

impl Drop for Substitute {
    fn drop(&mut self) {
        ACTIVE.fetch_sub(1, Ordering::Relaxed);
        self.has_ended.store(true, Ordering::Release);
        // Other threads remove their entry when they next enter a substitute.
        let _ = SUBSTITUTES.try_with(|all| {
            if let Ok(mut all) = all.try_borrow_mut() {
                all.retain(|entry| !entry.has_ended.load(Ordering::Acquire));
            }
        });
    }
}

/// A future whose events go to a substitute.
pub(super) struct Followed<F> {
    future: Pin<Box<F>>,
    mode: Mode,
}

enum Mode {
    /// From its first poll until it is dropped, on each thread that has polled it.
    UntilDone(Substitute),
    /// Only while it is polled.
    WhilePolled(Option<Client>),
}

impl<F: Future> Followed<F> {
    pub(super) fn until_done(client: Client, future: F) -> Self {
        Self { future: Box::pin(future), mode: Mode::UntilDone(Substitute::new(client)) }
    }

    pub(super) fn while_polled(client: Option<Client>, future: F) -> Self {
        Self { future: Box::pin(future), mode: Mode::WhilePolled(client) }
    }
}

impl<F: Future> Future for Followed<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let _while_polled = match &self.mode {
            Mode::UntilDone(substitute) => {
                substitute.enter_here();
                None
            }
            Mode::WhilePolled(client) => client.clone().map(Substitute::enter),
        };
        self.future.as_mut().poll(context)
    }
}
