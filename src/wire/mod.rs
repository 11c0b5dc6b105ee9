//! How events become request bodies and responses become verdicts: implement [`Envelope`] for your own endpoint.
//!
//! [`PostHogBatch`] and [`FlatRecord`] are ready to use: set one with [`Config::envelope`](crate::Config::envelope),
//! and wrap it in [`Bearer`] if the endpoint requires a token. Nothing here sends or waits.
//!
//! **Stability:** this module may change between minor versions before 1.0, since it follows PostHog's protocols. The
//! items in the crate's root change only for a good reason, with an entry in the changelog.

mod ai;
mod bearer;
pub(crate) mod codec;
mod envelope;
mod flat;
mod ids;
mod legacy;
mod lifted;
mod limits;
pub(crate) mod protocol;
pub(crate) mod response;
mod results;
mod retry_after;
#[cfg(test)]
mod sample;
mod spec;
mod v0;
mod v1;
mod verdict;

pub use crate::event::EncodedEvent;
pub(crate) use ai::SPEC as AI;
pub use bearer::Bearer;
pub use envelope::{Attempt, BatchInfo, Envelope, WireEvent};
pub use flat::FlatRecord;
pub(crate) use ids::Ids;
pub use limits::EnvelopeLimits;
pub(crate) use spec::{Conventions, EnvelopeSettings, LibraryPlace};
pub use v0::PostHogBatch;
pub use verdict::{EventResult, Verdict};
