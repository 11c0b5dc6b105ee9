//! Numbers made coarse, and durations with a unit.
//! Takes integers and durations; writes a bucket's label, an integer in its unit, 0 or 1.
//! Never sends more digits than the field declares.

use std::time::Duration;

use super::field::{Outcome, Slot};

/// The unit in which a duration leaves; the field's name ends with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unit {
    /// `_us`, `_micros`.
    Microseconds,
    /// `_ms`, `_millis`.
    Milliseconds,
    /// `_s`, `_secs`, `_seconds`.
    Seconds,
    /// `_minutes`.
    Minutes,
    /// `_hours`.
    Hours,
    /// `_days`.
    Days,
}

impl Unit {
    /// Returns the name of the unit.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Microseconds => "microseconds",
            Self::Milliseconds => "milliseconds",
            Self::Seconds => "seconds",
            Self::Minutes => "minutes",
            Self::Hours => "hours",
            Self::Days => "days",
        }
    }

    /// Returns whole units, cut off.
    fn of(self, span: Duration) -> u64 {
        match self {
            Self::Microseconds => u64::try_from(span.as_micros()).unwrap_or(u64::MAX),
            Self::Milliseconds => u64::try_from(span.as_millis()).unwrap_or(u64::MAX),
            Self::Seconds => span.as_secs(),
            Self::Minutes => span.as_secs() / 60,
            Self::Hours => span.as_secs() / 3600,
            Self::Days => span.as_secs() / 86_400,
        }
    }
}

/// A duration, perhaps absent.
#[doc(hidden)]
#[diagnostic::on_unimplemented(message = "`{Self}` is no `std::time::Duration`", label = "not a duration")]
pub trait Span {
    /// Whether the duration can be absent.
    const OPTIONAL: bool = false;

    /// Returns the duration, where there is one.
    fn span(&self) -> Option<Duration>;
}

impl Span for Duration {
    #[inline]
    fn span(&self) -> Option<Duration> {
        Some(*self)
    }
}

impl<T: Span + ?Sized> Span for &T {
    const OPTIONAL: bool = T::OPTIONAL;

    #[inline]
    fn span(&self) -> Option<Duration> {
        (**self).span()
    }
}

impl<T: Span> Span for Option<T> {
    const OPTIONAL: bool = true;

    #[inline]
    fn span(&self) -> Option<Duration> {
        self.as_ref()?.span()
    }
}

/// An integer, perhaps absent, that can be put into a bucket.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no integer, so that it has no buckets",
    label = "neither an integer nor a duration"
)]
pub trait Whole {
    /// Whether the number can be absent.
    const OPTIONAL: bool = false;

    /// Returns the number, where there is one.
    fn whole(&self) -> Option<i128>;
}

macro_rules! whole {
    ($($type:ty),*) => {$(
        impl Whole for $type {
            #[inline]
            fn whole(&self) -> Option<i128> {
                i128::try_from(*self).ok()
            }
        }
    )*};
}

whole!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

impl Whole for super::aggregate::Count {
    #[inline]
    fn whole(&self) -> Option<i128> {
        Some(self.get().into())
    }
}

impl<T: Whole + ?Sized> Whole for &T {
    const OPTIONAL: bool = T::OPTIONAL;

    #[inline]
    fn whole(&self) -> Option<i128> {
        (**self).whole()
    }
}

impl<T: Whole> Whole for Option<T> {
    const OPTIONAL: bool = true;

    #[inline]
    fn whole(&self) -> Option<i128> {
        self.as_ref()?.whole()
    }
}

/// Returns a duration in whole units.
#[doc(hidden)]
#[inline]
pub fn duration<T: Span + ?Sized>(value: &T, unit: Unit) -> Option<u64> {
    value.span().map(|span| unit.of(span))
}

/// Writes the label of the bucket of a number: `labels` has one more entry than `bounds`, ready as JSON.
#[doc(hidden)]
pub fn put_bucket<T: Whole + ?Sized>(
    value: &T,
    bounds: &'static [i64],
    labels: &'static [&'static str],
    slot: &mut Slot<'_>,
) -> Outcome {
    let Some(number) = value.whole() else { return Outcome::Absent };
    let bucket = bounds.iter().take_while(|bound| i128::from(**bound) <= number).count();
    labels.get(bucket).map_or(Outcome::Dropped, |label| slot.literal(label))
}

/// Writes a boolean as 0 or 1.
#[doc(hidden)]
pub fn put_zero_or_one<T: Switch + ?Sized>(value: &T, slot: &mut Slot<'_>) -> Outcome {
    value.switch().map_or(Outcome::Absent, |on| slot.literal(if on { "1" } else { "0" }))
}

/// A boolean, perhaps absent.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no `bool`, so that it is not 0 or 1",
    label = "not a boolean"
)]
pub trait Switch {
    /// Whether the boolean can be absent.
    const OPTIONAL: bool = false;

    /// Returns the boolean, where there is one.
    fn switch(&self) -> Option<bool>;
}

impl Switch for bool {
    #[inline]
    fn switch(&self) -> Option<bool> {
        Some(*self)
    }
}

impl Switch for Option<bool> {
    const OPTIONAL: bool = true;

    #[inline]
    fn switch(&self) -> Option<bool> {
        *self
    }
}
