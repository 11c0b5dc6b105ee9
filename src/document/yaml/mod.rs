//! Parses YAML into a tree if the feature `yaml` is on.
//!
//! Without the feature, a YAML file is an error.

#[cfg(not(feature = "yaml"))]
mod disabled;
#[cfg(feature = "yaml")]
mod enabled;

#[cfg(not(feature = "yaml"))]
pub(super) use crate::document::yaml::disabled::read;
#[cfg(feature = "yaml")]
pub(super) use crate::document::yaml::enabled::read;
