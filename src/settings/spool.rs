//! Settings for keeping events on disk that cannot be delivered yet.

use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};
use crate::settings::defaults;

/// When events on disk are sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Sending {
    /// By this process, in turn with the events that it captures. Suitable for long-running programs. The default
    /// of [`Spool::server`].
    #[default]
    Live,
    /// By the next run. This run writes its events to disk and ends without waiting for the network. It connects only
    /// if an earlier run has left events, and sends those while the command does its work. A request that is unfinished
    /// at the end is cut off, and its events stay on disk. The default of [`Spool::cli`].
    ///
    /// The end waits only for the disk, for at most [`Config::shutdown_timeout`](crate::Config::shutdown_timeout) and
    /// 250 ms. Events that are not written by then are lost, and counted.
    ///
    /// If the oldest events are more than a day old, a run waits up to 500 ms for them, once a day.
    /// [`flush`](crate::flush) also sends what this run has captured.
    ///
    /// In continuous integration, under `sudo`, and if no state directory is writable, nothing is kept on disk. The
    /// end of a run then waits up to [`Config::shutdown_timeout`](crate::Config::shutdown_timeout), as without a
    /// spool.
    NextRun,
    /// By a separate process, which the end of a run starts but does not wait for, so events arrive even if there
    /// is no next run. Never the default.
    ///
    /// Works with [`cli::Telemetry`](crate::cli::Telemetry) in a program whose `main` starts with
    /// [`cli::run_sender_if_asked`](crate::cli::run_sender_if_asked), which documents what that process does. In
    /// any other program, this is the same as `NextRun`.
    Detached,
}

impl Sending {
    /// Returns whether a run leaves its events to another process.
    fn leaves_events(self) -> bool {
        matches!(self, Self::NextRun | Self::Detached)
    }
}

/// Keeps events on disk until the endpoint has accepted them, so they survive the end of the program.
///
/// Set with [`Config::spool`](crate::Config::spool); there is no spool by default. Events are kept for up to 7 days
/// in the user's state directory (`$XDG_STATE_HOME/<app>/spool` on Linux), readable only by this user. The
/// directory exists only while consent is granted: a lasting refusal by any process deletes it for all of them.
///
/// ```
/// use candor::{Config, Spool};
///
/// let tool = Config::new("my-tool", "1.0.0").spool(Spool::cli());
/// let server = Config::new("my-server", "1.0.0").spool(Spool::server().max_bytes(256 * 1024 * 1024));
/// ```
///
/// # What survives the end of the process
///
/// | The process ends by | sealed files (the default) | [`write_ahead`](Self::write_ahead) | [`each_event`](Self::each_event) |
/// |---|---|---|---|
/// | end of `main`, with the guard dropped or `shutdown` called | all | all | all |
/// | a panic that unwinds, with the guard in a frame it passes | all | all | all |
/// | `process::exit`, without `shutdown` before it | what was written before | all but the last interval | all |
/// | `abort`, a panic that aborts, a signal such as `kill -9` | what was written before | all but the last interval | all |
/// | a system crash or power failure | what the system had written back | the same | the same |
///
/// - "What was written before" means the batches whose delivery has failed, every batch after them while the endpoint
///   fails, and the older events of a queue that is three quarters full while a request is in progress: half of the
///   queue stays in memory. The first attempt of a batch is made from memory.
/// - With [`Overflow::Wait`](crate::Overflow::Wait), a full queue is written to disk only once a request takes longer
///   than a second, or than half the time for which callers wait.
/// - [`shutdown`](crate::Client::shutdown) writes whatever is not delivered when its time is up: what is queued, and the
///   batch in progress, even if its connection hangs. A tool that leaves its events to the next run
///   ([`Sending::NextRun`]) writes all of them and does not wait for the network.
/// - The interval of `write_ahead` also holds while a request is in progress.
/// - Nothing is synced to the storage medium: a file that the system had not written back before a power failure is
///   missing, or is found to be damaged and then counted.
/// - If the disk is full or cannot be written to, later events are kept in memory as without a spool, and one line is
///   logged at debug level. What is already on disk is still sent.
/// - A forked child neither sends nor keeps its parent's events. A client created in the child opens the spool anew.
///
/// Events are sent at least once: an event that was being sent when the process ended is sent again with the same
/// id, time and bytes, so PostHog drops the duplicate. For endpoints that do not, see
/// [`at_most_once`](Self::at_most_once).
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "a spool does nothing until it is passed to `Config::spool`"]
pub struct Spool {
    pub(crate) max_files: u64,
    pub(crate) max_events: u64,
    pub(crate) max_bytes: u64,
    pub(crate) max_age: Duration,
    pub(crate) file_events: usize,
    pub(crate) file_bytes: usize,
    pub(crate) sending: Sending,
    pub(crate) durability: Durability,
    pub(crate) at_most_once: bool,
    pub(crate) tenant: String,
    /// Whether the end of this run starts a process that sends.
    pub(crate) has_sender: bool,
}

