//! How many contexts are in force in the process, so that without any a capture looks no further.

use std::sync::atomic::{AtomicUsize, Ordering};

/// The number of scopes in the process.
static ACTIVE: AtomicUsize = AtomicUsize::new(0);

/// Counts a scope for as long as it lives.
#[derive(Debug)]
pub(super) struct Active;

impl Active {
    pub(super) fn new() -> Self {
        ACTIVE.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Active {
    fn drop(&mut self) {
        ACTIVE.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Returns whether no context is in force anywhere.
#[inline]
pub(super) fn is_none() -> bool {
    ACTIVE.load(Ordering::Relaxed) == 0
}
