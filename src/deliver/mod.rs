//! The worker's thread: from the queue to the wire.
//!
//! Never runs on a caller's thread, except for the two ends of the queue.

mod attempt;
mod batch;
mod halving;
mod report;
mod retry;
mod schedule;
mod settle;
mod worker;

pub(crate) use attempt::BatchSender;
pub(crate) use halving::Halving;
pub use report::DeliveryError;
pub(crate) use report::OnError;
pub(crate) use worker::{Command, Worker, WorkerContext};
