//! The instant of an event, in UTC milliseconds.
//! Takes system time or a date with an offset; gives RFC 3339 text.
//! Never reads a clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use time::OffsetDateTime;
use time::format_description::BorrowedFormatItem;
use time::macros::format_description;

/// When an event happened: milliseconds since 1970-01-01 in UTC.
///
/// Made from a [`SystemTime`] or a [`time::OffsetDateTime`]; an offset is converted, so that the same
/// instant leaves in UTC, as PostHog asks. What is finer than a millisecond is cut off. Years outside
/// 0 to 9999 have no RFC 3339 form and are clamped to the nearest that has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

const FIRST: i64 = -62_167_219_200_000; // 0000-01-01T00:00:00Z
const LAST: i64 = 253_402_300_799_999; // 9999-12-31T23:59:59.999Z
const TO_SECOND: &[BorrowedFormatItem<'_>] =
    format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]");

impl Timestamp {
    /// Makes a timestamp from milliseconds since 1970-01-01 in UTC.
    pub const fn from_unix_millis(millis: i64) -> Self {
        if millis < FIRST {
            Self(FIRST)
        } else if millis > LAST {
            Self(LAST)
        } else {
            Self(millis)
        }
    }

    /// Returns milliseconds since 1970-01-01 in UTC.
    pub const fn unix_millis(self) -> i64 {
        self.0
    }

    /// Returns the instant as RFC 3339 text, such as `2026-08-21T10:15:29.998Z`.
    pub fn to_rfc3339(self) -> String {
        let mut out = Vec::with_capacity(24);
        Rfc3339::default().write(self, &mut out);
        String::from_utf8(out).unwrap_or_default()
    }
}

impl From<SystemTime> for Timestamp {
    fn from(at: SystemTime) -> Self {
        let millis = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        Self::from_unix_millis(match at.duration_since(UNIX_EPOCH) {
            Ok(since) => millis(since),
            Err(before) => -millis(before.duration()),
        })
    }
}

impl From<OffsetDateTime> for Timestamp {
    fn from(at: OffsetDateTime) -> Self {
        let millis = at.unix_timestamp_nanos().div_euclid(1_000_000);
        Self::from_unix_millis(i64::try_from(millis).unwrap_or(0))
    }
}

/// A writer of timestamps that formats the part down to the second once a second: events of one batch
/// mostly share it, and formatting a date is the dearest step of the worker's loop.
#[derive(Debug, Default)]
pub(crate) struct Rfc3339 {
    second: Option<i64>,
    text: String,
}

impl Rfc3339 {
    /// Appends `at` as RFC 3339 in UTC with three digits of fraction.
    pub(crate) fn write(&mut self, at: Timestamp, out: &mut Vec<u8>) {
        let (second, milli) = (at.0.div_euclid(1000), at.0.rem_euclid(1000));
        if self.second != Some(second) {
            let date = OffsetDateTime::from_unix_timestamp(second).unwrap_or(OffsetDateTime::UNIX_EPOCH);
            self.text = date.format(TO_SECOND).unwrap_or_default();
            self.second = Some(second);
        }
        out.extend_from_slice(self.text.as_bytes());
        #[expect(clippy::cast_sign_loss, reason = "a digit")]
        let digit = |value: i64| b'0' + (value % 10) as u8;
        out.extend_from_slice(&[b'.', digit(milli / 100), digit(milli / 10), digit(milli), b'Z']);
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
        assert_eq!(Timestamp::from_unix_millis(i64::MAX).to_rfc3339(), "9999-12-31T23:59:59.999Z");
        assert_eq!(Timestamp::from_unix_millis(i64::MIN).to_rfc3339(), "0000-01-01T00:00:00.000Z");
    }
}
