//! The promises of the crate, each proven through its public surface against a scripted loopback server.
//! One binary, one module a promise. Process-wide cases have files of their own beside this folder.

#[path = "../support/mod.rs"]
mod support;
#[cfg(all(feature = "derive", feature = "yaml"))]
#[path = "../../examples/systems/mod.rs"]
mod systems;

mod api;
#[cfg(feature = "derive")]
mod catalogue;
#[cfg(all(unix, feature = "clap", feature = "ctrlc", feature = "derive", feature = "spool"))]
mod command_line;
mod common;
mod compliance;
mod conformance;
mod context;
mod debug_mode;
mod deliver;
mod delivery;
mod explained;
mod flush;
mod hooks;
mod identity;
mod invalid_input;
mod layers;
mod lines;
mod measuring;
mod peers;
#[cfg(all(feature = "derive", feature = "yaml"))]
mod policies;
#[cfg(feature = "derive")]
mod preview;
mod queue;
mod recursion;
#[cfg(feature = "tower")]
mod requests;
mod retry;
mod routes;
#[cfg(feature = "derive")]
mod schemas;
mod sent_log;
mod shutdown;
#[cfg(feature = "derive")]
mod strict;
mod testing;
mod transport;
#[cfg(feature = "derive")]
mod typed;
mod wire_v0;
