//! Callers that wait for the delivery of an event. While nobody waits, it costs one relaxed load per batch.

use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_channel::{Receiver, Sender, bounded};
use parking_lot::Mutex;
use uuid::Uuid;

use crate::observe::LossReason;

/// What became of an event that its caller waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use = "an event that was captured may still be lost"]
#[non_exhaustive]
pub enum Delivered {
    /// The endpoint has accepted the event.
    Accepted,
    /// The event will not be delivered, for this reason.
    Lost(LossReason),
}

impl Delivered {
    /// Returns whether the endpoint has accepted the event.
    pub const fn is_accepted(self) -> bool {
        matches!(self, Self::Accepted)
    }
}

/// The callers that wait, each for one event.
#[derive(Debug, Default)]
pub(crate) struct Awaited {
    count: AtomicUsize,
    waiting: Mutex<Vec<Waiting>>,
}

#[derive(Debug)]
struct Waiting {
    id: Uuid,
    generation: u32,
    reply: Sender<Delivered>,
}

impl Awaited {
    /// Registers a wait for the event with this id, which is about to be queued.
    pub(crate) fn wait_for(&self, id: Uuid, generation: u32) -> Receiver<Delivered> {
        let (reply, fate) = bounded(1);
        let mut waiting = self.waiting.lock();
        waiting.push(Waiting { id, generation, reply });
        self.count.store(waiting.len(), Ordering::Relaxed);
        fate
    }

    /// Ends the wait for an event.
    pub(crate) fn give_up(&self, id: Uuid) {
        self.take(|waiting| waiting.id == id);
    }

    /// Ends the waits for these events, with what became of them.
    pub(crate) fn settle(&self, ids: &[Uuid], fate: Delivered) {
        // An event is registered before it is queued, and the queue's lock orders that before this.
        if self.count.load(Ordering::Relaxed) == 0 {
            return;
        }
        for waiting in self.take(|waiting| ids.contains(&waiting.id)) {
            // The caller may have stopped waiting.
            let _ = waiting.reply.try_send(fate);
        }
    }

    /// Ends all waits for events of a generation that has ended.
    pub(crate) fn end(&self, generation: u32, reason: LossReason) {
        for waiting in self.take(|waiting| waiting.generation == generation) {
            let _ = waiting.reply.try_send(Delivered::Lost(reason));
        }
    }

    fn take(&self, is_taken: impl Fn(&Waiting) -> bool) -> Vec<Waiting> {
        let mut waiting = self.waiting.lock();
        let (taken, left) = waiting.drain(..).partition(is_taken);
        *waiting = left;
        self.count.store(waiting.len(), Ordering::Relaxed);
        taken
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::{Awaited, Delivered};
    use crate::observe::LossReason;

    #[test]
    fn each_caller_waits_for_its_own_event() {
        let awaited = Awaited::default();
        let id = Uuid::from_u128;
        let [one, two, three] = [1, 2, 3].map(|number| awaited.wait_for(id(number), 1));
        awaited.settle(&[id(7), id(2)], Delivered::Accepted);
        assert_eq!((two.try_recv(), one.try_recv().is_err()), (Ok(Delivered::Accepted), true));
        awaited.give_up(id(3));
        awaited.end(2, LossReason::ShuttingDown);
        assert!(one.try_recv().is_err());
        awaited.end(1, LossReason::ShuttingDown);
        assert_eq!(one.try_recv(), Ok(Delivered::Lost(LossReason::ShuttingDown)));
        assert!(three.try_recv().is_err());
        assert!(awaited.waiting.lock().is_empty());
    }
}
