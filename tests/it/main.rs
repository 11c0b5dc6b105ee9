//! The promises of the crate, each proven through its public surface against a scripted loopback server.
//! One binary, one module a promise. Process-wide cases have files of their own beside this folder.

#[path = "../support/mod.rs"]
mod support;

mod api;
#[cfg(feature = "derive")]
mod catalogue;
mod common;
mod compliance;
mod conformance;
mod context;
mod debug_mode;
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
#[cfg(feature = "derive")]
mod preview;
mod queue;
mod retry;
mod routes;
#[cfg(feature = "derive")]
mod schemas;
mod shutdown;
#[cfg(feature = "derive")]
mod strict;
mod transport;
#[cfg(feature = "derive")]
mod typed;
mod wire_v0;
