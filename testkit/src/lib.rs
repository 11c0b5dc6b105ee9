//! Code that the tests and examples of candor share: a scripted server, clients for it, and three systems with
//! published telemetry policies. This crate is not published.

pub mod adapter;
#[cfg(feature = "systems")]
pub mod cdk_insights;
#[cfg(feature = "systems")]
pub mod cilock;
pub mod clients;
#[cfg(feature = "systems")]
pub mod common_fate;
#[cfg(feature = "systems")]
pub mod larder;
mod limited;
pub mod lines;
mod programs;
pub mod schemas;
mod server;
#[cfg(feature = "systems")]
pub mod systems;

pub use limited::Limited;
pub use programs::example;
pub use server::{PATIENCE, Received, Reply, Server, eventually};
