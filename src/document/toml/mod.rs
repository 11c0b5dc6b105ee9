//! Parses TOML into a tree if the feature `toml` is on.
//!
//! Without the feature, a TOML file is an error.

#[cfg(not(feature = "toml"))]
mod disabled;
#[cfg(feature = "toml")]
mod enabled;

#[cfg(not(feature = "toml"))]
pub(super) use crate::document::toml::disabled::read;
#[cfg(feature = "toml")]
pub(super) use crate::document::toml::enabled::read;
