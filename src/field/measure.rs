//! Numbers in buckets, durations in whole units, and booleans as 0 or 1.

use std::time::Duration;

use crate::field::value::{Encode, ValueWriter, Written};
use crate::schema::Unit;

/// A duration that can be absent.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `std::time::Duration`",
    label = "expected a duration"
)]
pub trait DurationField {
    /// Whether the duration can be absent.
    const OPTIONAL: bool = false;

    /// Returns the duration, if there is one.
    fn duration(&self) -> Option<Duration>;

    /// Writes the duration in whole units.
    #[inline]
    fn write_duration(&self, unit: Unit, writer: &mut ValueWriter<'_>) -> Written {
        self.duration().map(|span| unit.of(span)).write(writer)
    }

    /// Writes the label of the bucket that contains the duration in whole units.
    fn write_duration_bucket(
        &self,
        unit: Unit,
        bounds: &'static [i64],
        labels: &'static [&'static str],
        writer: &mut ValueWriter<'_>,
    ) -> Written {
        write_bucket(self.duration().map(|span| unit.of(span).into()), bounds, labels, writer)
    }
}

impl DurationField for Duration {
    #[inline]
    fn duration(&self) -> Option<Duration> {
        Some(*self)
    }
}

impl<T: DurationField + ?Sized> DurationField for &T {
    const OPTIONAL: bool = T::OPTIONAL;

    #[inline]
    fn duration(&self) -> Option<Duration> {
        (**self).duration()
    }
}

impl<T: DurationField> DurationField for Option<T> {
    const OPTIONAL: bool = true;

    #[inline]
    fn duration(&self) -> Option<Duration> {
        self.as_ref()?.duration()
    }
}

/// An integer that can be put into a bucket, and can be absent.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a whole number, so `buckets` does not apply",
    label = "expected an integer or a duration"
)]
pub trait IntegerField {
    /// Whether the number can be absent.
    const OPTIONAL: bool = false;

    /// Returns the number, if there is one.
    fn integer(&self) -> Option<i128>;

    /// Writes the label of the bucket that contains the number.
    fn write_bucket(
        &self,
        bounds: &'static [i64],
        labels: &'static [&'static str],
        writer: &mut ValueWriter<'_>,
    ) -> Written {
        write_bucket(self.integer(), bounds, labels, writer)
    }
}

macro_rules! whole {
    ($($type:ty),*) => {$(
        impl IntegerField for $type {
            #[inline]
            fn integer(&self) -> Option<i128> {
                i128::try_from(*self).ok()
            }
        }
    )*};
}

whole!(u8, u16, u32, u64, usize, i8, i16, i32, i64, isize);

impl IntegerField for crate::field::aggregate::Count {
    #[inline]
    fn integer(&self) -> Option<i128> {
        Some(self.get().into())
    }
}

impl<T: IntegerField + ?Sized> IntegerField for &T {
    const OPTIONAL: bool = T::OPTIONAL;

    #[inline]
    fn integer(&self) -> Option<i128> {
        (**self).integer()
    }
}

impl<T: IntegerField> IntegerField for Option<T> {
    const OPTIONAL: bool = true;

    #[inline]
    fn integer(&self) -> Option<i128> {
        self.as_ref()?.integer()
    }
}

/// Writes the label of the bucket that contains a number. `labels` are JSON, one more than there are `bounds`.
fn write_bucket(
    number: Option<i128>,
    bounds: &'static [i64],
    labels: &'static [&'static str],
    writer: &mut ValueWriter<'_>,
) -> Written {
    let Some(number) = number else { return Written::Absent };
    let bucket = bounds.iter().take_while(|bound| i128::from(**bound) <= number).count();
    labels.get(bucket).map_or(Written::Dropped, |label| writer.literal(label))
}

/// A boolean that can be absent.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a `bool`, so `as_number` does not apply",
    label = "expected a boolean"
)]
pub trait Switch {
    /// Whether the boolean can be absent.
    const OPTIONAL: bool = false;

    /// Returns the boolean, if there is one.
    fn switch(&self) -> Option<bool>;

    /// Writes the boolean as 0 or 1.
    fn write_zero_or_one(&self, writer: &mut ValueWriter<'_>) -> Written {
        self.switch().map_or(Written::Absent, |on| writer.literal(if on { "1" } else { "0" }))
    }
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
