//! Moves batches to disk when they cannot be delivered, and back when they can.

mod files;
mod sender;
mod unwritten;
mod writer;

pub(crate) use sender::{SpoolSender, SpoolStep};
pub(crate) use unwritten::Unwritten;
pub(crate) use writer::{Drain, SpoolContext, SpoolWriter};
