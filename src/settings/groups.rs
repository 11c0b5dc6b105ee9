//! The settings of the pipeline, in one group for each part that needs them.

use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::settings::defaults;

/// What happens to an event when the queue is full.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Overflow {
    /// The event is dropped and counted, and the caller continues at once. The default.
    DropNewest,
    /// The caller waits for room for at most this long; after that, the event is dropped and counted. Suitable for
    /// migrations and imports, where every event matters and nobody waits for the caller.
    Wait(Duration),
}

/// How request bodies are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Compression {
    /// No compression, so debugging prints the same body that is sent. The default.
    None,
    /// gzip, which every protocol of PostHog accepts. Requires the feature `gzip`.
    Gzip,
    /// deflate in a zlib stream, which only [`Protocol::V1`] accepts. Requires the feature `gzip`.
    Deflate,
    /// brotli, which only [`Protocol::V1`] accepts. Requires the feature `brotli`.
    Brotli,
    /// zstd, which only [`Protocol::V1`] accepts. Requires the feature `zstd`.
    Zstd,
}

impl Compression {
    /// Returns the feature that this build lacks for this compression.
    pub(crate) fn missing_feature(self) -> Option<&'static str> {
        let (is_there, feature) = match self {
            Self::None => (true, ""),
            Self::Gzip | Self::Deflate => (cfg!(feature = "gzip"), "gzip"),
            Self::Brotli => (cfg!(feature = "brotli"), "brotli"),
            Self::Zstd => (cfg!(feature = "zstd"), "zstd"),
        };
        (!is_there).then_some(feature)
    }
}

/// The PostHog protocol that carries the events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// `POST /batch/`, the older protocol, which every PostHog server and compatible endpoint accepts. The default.
    #[default]
    V0,
    /// `POST /i/v1/analytics/events`, the newer protocol: the key travels in a header, each event has its own
    /// result, and only events whose result asks for a retry are sent again.
    V1,
    /// `POST /batch/` in the older form of PostHog's libraries, for endpoints that were built for it: `type`,
    /// `library` and `library_version` at the root of each event, likewise the `$set` of `$identify`, and neither
    /// `$is_server` nor `sent_at`. PostHog accepts this form too.
    Legacy,
}

impl Protocol {
    /// The maximum size of a body that the server accepts, in bytes.
    fn most_body(self) -> usize {
        match self {
            Self::V0 | Self::Legacy => 20 * 1024 * 1024,
            Self::V1 => 10 * 1024 * 1024,
        }
    }
}

/// The sizes and intervals of batches, and the limits of the queue.
#[derive(Clone, Debug)]
pub(crate) struct Batching {
    pub(crate) flush_at: usize,
    pub(crate) flush_bytes: usize,
    pub(crate) interval: Duration,
    pub(crate) queue_events: usize,
    pub(crate) queue_bytes: usize,
    pub(crate) event_bytes: usize,
    pub(crate) batch_bytes: usize,
    pub(crate) overflow: Overflow,
}

impl Default for Batching {
    fn default() -> Self {
        Self {
            flush_at: defaults::FLUSH_AT,
            flush_bytes: defaults::FLUSH_BYTES,
            interval: defaults::INTERVAL,
            queue_events: defaults::QUEUE_EVENTS,
            queue_bytes: defaults::QUEUE_BYTES,
            event_bytes: defaults::EVENT_BYTES,
            batch_bytes: defaults::BATCH_BYTES,
            overflow: Overflow::DropNewest,
        }
    }
}

/// The maximum capacity of a queue. Its slots are reserved when it is created.
const MOST_QUEUE_EVENTS: usize = 4_000_000;

impl Batching {
    /// Returns the number of events at which a batch is sent: a queue smaller than a batch fills up first.
    pub(crate) fn leaves_at_events(&self) -> u64 {
        self.flush_at.min(self.queue_events) as u64
    }

    /// Returns the number of bytes at which a batch is sent. A queue rejects an event that does not fit, so one
    /// that is smaller than a batch is emptied once it is half full.
    pub(crate) fn leaves_at_bytes(&self) -> u64 {
        self.flush_bytes.min(self.queue_bytes.div_ceil(2)) as u64
    }

