//! Product analytics that ask first.

mod config;
pub mod consent;
mod error;
mod event;

pub use config::{Account, CiPolicy, Consent, Env, Mode, Notice, Subject};
pub use error::{Error, ErrorKind, Result};
pub use event::{DynamicEvent, Encoder, Event, EventView, Flaw, Record, Timestamp};
