//! Writing an event or a field by hand, where a derive does not fit.
//!
//! [`Encoder`] is what [`Event::encode`](crate::Event::encode) writes to; [`Field`] is a value that may be sent as it is,
//! and [`Identifier`] one that may say who an event is about. Derived events need none of them by name.

pub use crate::event::Encoder;
pub use crate::field::{Field, Identifier};
