//! Events on disk: they survive the process, are sent once, and are removed when consent ends.

#![cfg(feature = "spool")]

mod consent;
mod delivery;
mod durability;
mod ending;
#[cfg(unix)]
mod forked;
mod hostile;
#[cfg(target_os = "linux")]
mod no_room;
#[cfg(unix)]
mod other;
#[cfg(unix)]
mod processes;
mod rig;
#[cfg(unix)]
mod withdrawal;
