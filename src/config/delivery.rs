//! Settings for delivery: batches, queue, retries, timeouts, headers, compression.

use std::time::Duration;

use crate::config::Config;
use crate::settings::{Overflow, Spool};
use crate::wire::codec::Compression;

impl Config {
    /// Sets the number of events that makes a batch. The default is 100; at least 1.
    ///
    /// A backlog is sent in larger batches, of up to [`batch_bytes`](Self::batch_bytes).
    pub fn flush_at(mut self, events: usize) -> Self {
        self.batching.flush_at = events;
        self
    }

    /// Sets the number of queued bytes that makes a batch before its number of events does. The default is 512 KiB; at
    /// least 1 byte.
    pub fn flush_bytes(mut self, bytes: usize) -> Self {
        self.batching.flush_bytes = bytes;
        self
    }

    /// Sets the maximum time an event waits before its batch is sent. The default is 5 seconds; longer than zero.
    ///
    /// Retries may delay it further, see [`retry_delays`](Self::retry_delays).
    pub fn flush_interval(mut self, interval: Duration) -> Self {
        self.batching.interval = interval;
        self
    }

    /// Sets the maximum number of events in the queue. The default is 10,000; from 1 to 4,000,000.
    ///
    /// [`overflow`](Self::overflow) says what happens beyond it.
    pub fn queue_events(mut self, events: usize) -> Self {
        self.batching.queue_events = events;
        self
    }

    /// Sets the maximum size of the queue in bytes. The default is 16 MiB; at least 1 byte and below 1 TiB.
    ///
    /// [`overflow`](Self::overflow) says what happens beyond it.
    pub fn queue_bytes(mut self, bytes: usize) -> Self {
        self.batching.queue_bytes = bytes;
        self
    }

    /// Sets the maximum size of an event in bytes. The default is 900 KiB, or less if an [envelope](Self::envelope)
    /// accepts less; at least 1 byte.
    ///
    /// A larger event is dropped and counted as [`TooLarge`](crate::LossReason::TooLarge).
    pub fn event_bytes(mut self, bytes: usize) -> Self {
        self.batching.event_bytes = bytes;
        self
    }

    /// Sets the maximum size of a batch's body in bytes, before compression. The default is 1 MiB, or less if an
    /// [envelope](Self::envelope) accepts less.
    ///
    /// At least 1 byte, and at most 20 MiB with [`Protocol::V0`](crate::Protocol::V0), 10 MiB with
    /// [`Protocol::V1`](crate::Protocol::V1), or what the envelope accepts. An event that is larger than this is sent
    /// alone, up to what the endpoint accepts.
    pub fn batch_bytes(mut self, bytes: usize) -> Self {
        self.batching.batch_bytes = bytes;
        self
    }

    /// Sets what happens to an event when the queue is full. By default it is dropped and counted, and the caller
    /// continues at once.
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.batching.overflow = overflow;
        self
    }

    /// Sets how often a batch is retried: with `n` retries, it is sent up to `n + 1` times. By default the number is
    /// not limited, and a batch is retried for [`retry_for`](Self::retry_for).
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.retry.max_retries = Some(retries);
        self
    }

    /// Sets the delay before the first retry, and the maximum delay. The defaults are 500 ms and 30 seconds; the first
    /// is longer than zero.
    ///
    /// The delay doubles with each retry, and up to half of it is added at random. The maximum also limits
    /// `Retry-After`.
    pub fn retry_delays(mut self, first: Duration, max: Duration) -> Self {
        (self.retry.base, self.retry.max_delay) = (first, max.max(first));
        self
    }

    /// Sets how long a batch is retried. The default is 24 hours. After that, its events are lost and counted.
    pub fn retry_for(mut self, age: Duration) -> Self {
        self.retry.max_age = age;
        self
    }

    /// Sets the maximum size of all batches that wait for a retry, in bytes. The default is 8 MiB; at least 1 byte.
    /// Beyond it, events stay in the queue.
    pub fn retry_bytes(mut self, bytes: usize) -> Self {
        self.retry.waiting_bytes = bytes;
        self
    }

    /// Sets the timeout for a whole request. The default is 15 seconds; longer than zero and at most a day.
    ///
    /// It covers resolving the name, connecting, sending and receiving, but not the delays between retries. Names are
    /// resolved on a thread of the HTTP library, which cannot be interrupted and is left behind when the time is up.
    pub fn request_timeout(mut self, timeout: Duration) -> Self {
        self.http.total = timeout;
        self
    }

    /// Sets the timeout for resolving the name, and the timeout for connecting, including TLS. The default is 5 seconds
    /// each; longer than zero and at most a day.
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        (self.http.connect, self.http.resolve) = (timeout, timeout);
        self
    }

    /// Sets the timeout for receiving the next byte of the response. The default is 10 seconds; longer than zero and at
    /// most a day.
    pub fn read_timeout(mut self, timeout: Duration) -> Self {
        self.http.read = timeout;
        self
    }

    /// Adds a header to every request. Creating the client fails if its name or value is not valid in HTTP.
    ///
    /// The value is never printed by this crate. The HTTP library prints it only at level `trace`, under the target
    /// `ureq_proto`; a warning says so if that level is enabled.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.http.headers.push((name.into(), value.into()));
        self
    }

    /// Keeps events on disk while they cannot be delivered, so they survive the end of the process. There is no spool
    /// by default. See [`Spool`] for what is kept, where, and for how long.
    ///
    /// Users must be told: if the program has a catalogue, call
    /// [`Catalogue::kept_on_disk`](crate::Catalogue::kept_on_disk). With [`cli::Telemetry`](crate::cli::Telemetry),
    /// this alone sets [`Spool::cli`].
    pub fn spool(mut self, spool: Spool) -> Self {
        (self.spool, self.has_chosen_spool) = (Some(spool), true);
        self
    }

    /// Keeps no events on disk: removes a [`spool`](Self::spool) set before, and prevents that of
    /// [`cli::Telemetry`](crate::cli::Telemetry).
    pub fn no_spool(mut self) -> Self {
        (self.spool, self.has_chosen_spool) = (None, true);
        self
    }

    /// Sets how request bodies are compressed. The default is none.
    ///
    /// Creating the client fails if the protocol or the [envelope](Self::envelope) does not accept the codec, or if
    /// this build lacks its feature. [`Protocol::V0`](crate::Protocol::V0) accepts gzip only.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }
}
