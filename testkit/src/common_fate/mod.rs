//! Common Fate on candor: a server that sends events in its vendor's old batch format until its deployment opts out.

pub mod app;
pub mod catalogue;
pub mod events;
