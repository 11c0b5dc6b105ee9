//! What the examples of three real systems have in common: how a program meets the world, and the edge that
//! takes its events.
//! Takes arguments, an environment and streams as values; gives a program that a test can run as well.
//! Never part of the crate.

pub mod edge;
pub mod program;
