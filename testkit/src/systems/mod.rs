//! Code that the examples of three real systems share: a program that a test can also run, and the edge that receives
//! its events.

pub mod edge;
pub mod program;
