//! The time of an event, in UTC.
//!
//! Never reads a clock.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;

/// When an event happened, in UTC, with microsecond precision, which is what PostHog stores.
///
/// Create it from a [`SystemTime`] or a [`time::OffsetDateTime`], which is converted to UTC, as PostHog requires.
/// Anything finer than a microsecond is cut off. Years outside 0 to 9999 have no RFC 3339 form and are clamped to
/// the nearest time that has one. An event without its own timestamp gets the time of its capture, with millisecond
/// precision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    micros: i64,
}

const MIN_MICROS: i64 = -62_167_219_200_000_000; // 0000-01-01T00:00:00Z
const LAST: i64 = 253_402_300_799_999_999; // 9999-12-31T23:59:59.999999Z

impl Timestamp {
    /// Creates a timestamp from milliseconds since 1970-01-01 in UTC.
    pub const fn from_unix_millis(millis: i64) -> Self {
        Self::from_unix_micros(millis.saturating_mul(1000))
    }

    /// Creates a timestamp from microseconds since 1970-01-01 in UTC.
    pub const fn from_unix_micros(micros: i64) -> Self {
        if micros < MIN_MICROS {
            Self { micros: MIN_MICROS }
        } else if micros > LAST {
            Self { micros: LAST }
        } else {
            Self { micros }
        }
    }

    /// Creates a timestamp from a clock, with millisecond precision: three digits fewer in each event, and nobody
    /// misses them.
    #[inline]
    pub(crate) fn of_clock(at: SystemTime) -> Self {
        match at.duration_since(UNIX_EPOCH) {
            // Every capture runs this: two multiplications instead of divisions.
            Ok(since) => {
                let millis = i64::try_from(since.as_secs()).unwrap_or(i64::MAX).saturating_mul(1000);
                Self::from_unix_millis(millis.saturating_add(i64::from(since.subsec_millis())))
            }
            Err(_) => Self::from_unix_millis(Self::from(at).unix_millis()),
        }
    }

    /// Returns milliseconds since 1970-01-01 in UTC.
    pub const fn unix_millis(self) -> i64 {
        self.micros.div_euclid(1000)
    }

    /// Returns microseconds since 1970-01-01 in UTC.
    pub(crate) const fn unix_micros(self) -> i64 {
        self.micros
    }

    /// Returns the time as RFC 3339 text, such as `2026-08-21T10:15:29.998Z`, with three digits of fraction, or
    /// with six if three are not enough.
    pub fn to_rfc3339(self) -> String {
        let mut out = Vec::with_capacity(27);
        Rfc3339::default().write(self, &mut out);
        String::from_utf8(out).unwrap_or_default()
    }
}

impl From<SystemTime> for Timestamp {
    fn from(at: SystemTime) -> Self {
        let micros = |span: u128| i64::try_from(span).unwrap_or(i64::MAX);
        Self::from_unix_micros(match at.duration_since(UNIX_EPOCH) {
            Ok(since) => micros(since.as_micros()),
            Err(before) => -micros(before.duration().as_nanos().div_ceil(1000)),
        })
    }
}

impl From<OffsetDateTime> for Timestamp {
    fn from(at: OffsetDateTime) -> Self {
        let micros = at.unix_timestamp_nanos().div_euclid(1000);
        Self::from_unix_micros(i64::try_from(micros).unwrap_or(0))
    }
}

/// Writes timestamps, and formats the part down to the second only when it changes: the events of a batch mostly
/// share it, and formatting a date is the most expensive step of the worker's loop.
#[derive(Debug, Default)]
pub(crate) struct Rfc3339 {
    second: Option<i64>,
    text: Vec<u8>,
}

impl Rfc3339 {
    /// Appends `at` as RFC 3339 in UTC, with three or six digits of fraction.
    pub(crate) fn write(&mut self, at: Timestamp, out: &mut Vec<u8>) {
        let (second, micros) = (at.micros.div_euclid(1_000_000), at.micros.rem_euclid(1_000_000));
        if self.second != Some(second) {
            self.format(second);
        }
        out.extend_from_slice(&self.text);
        #[expect(clippy::cast_sign_loss, reason = "a digit")]
        let digit = |unit: i64| b'0' + (micros / unit % 10) as u8;
        out.extend_from_slice(&[b'.', digit(100_000), digit(10_000), digit(1000)]);
        if micros % 1000 != 0 {
            out.extend_from_slice(&[digit(100), digit(10), digit(1)]);
        }
        out.push(b'Z');
    }

    fn format(&mut self, second: i64) {
        let at = OffsetDateTime::from_unix_timestamp(second).unwrap_or(OffsetDateTime::UNIX_EPOCH);
        let (year, month, day) = at.to_calendar_date();
        let (hour, minute, of_minute) = at.to_hms();
        self.text.clear();
        // Writing to a vector cannot fail.
        let _ = write!(
            self.text,
            "{year:04}-{:02}-{day:02}T{hour:02}:{minute:02}:{of_minute:02}",
            u8::from(month)
        );
        self.second = Some(second);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_offset_time_becomes_the_same_instant_in_utc() {
        let format = time::format_description::well_known::Rfc3339;
        let at = OffsetDateTime::parse("2025-01-02T08:34:05+05:30", &format).unwrap();
        assert_eq!(Timestamp::from(at).to_rfc3339(), "2025-01-02T03:04:05.000Z");
    }

    #[test]
    fn writes_milliseconds_across_seconds() {
        let mut writer = Rfc3339::default();
        let mut out = Vec::new();
        for millis in [0, 7, 999, 1000, 1_234_567_890_123, -1] {
            writer.write(Timestamp::from_unix_millis(millis), &mut out);
            out.push(b' ');
        }
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "1970-01-01T00:00:00.000Z 1970-01-01T00:00:00.007Z 1970-01-01T00:00:00.999Z \
             1970-01-01T00:00:01.000Z 2009-02-13T23:31:30.123Z 1969-12-31T23:59:59.999Z "
        );
    }

    #[test]
    fn times_without_a_text_form_are_clamped() {
        assert_eq!(Timestamp::from_unix_millis(i64::MAX).to_rfc3339(), "9999-12-31T23:59:59.999999Z");
        assert_eq!(Timestamp::from_unix_millis(i64::MIN).to_rfc3339(), "0000-01-01T00:00:00.000Z");
    }

    #[test]
    fn a_given_time_keeps_its_microseconds() {
        let format = time::format_description::well_known::Rfc3339;
        let at = OffsetDateTime::parse("2025-01-02T03:04:05.123456789Z", &format).unwrap();
        assert_eq!(Timestamp::from(at).to_rfc3339(), "2025-01-02T03:04:05.123456Z");
        assert_eq!(Timestamp::from(SystemTime::from(at)), Timestamp::from(at));
        assert_eq!(Timestamp::of_clock(at.into()).to_rfc3339(), "2025-01-02T03:04:05.123Z");
        let before_1970 = OffsetDateTime::parse("1969-12-31T23:59:59.999999999Z", &format).unwrap();
        assert_eq!(Timestamp::from(before_1970).to_rfc3339(), "1969-12-31T23:59:59.999999Z");
        assert_eq!(Timestamp::from(SystemTime::from(before_1970)), Timestamp::from(before_1970));
    }
}
