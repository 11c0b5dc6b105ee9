//! Tests of the testkit's programs: each promise of three published policies, the adapter for PostHog's harness, the
//! catalogue of a fictional product, and a tool whose events another process sends.

mod catalogue;
mod compliance;
#[cfg(target_os = "linux")]
mod detached;
mod policies;
