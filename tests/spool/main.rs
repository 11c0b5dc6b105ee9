//! Events on disk: they survive the process, leave once, and go with the consent.

#![cfg(feature = "spool")]

mod consent;
mod delivery;
mod durability;
mod hostile;
#[cfg(unix)]
mod processes;
mod rig;
