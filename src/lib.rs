//! Product analytics that ask first.

mod config;
mod error;

pub use config::Env;
pub use error::{Error, ErrorKind, Result};
