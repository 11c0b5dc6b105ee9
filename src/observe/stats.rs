//! Counts what has become of every event.
//!
//! Never locks.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use serde::{Serialize, Serializer};

use super::loss::LossReason;

const REASONS: usize = LossReason::ALL.len();

/// A snapshot of what has become of the events captured so far.
///
/// At rest, `captured` is the sum of `queued`, `spooled`, `sent` and all losses. In a process that sends what an
/// earlier run left on disk, those events count as `recovered`, and the sum is `captured` plus `recovered`. While
/// threads are working, the numbers are read one after another and may differ by the events in between.
///
/// Serializes to an object of its fields, in which `lost` maps each reason that lost an event to its count.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Stats {
    /// Events passed to `capture` while the gate was open, and those passed to it after a shutdown.
    pub captured: u64,
    /// Events waiting in the queue, in a batch being sent, or for a retry. After a shutdown or a withdrawal, only what is
    /// in the hands of a worker that the application's code or the system has not let go on: a request that cannot be
    /// cut off, or, with a [`Spool`](crate::Spool), events that the worker may still write to disk. Each is counted
    /// once the worker goes on; if it never does, they stay here.
    pub queued: u64,
    /// Events that this process has written to disk, or has found there and tried to send, and that are still there
    /// for a later run or another process to send. Always zero without a [`Spool`](crate::Spool).
    pub spooled: u64,
    /// Events of an earlier run or another process that this one has taken over from disk, either to send them or
    /// to delete them because of their age. Always zero without a [`Spool`](crate::Spool).
    pub recovered: u64,
    /// Events that the receiver accepted.
    pub sent: u64,
    /// Events sent again, counted once per retry.
    pub retried: u64,
    /// Requests made, including retries.
    pub requests: u64,
    /// Requests that were retries.
    pub retries: u64,
    /// Sent events that the receiver's response did not name, if its protocol names each event.
    pub unconfirmed: u64,
    /// Fields, list items and map entries that were left out of captured events because a text did not match its
    /// pattern or was too long, a word was not a label, a pseudonym had no key, a list was too long, or the
    /// client's rules did not allow a property.
    pub fields_dropped: u64,
    /// Fields that were sent as their declared `other`, because a text did not match or a word was unknown.
    pub fields_replaced: u64,
    lost: Losses,
}

/// The number of events lost for each reason, shown as a map of those that are not zero.
#[derive(Clone, Default, PartialEq, Eq)]
struct Losses([u64; REASONS]);

impl Losses {
    fn iter(&self) -> impl Iterator<Item = (LossReason, u64)> + '_ {
        LossReason::ALL.into_iter().zip(self.0).filter(|(_, count)| *count > 0)
    }
}

impl fmt::Debug for Losses {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for Losses {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl Stats {
    /// Returns the number of events lost for this reason.
    pub fn lost(&self, reason: LossReason) -> u64 {
        self.lost.0.get(reason.index()).copied().unwrap_or(0)
    }

    /// Returns the number of events lost for any reason.
    pub fn lost_total(&self) -> u64 {
        self.lost.0.iter().sum()
    }

    /// Returns every reason that lost an event, with its count.
    pub fn losses(&self) -> impl Iterator<Item = (LossReason, u64)> + '_ {
        self.lost.iter()
    }

    /// Writes how many events were lost, and why.
    pub(crate) fn write_losses(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lost {}", self.lost_total())?;
        let mut separator = " (";
        for (reason, count) in self.losses() {
            write!(f, "{separator}{reason}: {count}")?;
            separator = ", ";
        }
        if separator == ", " { f.write_str(")") } else { Ok(()) }
    }

    /// Returns the difference from an earlier snapshot. `queued` and `spooled` keep their current values.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut lost = self.lost.clone();
        for (now, then) in lost.0.iter_mut().zip(earlier.lost.0) {
            *now = now.saturating_sub(then);
        }
        Self {
            captured: self.captured.saturating_sub(earlier.captured),
            queued: self.queued,
            spooled: self.spooled,
            recovered: self.recovered.saturating_sub(earlier.recovered),
            sent: self.sent.saturating_sub(earlier.sent),
            retried: self.retried.saturating_sub(earlier.retried),
            requests: self.requests.saturating_sub(earlier.requests),
            retries: self.retries.saturating_sub(earlier.retries),
            unconfirmed: self.unconfirmed.saturating_sub(earlier.unconfirmed),
            fields_dropped: self.fields_dropped.saturating_sub(earlier.fields_dropped),
            fields_replaced: self.fields_replaced.saturating_sub(earlier.fields_replaced),
            lost,
        }
    }
}

impl fmt::Display for Stats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { captured, queued, spooled, recovered, sent, retried, .. } = self;
        write!(f, "captured {captured}, queued {queued}")?;
        if (*spooled, *recovered) != (0, 0) {
            write!(f, ", on disk {spooled}, recovered {recovered}")?;
        }
        write!(f, ", sent {sent}, retried {retried}, ")?;
        self.write_losses(f)?;
        if self.fields_dropped > 0 {
            write!(f, ", fields left out {}", self.fields_dropped)?;
        }
        Ok(())
    }
}

/// The live counters behind [`Stats`], shared by all threads.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    captured: AtomicU64,
    spooled: AtomicU64,
    recovered: AtomicU64,
    sent: AtomicU64,
    retried: AtomicU64,
    requests: AtomicU64,
    retries: AtomicU64,
    unconfirmed: AtomicU64,
    fields_dropped: AtomicU64,
    fields_replaced: AtomicU64,
    lost: [AtomicU64; REASONS],
    /// The time in milliseconds since 1970, and the outcome.
    last_send: Mutex<Option<(i64, String)>>,
    has_logged: [AtomicBool; Once::COUNT],
}