/// When an event is written to disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Durability {
    /// When it cannot be delivered, and when the program ends.
    #[default]
    Sealed,
    /// This long after its capture.
    WriteAhead(Duration),
    /// When `capture` returns.
    EachEvent,
}

impl Default for Spool {
    fn default() -> Self {
        Self::server()
    }
}

impl Spool {
    /// Creates the same spool as [`Spool::server`].
    pub fn new() -> Self {
        Self::server()
    }

    /// Creates a spool for a long-running program: at most 64 MiB in 4,096 files of up to 1 MiB, sent while it
    /// runs.
    pub fn server() -> Self {
        Self {
            max_files: defaults::SPOOL_FILES,
            max_events: u64::MAX,
            max_bytes: defaults::SPOOL_BYTES,
            max_age: defaults::SPOOL_AGE,
            file_events: usize::MAX,
            file_bytes: defaults::SPOOL_FILE_BYTES,
            sending: Sending::Live,
            durability: Durability::Sealed,
            at_most_once: false,
            tenant: String::new(),
            has_sender: false,
        }
    }

    /// Creates a spool for a command-line tool: at most 1,000 events and 2 MiB in 500 files of up to 100 events,
    /// sent by the [next run](Sending::NextRun).
    pub fn cli() -> Self {
        Self {
            max_files: defaults::SPOOL_CLI_FILES,
            max_events: defaults::SPOOL_CLI_EVENTS,
            max_bytes: defaults::SPOOL_CLI_BYTES,
            file_events: defaults::FLUSH_AT,
            file_bytes: defaults::FLUSH_BYTES,
            sending: Sending::NextRun,
            ..Self::server()
        }
    }

    /// Sets the maximum number of files: 4,096 by default, 500 for a tool. Beyond it, the oldest tenth is deleted
    /// and counted as [`SpoolFull`](crate::LossReason::SpoolFull).
    pub fn max_files(mut self, files: u64) -> Self {
        self.max_files = files;
        self
    }

    /// Sets the maximum number of events: unlimited by default, 1,000 for a tool.
    pub fn max_events(mut self, events: u64) -> Self {
        self.max_events = events;
        self
    }

