//! The promises of the crate, one module for each, tested through its public API against a scripted loopback server.
//! Tests that affect the whole process have their own files beside this folder.

mod api;
#[cfg(all(unix, feature = "clap", feature = "ctrlc", feature = "derive", feature = "spool"))]
mod command_line;
mod conformance;
mod context;
mod custom_envelope;
mod debug_mode;
mod deliver;
mod delivery;
mod explained;
mod flush;
mod hooks;
mod identity;
mod invalid_input;
mod layers;
mod measuring;
mod peers;
#[cfg(feature = "derive")]
mod preview;
mod public_api;
mod queue;
mod recursion;
#[cfg(feature = "tower")]
mod requests;
mod reserved_names;
mod retry;
mod routes;
mod sent_log;
mod shutdown;
#[cfg(feature = "derive")]
mod strict;
mod testing;
mod transport;
#[cfg(feature = "derive")]
mod typed;
mod wire_v0;
