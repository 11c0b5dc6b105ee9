//! YAML into a tree, if the feature is on.
//!
//! Never silent about a file that this build cannot read.

#[cfg(not(feature = "yaml"))]
mod disabled;
#[cfg(feature = "yaml")]
mod enabled;

#[cfg(not(feature = "yaml"))]
pub(super) use crate::document::yaml::disabled::read;
#[cfg(feature = "yaml")]
pub(super) use crate::document::yaml::enabled::read;
