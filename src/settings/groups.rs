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
const MAX_QUEUE_EVENTS: usize = 4_000_000;

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
    pub(crate) fn check(&self) -> Result<()> {
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
        if self.queue_events > MAX_QUEUE_EVENTS {
            return wrong(format!("queue_events: must be at most {MAX_QUEUE_EVENTS}"));
        }
        if self.queue_bytes >= 1 << 40 {
            return wrong("queue_bytes: must be below 1 TiB".to_owned());
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
const MAX_TIMEOUT: Duration = Duration::from_secs(24 * 60 * 60);

/// How requests are sent.
#[derive(Clone, Debug)]
pub(crate) struct Http {
    pub(crate) resolve: Duration,
    pub(crate) connect: Duration,
    pub(crate) read: Duration,
    pub(crate) total: Duration,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) user_agent: String,
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
            proxy: None,
        }
    }

    /// Returns an error that names the first invalid setting.
    pub(crate) fn check(&self) -> Result<()> {
        for (name, value) in &self.headers {
            let named = ureq::http::HeaderName::try_from(name.as_str()).is_ok();
            if !named || ureq::http::HeaderValue::try_from(value.as_str()).is_err() {
                // The value may be a token, so only the name is shown.
                let text = format!(
                    "header {name:?}: not a valid HTTP header; use visible ASCII, without line breaks"
                );
                return Err(Error::new(ErrorKind::Config, text));
            }
        }
        let times = [self.resolve, self.connect, self.read, self.total];
        if times.iter().any(Duration::is_zero) {
            return Err(Error::new(
                ErrorKind::Config,
                "request_timeout, connect_timeout and read_timeout: must be longer than zero",
            ));
        }
        if times.iter().any(|time| *time > MAX_TIMEOUT) {
            return Err(Error::new(
                ErrorKind::Config,
                "request_timeout, connect_timeout and read_timeout: must be at most a day",
            ));
        }
        Ok(())
    }
}
