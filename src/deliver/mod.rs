//! Delivery: the worker, which takes events from the queue, batches them and sends them.

mod awaited;
mod batch;
mod halving;
mod held;
mod report;
mod request_thread;
mod retry;
mod schedule;
mod secrets;
mod sender;
mod spool;
mod worker;

pub(crate) use awaited::Awaited;
pub use awaited::Delivered;
pub(crate) use batch::{Batch, BatchBuilder};
pub(crate) use halving::Halving;
pub(crate) use held::Held;
pub use report::DeliveryError;
pub(crate) use report::OnError;
pub(crate) use secrets::Secrets;
pub(crate) use sender::BatchSender;
pub(crate) use spool::{Drain, SpoolContext, SpoolWriter, Unwritten};
pub(crate) use worker::{Command, Worker, WorkerContext};
