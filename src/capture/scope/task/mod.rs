//! Contexts in force in a task, if the feature `tokio` is on.

#[cfg(not(feature = "tokio"))]
mod disabled;
#[cfg(feature = "tokio")]
mod enabled;

#[cfg(not(feature = "tokio"))]
pub(super) use disabled::current;
#[cfg(feature = "tokio")]
pub(super) use enabled::{current, within};
