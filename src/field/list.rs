//! Lists of limited length: items beyond the maximum are dropped and counted.

use crate::field::value::{ValueWriter, Written};

/// A list of items that can be absent.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a list, so `items` does not apply",
    label = "expected a vector, a slice or an array"
)]
pub trait Items {
    /// The type of the items.
    type Item;

    /// Whether the list can be absent.
    const OPTIONAL: bool = false;

    /// Returns the items, if there is a list.
    fn items(&self) -> Option<&[Self::Item]>;

    /// Writes at most `max` items, each with the function of its policy.
    #[inline]
    fn write_items<F>(&self, max: usize, each: F, writer: &mut ValueWriter<'_>) -> Written
    where
        F: Fn(&Self::Item, &mut ValueWriter<'_>) -> Written,
    {
        self.items().map_or(Written::Absent, |items| write(items, max, writer, each))
    }
}

impl<T> Items for [T] {
    type Item = T;

    #[inline]
    fn items(&self) -> Option<&[T]> {
        Some(self)
    }
}

impl<T> Items for Vec<T> {
    type Item = T;

    #[inline]
    fn items(&self) -> Option<&[T]> {
        Some(self)
    }
}

impl<T, const N: usize> Items for [T; N] {
    type Item = T;

    #[inline]
    fn items(&self) -> Option<&[T]> {
        Some(self)
    }
}

macro_rules! through {
    ($($type:ty),*) => {$(
        impl<L: Items + ?Sized> Items for $type {
            type Item = L::Item;
            const OPTIONAL: bool = L::OPTIONAL;

            #[inline]
            fn items(&self) -> Option<&[L::Item]> {
                (**self).items()
            }
        }
    )*};
}

through!(&L, Box<L>, std::rc::Rc<L>, std::sync::Arc<L>);

impl<L: Items> Items for Option<L> {
    type Item = L::Item;
    const OPTIONAL: bool = true;

    #[inline]
    fn items(&self) -> Option<&[L::Item]> {
        self.as_ref()?.items()
    }
}

pub(crate) fn write<T>(
    items: &[T],
    max: usize,
    writer: &mut ValueWriter<'_>,
    each: impl Fn(&T, &mut ValueWriter<'_>) -> Written,
) -> Written {
    writer.out.push(b'[');
    let mut written = 0;
    for item in items {
        if written == max {
            writer.dropped();
            continue;
        }
        let start = writer.out.len();
        if written > 0 {
            writer.out.push(b',');
        }
        match each(item, writer) {
            Written::Value => written += 1,
            Written::Absent => writer.out.truncate(start),
            Written::Dropped => {
                writer.dropped();
                writer.out.truncate(start);
            }
        }
    }
    writer.out.push(b']');
    Written::Value
}