    /// Sets the maximum number of bytes: 64 MiB by default, 2 MiB for a tool, from 1 KiB to 4 GiB.
    pub fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets how long events are kept: 7 days by default, which is also the maximum. Older events are deleted and
    /// counted as [`SpoolExpired`](crate::LossReason::SpoolExpired).
    pub fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }

    /// Sets the maximum number of events in a file: as many as fit by default, 100 for a tool.
    pub fn file_events(mut self, events: usize) -> Self {
        self.file_events = events;
        self
    }

    /// Sets the maximum number of bytes of events in a file: 1 MiB by default, 512 KiB for a tool, from 1 KiB to 16
    /// MiB. A larger event gets its own file.
    pub fn file_bytes(mut self, bytes: usize) -> Self {
        self.file_bytes = bytes;
        self
    }

    /// Sets when events on disk are sent.
    pub fn sending(mut self, sending: Sending) -> Self {
        self.sending = sending;
        self
    }

    /// Writes events to disk within this time of their capture, from 1 ms to 60 s: if the process is killed, at
    /// most that much is lost. Costs a small file for every interval in which something was captured.
    pub fn write_ahead(mut self, interval: Duration) -> Self {
        self.durability = Durability::WriteAhead(interval);
        self
    }

    /// Makes `capture` itself write each event to disk before it returns, which takes about a microsecond: no event
    /// is lost if the process is killed. On a slow or hanging disk, `capture` waits for it.
    pub fn each_event(mut self) -> Self {
        self.durability = Durability::EachEvent;
        self
    }

    /// Deletes events from disk before they are sent instead of after, for endpoints that cannot recognise
    /// duplicates. Events that are being sent when the process ends, or that are answered with an error, are lost.
    pub fn at_most_once(mut self) -> Self {
        self.at_most_once = true;
        self
    }

    /// Sets whose events these are, for a program that acts for several accounts at the same endpoint without an
    /// API key for each: events captured for one account are never sent for another.
    pub fn tenant(mut self, account: impl Into<String>) -> Self {
        self.tenant = account.into();
        self
    }

    /// Returns whether a run leaves its events to another process.
    pub(crate) fn leaves_events(&self) -> bool {
        self.sending.leaves_events()
    }

    /// Returns an error that names the first invalid setting.
    pub(crate) fn check(&self, max_retries: Option<u32>) -> Result<()> {
        let wrong = |text: &str| Err(Error::new(ErrorKind::Config, format!("spool: {text}")));
        if cfg!(not(feature = "spool")) {
            return wrong("this build lacks the feature `spool`; enable it");
        }
        if max_retries == Some(0) && !self.at_most_once {
            return wrong(
                "`max_retries(0)` sends a batch only once, but the spool may send it again; use \
                          `Spool::at_most_once()`, or remove the spool",
            );
        }
        if self.max_files == 0 || self.max_events == 0 || self.file_events == 0 {
            return wrong("the limits must leave room for at least one event");
        }
        if !(1024..=defaults::SPOOL_MAX_BYTES).contains(&self.max_bytes) {
            return wrong("max_bytes must be from 1 KiB to 4 GiB");
        }
        if !(1024..=defaults::SPOOL_MAX_FILE_BYTES).contains(&self.file_bytes) {
            return wrong("file_bytes must be from 1 KiB to 16 MiB");
        }
        if self.max_age.is_zero() || self.max_age > defaults::SPOOL_AGE {
            return wrong("max_age must be more than zero and at most 7 days, which is what users are told");
        }
        match self.durability {
            Durability::WriteAhead(interval)
                if !(Duration::from_millis(1)..=Duration::from_secs(60)).contains(&interval) =>
            {
                wrong("write_ahead must be from 1 ms to 60 s")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(all(test, feature = "spool"))]
mod tests {
    use super::*;

    #[test]
    fn the_presets_are_valid() {
        for spool in [Spool::new(), Spool::server(), Spool::cli(), Spool::cli().each_event()] {
            spool.check(None).unwrap();
            spool.check(Some(3)).unwrap();
        }
        assert_eq!(Spool::default(), Spool::new());
    }

    #[test]
    fn an_invalid_limit_is_named() {
        let day = Duration::from_secs(24 * 60 * 60);
        for (spool, named) in [
            (Spool::new().max_files(0), "limits"),
            (Spool::new().max_events(0), "limits"),
            (Spool::new().file_events(0), "limits"),
            (Spool::new().max_bytes(5 << 30), "max_bytes"),
            (Spool::new().file_bytes(0), "file_bytes"),
            (Spool::new().max_age(8 * day), "max_age"),
            (Spool::new().write_ahead(Duration::ZERO), "write_ahead"),
        ] {
            let error = spool.check(None).unwrap_err().to_string();
            assert!(error.contains("spool") && error.contains(named), "{error}");
        }
    }

    #[test]
    fn a_spool_without_retries_must_be_at_most_once() {
        assert!(Spool::cli().check(Some(0)).is_err());
        assert!(Spool::server().check(Some(0)).is_err());
        Spool::cli().at_most_once().check(Some(0)).unwrap();
    }
}
