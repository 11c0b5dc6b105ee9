//! cilock on candor: a tool that sends one record for each run, and only while somebody is signed in.

pub mod app;
pub mod catalogue;
pub mod events;
pub mod session;
