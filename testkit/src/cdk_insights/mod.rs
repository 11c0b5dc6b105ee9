//! CDK Insights on candor: a tool that sends nothing until its project opts in and there is a licence key.

pub mod app;
pub mod catalogue;
pub mod events;
pub mod findings;
