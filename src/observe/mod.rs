//! Reports what became of every event, and what the batches look like.
//!
//! Never shows a whole API key, and prints contents only if debugging was requested.

mod debug;
mod loss;
pub(crate) mod sent_log;
mod stats;

pub(crate) use debug::{print_batch, print_disabled, print_failed, print_line, print_result};
pub use loss::LossReason;
pub use stats::Stats;
pub(crate) use stats::{Counters, Once};
