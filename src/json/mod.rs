//! Everything that handles JSON text directly.

mod members;
mod value;
mod write;

pub(crate) use members::{Member, Members};
pub(crate) use value::{MAX_DEPTH, parse, parse_members};
pub(crate) use write::{has_escapes, write_string};