/// A message that a client logs only once.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Once {
    /// Events were not delivered, for any reason.
    Failure,
    /// Events were rejected because of who sends them.
    Unauthorised,
    /// A response was not readable HTTP.
    BadResponse,
}

impl Once {
    const COUNT: usize = 3;
}

impl Counters {
    /// Records how an attempt to send ended, with its time in milliseconds since 1970.
    pub(crate) fn attempted(&self, at: i64, outcome: String) {
        *self.last_send.lock() = Some((at, outcome));
    }

    /// Returns when the last attempt to send ended, and with what outcome.
    pub(crate) fn last_send(&self) -> Option<(i64, String)> {
        // A forked child must not wait for a thread of its parent.
        self.last_send.try_lock_for(Duration::from_millis(100)).and_then(|last| last.clone())
    }

    /// Returns whether this message is to be logged, which is so only the first time.
    pub(crate) fn is_first(&self, what: Once) -> bool {
        self.has_logged.get(what as usize).is_some_and(|has_logged| !has_logged.swap(true, Ordering::Relaxed))
    }

    #[inline]
    pub(crate) fn captured(&self) {
        self.captured.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts events that were written to disk, or that remain there after an attempt.
    pub(crate) fn spooled(&self, events: u64) {
        self.spooled.fetch_add(events, Ordering::Relaxed);
    }

    /// Counts events that were on disk and are now being sent, sent or deleted.
    pub(crate) fn unspooled(&self, events: u64) {
        let fewer = |spooled: u64| Some(spooled.saturating_sub(events));
        let _ = self.spooled.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fewer);
    }

    /// Resets the count of events on disk, and returns it.
    pub(crate) fn take_spooled(&self) -> u64 {
        self.spooled.swap(0, Ordering::Relaxed)
    }

    /// Counts events of an earlier run that this process has taken over.
    pub(crate) fn recovered(&self, events: u64) {
        self.recovered.fetch_add(events, Ordering::Relaxed);
    }

    pub(crate) fn sent(&self, events: u64) {
        self.sent.fetch_add(events, Ordering::Relaxed);
    }

    /// Counts the fields that an event has left out and those that it has replaced.
    pub(crate) fn fields(&self, dropped: u32, replaced: u32) {
        self.fields_dropped.fetch_add(dropped.into(), Ordering::Relaxed);
        self.fields_replaced.fetch_add(replaced.into(), Ordering::Relaxed);
    }

    /// Counts sent events that the response did not name.
    pub(crate) fn unconfirmed(&self, events: u64) {
        self.unconfirmed.fetch_add(events, Ordering::Relaxed);
    }

    /// Counts a request, and its events again if it is a retry.
    pub(crate) fn request(&self, events: u64, attempt: u32) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if attempt > 1 {
            self.retries.fetch_add(1, Ordering::Relaxed);
            self.retried.fetch_add(events, Ordering::Relaxed);
        }
    }

    pub(crate) fn lost(&self, reason: LossReason, events: u64) {
        if let Some(counter) = self.lost.get(reason.index()) {
            counter.fetch_add(events, Ordering::Relaxed);
        }
    }

    /// Returns a snapshot. Events that were captured but are neither sent, lost nor on disk count as queued.
    pub(crate) fn snapshot(&self) -> Stats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        // Ends are read before beginnings: an event that ends meanwhile then counts as queued, never twice.
        let sent = read(&self.sent);
        let mut lost = [0; REASONS];
        for (value, counter) in lost.iter_mut().zip(&self.lost) {
            *value = read(counter);
        }
        let spooled = read(&self.spooled);
        let recovered = read(&self.recovered);
        let captured = read(&self.captured);
        let ended = sent + spooled + lost.iter().sum::<u64>();
        Stats {
            captured,
            queued: (captured + recovered).saturating_sub(ended),
            spooled,
            recovered,
            sent,
            retried: read(&self.retried),
            requests: read(&self.requests),
            retries: read(&self.retries),
            unconfirmed: read(&self.unconfirmed),
            fields_dropped: read(&self.fields_dropped),
            fields_replaced: read(&self.fields_replaced),
            lost: Losses(lost),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_adds_up_and_prints_its_losses() {
        let counters = Counters::default();
        for _ in 0..10 {
            counters.captured();
        }
        counters.sent(4);
        counters.lost(LossReason::QueueFull, 2);
        counters.lost(LossReason::Rejected, 1);
        let stats = counters.snapshot();
        assert_eq!(stats.queued, 3);
        assert_eq!(
            stats.to_string(),
            "captured 10, queued 3, sent 4, retried 0, lost 3 (queue full: 2, rejected: 1)"
        );
        counters.spooled(3);
        let kept = counters.snapshot();
        assert_eq!((kept.queued, kept.spooled), (0, 3));
        assert!(
            kept.to_string().starts_with("captured 10, queued 0, on disk 3, recovered 0, sent 4"),
            "{kept}"
        );
        counters.unspooled(3);
        counters.sent(3);
        counters.recovered(2);
        let found = counters.snapshot();
        assert_eq!((found.queued, found.spooled, found.recovered), (2, 0, 2));
        counters.sent(2);
        let later = counters.snapshot().since(&stats);
        assert_eq!((later.sent, later.queued, later.lost_total()), (5, 0, 0));
        assert!(!later.to_string().contains("left out"), "{later}");
        counters.fields(2, 1);
        assert!(counters.snapshot().to_string().ends_with(", fields left out 2"), "{later}");
    }
}
