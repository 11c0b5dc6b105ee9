//! What became of every event, and what the batches look like.
//!
//! Never sees a key, and prints contents only if debugging was asked for.

mod debug;
mod loss;
pub(crate) mod sent_log;
mod stats;

pub(crate) use debug::{print_batch, print_disabled, print_failed};
pub use loss::LossReason;
pub use stats::Stats;
pub(crate) use stats::{Counters, Once};
