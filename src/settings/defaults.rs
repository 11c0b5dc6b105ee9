//! Every default, with the reason for it.

use std::time::Duration;

/// The number of events that fills a batch. PostHog's own server libraries (Go, Python, Rust) use 100.
pub(crate) const FLUSH_AT: usize = 100;

/// The number of bytes that fills a batch. Half of the maximum size, so a batch of large events is sent early and a
/// body rarely has to be split.
pub(crate) const FLUSH_BYTES: usize = 512 * 1024;

/// How long the first event of a batch waits before the batch is sent. PostHog's libraries use five seconds: short
/// enough to watch events arrive, long enough for a request to carry many.
pub(crate) const INTERVAL: Duration = Duration::from_secs(5);

/// The maximum number of events in the queue. At the 100 to 1,000 events per second of a busy server, this bridges
/// an outage of 10 to 100 seconds.
pub(crate) const QUEUE_EVENTS: usize = 10_000;

/// The maximum size of the queue: 10,000 events of 1.6 kB. An application does not notice this much memory.
pub(crate) const QUEUE_BYTES: usize = 16 * 1024 * 1024;

/// The maximum size of an event. PostHog rejects messages above about 1,000,000 bytes, including its own wrapping.
/// Its Python library limits events to 900 KiB for that reason, and so do we.
pub(crate) const EVENT_BYTES: usize = 900 * 1024;

/// The maximum size of a batch before compression. PostHog accepts 20 MiB, but a retry keeps the whole body in
/// memory, and bodies above 1 MiB no longer raise the throughput on loopback.
pub(crate) const BATCH_BYTES: usize = 1024 * 1024;

/// The delay before the first retry. PostHog's compliance suite requires at least 100 ms, and three attempts within
/// five seconds.
pub(crate) const RETRY_BASE: Duration = Duration::from_millis(500);

/// The maximum delay between two attempts, and the maximum accepted from `Retry-After`. PostHog's libraries all use
/// 30 seconds.
pub(crate) const RETRY_MAX: Duration = Duration::from_secs(30);

/// How long a batch is retried. A day covers a night's outage, and memory is limited by bytes anyway.
pub(crate) const RETRY_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// The maximum size of all batches waiting for a retry. Beyond it, events stay in the queue, and leave in fewer,
/// larger batches once the endpoint is back.
pub(crate) const RETRY_BYTES: usize = 8 * 1024 * 1024;

/// The maximum number of batches waiting for a retry, so an endpoint that is down gets no more than this many
/// requests every 30 seconds, and one that comes back is not flooded.
pub(crate) const RETRY_BATCHES: usize = 8;

/// The time limit for resolving a name. A separate thread does that, and is abandoned when the time is up.
pub(crate) const TIMEOUT_RESOLVE: Duration = Duration::from_secs(5);

/// The time limit for connecting, including TLS.
pub(crate) const TIMEOUT_CONNECT: Duration = Duration::from_secs(5);

/// The time limit for receiving the next byte of the response.
pub(crate) const TIMEOUT_READ: Duration = Duration::from_secs(10);

/// The time limit for a whole request, and so for how long a slow one can hold the worker.
pub(crate) const TIMEOUT_TOTAL: Duration = Duration::from_secs(15);

/// The time limit for the guard's flush when it is dropped. Long enough for a round trip around the world, short
/// enough that nobody wonders why the program does not exit.
pub(crate) const SHUTDOWN: Duration = Duration::from_secs(2);

/// The time limit for the last flush of a short-lived program. A request over a new TLS connection across a
/// continent takes less. With the time to cut off an unfinished request the total is half a second, which does not
/// look like a fault at a terminal.
pub(crate) const SHORT_LIVED_SHUTDOWN: Duration = Duration::from_millis(400);

/// The maximum size of a batch on the AI route, so the largest event is sent alone. The route accepts 20 MiB.
pub(crate) const AI_BATCH_BYTES: usize = 8 * 1024 * 1024;

/// The maximum number of events in the queue of the AI route. They are few and large, so the limit in bytes matters
/// more.
pub(crate) const AI_QUEUE_EVENTS: usize = 1_000;

/// The maximum size of the queue of the AI route, and of its batches waiting for a retry: four of the largest
/// events.
pub(crate) const AI_QUEUE_BYTES: usize = 32 * 1024 * 1024;

/// How long events are kept on disk. A week covers a holiday weekend or a long outage, and is what the notice says.
pub(crate) const SPOOL_AGE: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// The maximum size of a server's events on disk: an hour at 100 events per second of 180 bytes each.
pub(crate) const SPOOL_BYTES: u64 = 64 * 1024 * 1024;

/// The highest limit that can be set.
pub(crate) const SPOOL_MAX_BYTES: u64 = 4 * 1024 * 1024 * 1024;

/// The maximum number of files on a server. Listing a directory of this size takes about a millisecond.
pub(crate) const SPOOL_FILES: u64 = 4_096;

/// The maximum size of a file on a server: one batch.
pub(crate) const SPOOL_FILE_BYTES: usize = BATCH_BYTES;

/// The highest limit that can be set: what PostHog accepts in one body, less its envelope.
pub(crate) const SPOOL_MAX_FILE_BYTES: usize = 16 * 1024 * 1024;

/// The maximum number of files of a tool: one for each of 500 runs without a network.
pub(crate) const SPOOL_CLI_FILES: u64 = 500;

/// The maximum number of events of a tool.
pub(crate) const SPOOL_CLI_EVENTS: u64 = 1_000;

/// The maximum size of a tool's events.
pub(crate) const SPOOL_CLI_BYTES: u64 = 2 * 1024 * 1024;
