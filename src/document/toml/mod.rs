//! TOML into a tree, if the feature is on.
//!
//! Never silent about a file that this build cannot read.

#[cfg(not(feature = "toml"))]
mod disabled;
#[cfg(feature = "toml")]
mod enabled;

#[cfg(not(feature = "toml"))]
pub(super) use crate::document::toml::disabled::read;
#[cfg(feature = "toml")]
pub(super) use crate::document::toml::enabled::read;
