//! The programs of the testkit: each promise of three published policies, the adapter for PostHog's harness, and the
//! catalogue of a make-believe product.

mod catalogue;
mod compliance;
mod policies;
