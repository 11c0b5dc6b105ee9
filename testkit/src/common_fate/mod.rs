//! Common Fate, carried by candor: a server that tells on, in its vendor's old batch form, until its deployment says no.

pub mod app;
pub mod catalogue;
pub mod events;
