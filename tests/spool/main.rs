//! Events on disk: they survive the process, are sent once, and are removed when consent ends.

#![cfg(feature = "spool")]

mod consent;
mod delivery;
mod durability;
mod hostile;
#[cfg(unix)]
mod processes;
mod rig;