    /// Returns an error that names the first invalid setting.
    pub(crate) fn check(&self, protocol: Protocol) -> Result<()> {
        let wrong = |text: String| Err(Error::new(ErrorKind::Config, text));
        for (name, value) in [
            ("flush_at", self.flush_at),
            ("flush_bytes", self.flush_bytes),
            ("queue_events", self.queue_events),
            ("queue_bytes", self.queue_bytes),
            ("event_bytes", self.event_bytes),
            ("batch_bytes", self.batch_bytes),
        ] {
            if value == 0 {
                return wrong(format!("{name}: must be at least 1"));
            }
        }
        if self.queue_events > MOST_QUEUE_EVENTS {
            return wrong(format!("queue_events: must be at most {MOST_QUEUE_EVENTS}"));
        }
        if self.queue_bytes >= 1 << 40 {
            return wrong("queue_bytes: must be below 1 TiB".to_owned());
        }
        if self.batch_bytes > protocol.most_body() {
            let max = protocol.most_body() >> 20;
            return wrong(format!("batch_bytes: must be at most {max} MiB, which is what PostHog accepts"));
        }
        if self.interval.is_zero() {
            return wrong("flush_interval: must be longer than zero".to_owned());
        }
        Ok(())
    }
}

/// When a batch is retried.
#[derive(Clone, Debug)]
pub(crate) struct Retry {
    pub(crate) max_retries: Option<u32>,
    pub(crate) base: Duration,
    pub(crate) max_delay: Duration,
    pub(crate) max_age: Duration,
    pub(crate) waiting_bytes: usize,
    pub(crate) waiting_batches: usize,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            max_retries: None,
            base: defaults::RETRY_BASE,
            max_delay: defaults::RETRY_MAX,
            max_age: defaults::RETRY_AGE,
            waiting_bytes: defaults::RETRY_BYTES,
            waiting_batches: defaults::RETRY_BATCHES,
        }
    }
}

impl Retry {
    /// Returns an error that names the first invalid setting.
    pub(crate) fn check(&self) -> Result<()> {
        if self.base.is_zero() {
            return Err(Error::new(ErrorKind::Config, "retry_delays: must be longer than zero"));
        }
        if self.waiting_bytes == 0 {
            return Err(Error::new(ErrorKind::Config, "retry_bytes: must be at least 1"));
        }
        Ok(())
    }
}

/// The maximum for each timeout. A longer one is a mistake, and would overflow a clock.
const LONGEST_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// How requests are sent.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    pub(crate) resolve: Duration,
    pub(crate) connect: Duration,
    pub(crate) read: Duration,
    pub(crate) total: Duration,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) user_agent: String,
    pub(crate) compression: Compression,
    pub(crate) proxy: Option<Proxy>,
}

/// A proxy from the environment.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Proxy {
    pub(crate) url: String,
    pub(crate) exceptions: String,
}

impl std::fmt::Debug for Proxy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The URL may contain a password.
        f.debug_struct("Proxy").finish_non_exhaustive()
    }
}

impl Http {
    pub(crate) fn new(user_agent: String) -> Self {
        Self {
            resolve: defaults::TIMEOUT_RESOLVE,
            connect: defaults::TIMEOUT_CONNECT,
            read: defaults::TIMEOUT_READ,
            total: defaults::TIMEOUT_TOTAL,
            headers: Vec::new(),
            user_agent,
            compression: Compression::None,
            proxy: None,
        }
    }

    /// Returns an error that names the first invalid setting.
    pub(crate) fn check(&self) -> Result<()> {
        for (name, value) in &self.headers {
            let named = ureq::http::HeaderName::try_from(name.as_str()).is_ok();
            if !named || ureq::http::HeaderValue::try_from(value.as_str()).is_err() {
                // The value may be a token, so only the name is shown.
                let text = format!("header {name:?}: not a valid header name and value");
                return Err(Error::new(ErrorKind::Config, text));
            }
        }
        let times = [self.resolve, self.connect, self.read, self.total];
        if times.iter().any(Duration::is_zero) {
            return Err(Error::new(ErrorKind::Config, "timeouts: must be longer than zero"));
        }
        if times.iter().any(|time| *time > LONGEST_TIMEOUT) {
            return Err(Error::new(ErrorKind::Config, "timeouts: must be at most a day"));
        }
        Ok(())
    }
}
