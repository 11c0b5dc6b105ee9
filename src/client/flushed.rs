//! The result of a flush or a shutdown.

use std::fmt;

use crate::error::{Error, ErrorKind};
use crate::observe::Stats;

/// The result of a flush or a shutdown.
///
/// Displays as one line with the reasons of all losses, such as `delivered 3, waiting 0, lost 2 (queue full: 2)`.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[non_exhaustive]
pub struct Flushed {
    /// Events that the receiver accepted during the call.
    pub delivered: u64,
    /// Events that are still waiting: for a retry, because the timeout expired, or on disk for a later run. After a
    /// shutdown, those on disk, and those whose fate is still open: see [`Stats::queued`].
    pub waiting: u64,
    /// Everything counted during the call, including the losses by reason.
    pub stats: Stats,
}

impl Flushed {
    /// Returns how many events were lost during the call.
    pub fn lost(&self) -> u64 {
        self.stats.lost_total()
    }

    /// Returns whether nothing is waiting and nothing was lost.
    pub fn is_complete(&self) -> bool {
        self.waiting == 0 && self.lost() == 0
    }
}

impl fmt::Display for Flushed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "delivered {}, waiting {}, ", self.delivered, self.waiting)?;
        self.stats.write_losses(f)
    }
}

pub(super) fn forked() -> Error {
    Error::new(
        ErrorKind::NotRunning,
        "the worker belongs to the parent process; create a new client in a forked child",
    )
}
