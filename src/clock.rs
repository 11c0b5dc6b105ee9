//! Time as a value that is passed in.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// The source of time: the machine, or a test.
#[derive(Clone, Debug, Default)]
pub(crate) enum Clock {
    /// The machine's own clocks.
    #[default]
    System,
    /// A clock that stands still until a test advances it.
    #[cfg_attr(not(test), allow(dead_code, reason = "for the tests of time-driven parts"))]
    Manual(Arc<Manual>),
}

/// A clock for tests.
#[derive(Debug)]
pub(crate) struct Manual {
    origin: Instant,
    wall_origin: SystemTime,
    nanos: AtomicU64,
}

/// Adds a duration that an application chose. An excessive one becomes a year, where `+` would panic.
pub(crate) fn later(now: Instant, by: Duration) -> Instant {
    const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);
    now.checked_add(by.min(YEAR)).unwrap_or(now)
}

impl Clock {
    /// Returns the current instant, for intervals and deadlines.
    pub(crate) fn now(&self) -> Instant {
        match self {
            Self::System => Instant::now(),
            Self::Manual(manual) => manual.origin + manual.gone(),
        }
    }

    /// Returns the current system time, for timestamps.
    #[inline]
    pub(crate) fn wall(&self) -> SystemTime {
        match self {
            Self::System => SystemTime::now(),
            Self::Manual(manual) => manual.wall_origin + manual.gone(),
        }
    }
}

impl Manual {
    #[cfg(test)]
    pub(crate) fn starting_at(wall_origin: SystemTime) -> Arc<Self> {
        Arc::new(Self { origin: Instant::now(), wall_origin, nanos: AtomicU64::new(0) })
    }

    /// Advances both the instant and the system time.
    #[cfg(test)]
    pub(crate) fn advance(&self, by: Duration) {
        let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        self.nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    fn gone(&self) -> Duration {
        Duration::from_nanos(self.nanos.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_duration_can_be_added() {
        let now = Instant::now();
        assert_eq!(later(now, Duration::from_secs(5)), now + Duration::from_secs(5));
        assert!(later(now, Duration::MAX) > now + Duration::from_secs(1_000_000));
    }
}
