//! Settings about how events travel: batches, queue, retries, timeouts, headers, compression.

use std::time::Duration;

use crate::config::Config;
use crate::settings::{Overflow, Spool};
use crate::wire::codec::Compression;

impl Config {
    /// Sets how many events make a batch; 100 unless set. A backlog leaves in larger ones.
    pub fn flush_at(mut self, events: usize) -> Self {
        self.batching.flush_at = events;
        self
    }

    /// Sets how many queued bytes make a batch before its events do; 512 KiB unless set.
    pub fn flush_bytes(mut self, bytes: usize) -> Self {
        self.batching.flush_bytes = bytes;
        self
    }

    /// Sets how long the first event of a batch waits before its batch is sent; 5 seconds unless set.
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.batching.interval = interval;
        self
    }

    /// Sets how many events wait in the queue at most; 10,000 unless set, at most 4,000,000.
    pub fn queue_events(mut self, events: usize) -> Self {
        self.batching.queue_events = events;
        self
    }

    /// Sets how many bytes wait in the queue at most; 16 MiB unless set.
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.batching.queue_bytes = bytes;
        self
    }

    /// Sets how large one event may be; 900 KiB unless set, which is what PostHog's own limit leaves. Less if an
    /// [envelope](Self::envelope) takes less.
    pub fn event_bytes(mut self, bytes: usize) -> Self {
        self.batching.event_bytes = bytes;
        self
    }

    /// Sets how large the body of one batch may be before compression; 1 MiB unless set, or less if an
    /// [envelope](Self::envelope) takes less. At most 20 MiB with [`Protocol::V0`](crate::Protocol::V0), 10 MiB with
    /// [`Protocol::V1`](crate::Protocol::V1), and what an envelope takes with that. An event that is larger goes alone,
    /// up to what the endpoint takes.
    pub fn batch_bytes(mut self, bytes: usize) -> Self {
        self.batching.batch_bytes = bytes;
        self
    }

    /// Sets what happens to an event that finds the queue full; it is dropped unless set.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.batching.overflow = overflow;
        self
    }

    /// Sets how often a batch is tried again; N retries are N + 1 requests. Without a limit unless set:
    /// a batch is then tried for a day.
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.retry.max_retries = Some(retries);
        self
    }

    /// Sets the wait before the first retry, which doubles with each, and the longest wait, which also
    /// limits `Retry-After`; 500 ms and 30 s unless set. Up to half of a wait is added at random.
    pub fn retry_delays(mut self, first: Duration, longest: Duration) -> Self {
        (self.retry.base, self.retry.max_delay) = (first, longest.max(first));
        self
    }

    /// Sets how long a batch is tried at all; 24 hours unless set.
    pub fn retry_for(mut self, age: Duration) -> Self {
        self.retry.max_age = age;
        self
    }

    /// Sets how many bytes of batches wait for their retry at most; 8 MiB unless set. Beyond, events
    /// stay in the queue.
    pub fn retry_bytes(mut self, bytes: usize) -> Self {
        self.retry.waiting_bytes = bytes;
        self
    }

    /// Sets the time for a whole request; 15 seconds unless set.
    ///
    /// It covers resolving, connecting, sending and the answer, but not the waits between retries. Names are resolved on
    /// a thread of the HTTP library's own, which cannot be cut: it is left behind when the time is up.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.http.total = timeout;
        self
    }

    /// Sets the time for TCP and TLS to connect, and that for resolving the name; 5 seconds each unless set.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        (self.http.connect, self.http.resolve) = (timeout, timeout);
        self
    }

    /// Sets the time without a byte of the answer; 10 seconds unless set.
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.http.read = timeout;
        self
    }

    /// Adds a header to every request.
    ///
    /// Its value is in no line of this crate's, and in none of the HTTP library's but at level trace:
    /// there the target `ureq_proto` prints request heads as they travel. A warning says so where that
    /// level is on.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.http.headers.push((name.into(), value.into()));
        self
    }

    /// Keeps events on disk while they cannot be delivered, so that they survive the process; they are not kept unless
    /// this is set. See [`Spool`] for what is kept, where, and for how long.
    ///
    /// People are told of it: say [`Catalogue::kept_on_disk`](crate::Catalogue::kept_on_disk) where the program has a
    /// catalogue. In [`cli::Telemetry`](crate::cli::Telemetry) saying so is all it takes: it sets [`Spool::cli`].
    pub fn spool(mut self, spool: Spool) -> Self {
        (self.spool, self.has_chosen_spool) = (Some(spool), true);
        self
    }

    /// Keeps no event on disk, whatever the catalogue says: neither a [`spool`](Self::spool) that was set before, nor
    /// the one of [`cli::Telemetry`](crate::cli::Telemetry).
    pub fn no_spool(mut self) -> Self {
        (self.spool, self.has_chosen_spool) = (None, true);
        self
    }

    /// Sets how bodies are compressed; not at all unless set. [`Protocol::V0`](crate::Protocol::V0) takes gzip only, an
    /// [envelope](Self::envelope) what its limits say.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }
}
