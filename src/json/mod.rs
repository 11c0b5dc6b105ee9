//! Everything that is done to JSON text by hand, once.

mod members;
mod value;
mod write;

pub(crate) use members::{Member, Members};
pub(crate) use value::{MAX_DEPTH, parse};
pub(crate) use write::write_string;
