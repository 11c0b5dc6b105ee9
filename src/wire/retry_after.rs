//! Parses the `Retry-After` header in each of its forms.

use std::time::Duration;

use time::format_description::{BorrowedFormatItem, parse_borrowed};
use time::{OffsetDateTime, PrimitiveDateTime};

use crate::timestamp::Timestamp;

// RFC 9110, 5.6.7: the current form, and two obsolete ones that must still be accepted.
const IMF_FIXDATE: &str =
    "[weekday repr:short], [day] [month repr:short] [year] [hour]:[minute]:[second] GMT";
const RFC_850: &str =
    "[weekday repr:long], [day]-[month repr:short]-[year repr:last_two] [hour]:[minute]:[second] GMT";
const ASCTIME: &str =
    "[weekday repr:short] [month repr:short] [day padding:space] [hour]:[minute]:[second] [year]";

/// Returns the wait that the header asks for; `None` if it is zero, in the past or unreadable.
pub(super) fn parse(header: &str, now: Timestamp) -> Option<Duration> {
    let header = header.trim();
    if let Ok(seconds) = header.parse::<u64>() {
        return (seconds > 0).then(|| Duration::from_secs(seconds));
    }
    let at = date(header, now)?.unix_timestamp().checked_mul(1000)?;
    let millis = u64::try_from(at.checked_sub(now.unix_millis())?).ok()?;
    (millis > 0).then(|| Duration::from_millis(millis))
}

fn date(text: &str, now: Timestamp) -> Option<OffsetDateTime> {
    for form in [IMF_FIXDATE, ASCTIME] {
        if let Ok(date) = PrimitiveDateTime::parse(text, &items(form)?) {
            return Some(date.assume_utc());
        }
    }
    rfc_850(text, now)
}

/// Parses a format description when it is needed, which is rare: the macro that parses it at compile time would add
/// another crate to every application's build.
fn items(form: &'static str) -> Option<Vec<BorrowedFormatItem<'static>>> {
    parse_borrowed::<2>(form).ok()
}

/// Parses a date with a two-digit year, which is never taken to be more than 50 years in the future.
fn rfc_850(text: &str, now: Timestamp) -> Option<OffsetDateTime> {
    let mut parsed = time::parsing::Parsed::new();
    parsed.parse_items(text.as_bytes(), &items(RFC_850)?).ok().filter(|rest| rest.is_empty())?;
    let this_year = OffsetDateTime::from_unix_timestamp(now.unix_millis() / 1000).ok()?.year();
    let mut year = this_year - this_year.rem_euclid(100) + i32::from(parsed.year_last_two()?);
    if year > this_year + 50 {
        year -= 100;
    }
    let date = time::Date::from_calendar_date(year, parsed.month()?, parsed.day()?.get()).ok()?;
    let time = time::Time::from_hms(parsed.hour_24()?, parsed.minute()?, parsed.second()?).ok()?;
    Some(PrimitiveDateTime::new(date, time).assume_utc())
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::timestamp::Timestamp;
    use std::time::Duration;

    // Sun, 06 Nov 1994 08:49:37 GMT
    const NOW: Timestamp = Timestamp::from_unix_millis(784_111_777_000);

    #[test]
    fn parses_seconds_and_all_three_dates() {
        for header in [
            "90",
            " 90 ",
            "Sun, 06 Nov 1994 08:51:07 GMT",
            "Sunday, 06-Nov-94 08:51:07 GMT",
            "Sun Nov  6 08:51:07 1994",
        ] {
            assert_eq!(parse(header, NOW), Some(Duration::from_secs(90)), "{header}");
        }
    }

    #[test]
    fn ignores_a_zero_past_or_unreadable_wait() {
        for header in [
            "0",
            "-1",
            "",
            "soon",
            "1.5",
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994",
            "99999999999999999999",
        ] {
            assert_eq!(parse(header, NOW), None, "{header}");
        }
    }
}
