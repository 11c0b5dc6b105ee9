//! Product analytics that ask first.

mod config;
mod error;
mod event;

pub use config::Env;
pub use error::{Error, ErrorKind, Result};
pub use event::{DynamicEvent, Encoder, Event, EventView, Flaw, Record, Timestamp};
