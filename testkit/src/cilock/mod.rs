//! cilock, carried by candor: a tool that tells one record a run, and only while somebody is signed in.

pub mod app;
pub mod catalogue;
pub mod events;
pub mod session;
