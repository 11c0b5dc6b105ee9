//! Moves batches to disk when they cannot be delivered, and back when they can.

mod files;
mod sender;
mod writer;

pub(crate) use sender::{SpoolSender, SpoolStep};
pub(crate) use writer::{SpoolContext, SpoolWriter};
