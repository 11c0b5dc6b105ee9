//! Batches that could not be written to disk, on their way to the worker.

use std::sync::Arc;

use super::writer::SpoolWriter;
use crate::consent::ConsentMonitor;
use crate::deliver::batch::Batch;
use crate::observe::LossReason;
use crate::panic::catch_panic;

/// Batches that the worker is to send. If it ends before it takes them, or has ended already, their events are counted
/// as lost.
pub(crate) struct Unwritten {
    batches: Vec<Batch>,
    writer: Arc<SpoolWriter>,
    monitor: Arc<ConsentMonitor>,
}

impl Unwritten {
    pub(crate) fn new(batches: Vec<Batch>, writer: Arc<SpoolWriter>, monitor: Arc<ConsentMonitor>) -> Self {
        Self { batches, writer, monitor }
    }

    /// Returns the batches, whose events the caller has to settle.
    pub(crate) fn take(mut self) -> Vec<Batch> {
        std::mem::take(&mut self.batches)
    }
}

impl Drop for Unwritten {
    fn drop(&mut self) {
        for batch in std::mem::take(&mut self.batches) {
            let may_send = self.monitor.gate().may_send(batch.generation);
            let reason = if may_send { LossReason::ShuttingDown } else { LossReason::ConsentWithdrawn };
            catch_panic(|| self.writer.report_lost(reason, &batch));
        }
    }
}
