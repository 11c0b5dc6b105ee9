//! The promises of the crate, each proven through its public surface against a scripted loopback server.
//! One binary, one module a promise. Process-wide cases have files of their own beside this folder.

#[path = "../support/mod.rs"]
mod support;

mod common;
mod delivery;
mod explained;
mod flush;
mod identity;
mod invalid_input;
mod lines;
mod measuring;
mod queue;
mod retry;
mod routes;
mod shutdown;
