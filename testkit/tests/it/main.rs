//! The programs of the testkit: each promise of three published policies, the adapter for PostHog's harness, the
//! catalogue of a make-believe product, and a tool whose events are sent by a process of their own.

mod catalogue;
mod compliance;
#[cfg(target_os = "linux")]
mod detached;
mod policies;
