//! CDK Insights, carried by candor: a tool that is silent until its project says yes and a licence key is there.

pub mod app;
pub mod catalogue;
pub mod events;
pub mod findings;
