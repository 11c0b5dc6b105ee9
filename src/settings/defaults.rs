//! Every default in one place, with its reason.
//! Gives constants. Never reads anything.

use std::time::Duration;

/// Events that make a batch. PostHog's own server libraries (Go, Python, Rust) all batch by 100.
pub(crate) const FLUSH_AT: usize = 100;

/// Bytes that make a batch before its events do. Half of what a batch may hold, so that a batch of large
/// events leaves early and a body rarely has to be cut.
pub(crate) const FLUSH_BYTES: usize = 512 * 1024;

/// How long the first event of a batch waits before its batch is sent. Five seconds is what PostHog's libraries use:
/// short enough to watch events arrive, long enough for one request to carry many.
pub(crate) const INTERVAL: Duration = Duration::from_secs(5);

/// Events in the queue at most. At the 100 to 1,000 events a second of a busy server this bridges an
/// outage of 10 to 100 seconds.
pub(crate) const QUEUE_EVENTS: usize = 10_000;

/// Bytes in the queue at most: 10,000 events of 1.6 kB. What an application lends us without noticing.
pub(crate) const QUEUE_BYTES: usize = 16 * 1024 * 1024;

/// Bytes in one event at most. PostHog's sink refuses about 1,000,000 bytes with its own wrapping;
/// its Python library stops at 900 KiB for that reason, and so do we.
pub(crate) const EVENT_BYTES: usize = 900 * 1024;

/// Bytes in one batch before compression at most. PostHog takes 20 MiB, but a retry keeps the whole
/// body in memory, and past 1 MiB larger bodies no longer raise the throughput on loopback.
pub(crate) const BATCH_BYTES: usize = 1024 * 1024;

/// The first wait before a retry. PostHog's compliance suite asks for at least 100 ms, and for three
/// attempts within five seconds.
pub(crate) const RETRY_BASE: Duration = Duration::from_millis(500);

/// The longest wait between two attempts, and the most that a `Retry-After` can ask for. PostHog's
/// libraries all stop at 30 seconds.
pub(crate) const RETRY_MAX: Duration = Duration::from_secs(30);

/// How long a batch is worth retrying. A day covers a night's outage; memory is bounded by bytes anyway.
pub(crate) const RETRY_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Bytes of batches that wait for their retry at most. Beyond, events stay in the queue, and leave
/// in fewer and larger batches once the endpoint is back.
pub(crate) const RETRY_BYTES: usize = 8 * 1024 * 1024;

/// Batches that wait for their retry at most, so that an endpoint that comes back is not met by a
/// crowd, and one that is away is not knocked at more often than this every 30 seconds.
pub(crate) const RETRY_BATCHES: usize = 8;

/// Time for a name to resolve; a thread of its own does that, and is left alone when the time is up.
pub(crate) const TIMEOUT_RESOLVE: Duration = Duration::from_secs(5);

/// Time for TCP and TLS to connect.
pub(crate) const TIMEOUT_CONNECT: Duration = Duration::from_secs(5);

/// Time without a byte of the answer.
pub(crate) const TIMEOUT_READ: Duration = Duration::from_secs(10);

/// Time for a whole request. One slow request holds the worker for this long at most.
pub(crate) const TIMEOUT_TOTAL: Duration = Duration::from_secs(15);

/// Time that the guard gives its flush when it is dropped. Long enough for a round trip across the
/// world, short enough that nobody wonders why a program does not end.
pub(crate) const SHUTDOWN: Duration = Duration::from_secs(2);

/// Time for the last flush of a short-lived program. A request over a new TLS connection across a continent takes less,
/// and with the time for cutting one it is half a second, which a person at a terminal does not take for a fault.
pub(crate) const SHORT_LIVED_SHUTDOWN: Duration = Duration::from_millis(400);

/// Bytes in one event of the AI route at most: what PostHog's server takes there.
pub(crate) const AI_EVENT_BYTES: usize = 8 * 1024 * 1024;

/// Bytes in one batch of the AI route at most, so that the largest event goes alone. The route takes 20 MiB.
pub(crate) const AI_BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Events in the queue of the AI route at most. They are few and large: bytes are the bound that counts.
pub(crate) const AI_QUEUE_EVENTS: usize = 1_000;

/// Bytes in the queue of the AI route, and in its batches that wait for a retry: four of the largest events.
pub(crate) const AI_QUEUE_BYTES: usize = 32 * 1024 * 1024;

/// How long events are kept on disk: a week covers a holiday weekend and a long outage, and is what the notice says.
pub(crate) const SPOOL_AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Bytes that a server keeps on disk at most: an hour at 100 events a second and 180 bytes for each.
pub(crate) const SPOOL_BYTES: u64 = 64 * 1024 * 1024;

/// The most that can be asked for.
pub(crate) const SPOOL_MAX_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// Files that a server keeps at most; a directory of this size is listed in about a millisecond.
pub(crate) const SPOOL_FILES: u64 = 4_096;

/// Bytes in one file of a server at most: one batch.
pub(crate) const SPOOL_FILE_BYTES: usize = BATCH_BYTES;

/// The most that can be asked for: what PostHog takes in one body, less its envelope.
pub(crate) const SPOOL_MAX_FILE_BYTES: usize = 16 * 1024 * 1024;

/// Files that a tool keeps at most: one for each of 500 runs without a network.
pub(crate) const SPOOL_CLI_FILES: u64 = 500;

/// Events that a tool keeps at most.
pub(crate) const SPOOL_CLI_EVENTS: u64 = 1_000;

/// Bytes that a tool keeps at most.
pub(crate) const SPOOL_CLI_BYTES: u64 = 2 * 1024 * 1024;
