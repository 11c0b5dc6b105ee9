//! The contexts that are in force on a thread.

use std::cell::RefCell;
use std::sync::Arc;

use crate::event::ActiveContext;

thread_local! {
    static ENTERED: RefCell<Vec<Arc<ActiveContext>>> = const { RefCell::new(Vec::new()) };
}

/// Puts a context on top of those of this thread.
pub(super) fn enter(active: Arc<ActiveContext>) {
    // The list no longer exists while a thread ends, and is not needed then.
    let _ = ENTERED.try_with(|entered| entered.borrow_mut().push(active));
}

/// Takes the context at this address out, wherever in the list it is.
pub(super) fn leave(address: usize) {
    let _ = ENTERED.try_with(|entered| {
        let mut entered = entered.borrow_mut();
        if let Some(at) = entered.iter().rposition(|active| Arc::as_ptr(active).addr() == address) {
            entered.remove(at);
        }
    });
}

/// Returns the innermost context of this thread.
pub(super) fn current() -> Option<Arc<ActiveContext>> {
    ENTERED.try_with(|entered| entered.borrow().last().cloned()).ok().flatten()
}
