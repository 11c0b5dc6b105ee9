//! Text that `event!` owns for the time of a capture, in memory that its thread reuses.

use std::cell::Cell;
use std::mem;

/// The maximum capacity of the memory that a thread keeps. Distinct ids are not longer.
const KEPT: usize = 1024;

thread_local! {
    /// Empty while an event uses it.
    static SPARE: Cell<String> = const { Cell::new(String::new()) };
}

/// Text whose memory the thread keeps for its next event.
#[derive(Debug)]
pub(super) struct Reused(String);

impl Reused {
    #[inline]
    pub(super) fn new(text: String) -> Self {
        Self(text)
    }

    #[inline]
    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

impl Drop for Reused {
    #[inline]
    fn drop(&mut self) {
        if (1..=KEPT).contains(&self.0.capacity()) {
            let text = mem::take(&mut self.0);
            // A thread that is ending keeps nothing.
            let _ = SPARE.try_with(|spare| spare.set(text));
        }
    }
}

/// A distinct id as the application passes it to `event!`. Borrowed text is copied, as any other type is converted, so
/// the other arguments of the macro may use what it was borrowed from.
#[derive(Debug)]
pub struct Id<T>(pub T);

/// What `event!` does with a distinct id that is not borrowed text: it leaves the conversion to the event.
pub trait AsIs {
    /// The type of the distinct id.
    type Text;

    /// Returns the distinct id. For borrowed text, a method of [`Id`] itself takes precedence.
    fn text(self) -> Self::Text;
}

impl<T> AsIs for Id<T> {
    type Text = T;

    #[inline]
    fn text(self) -> T {
        self.0
    }
}

impl Id<&str> {
    /// Returns a copy in the thread's spare memory.
    #[inline]
    pub fn text(self) -> String {
        let mut text = SPARE.try_with(Cell::take).unwrap_or_default();
        text.clear();
        text.push_str(self.0);
        text
    }
}

impl Id<&String> {
    /// Returns a copy in the thread's spare memory.
    #[inline]
    pub fn text(self) -> String {
        Id(self.0.as_str()).text()
    }
}
