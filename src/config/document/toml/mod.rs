//! TOML into a tree, where the feature is on.
//! Takes text; gives back a tree, or a few words about what is wrong.
//! Never silent about a file that this build cannot read.

#[cfg(not(feature = "toml"))]
mod disabled;
#[cfg(feature = "toml")]
mod enabled;

#[cfg(not(feature = "toml"))]
pub(super) use disabled::read;
#[cfg(feature = "toml")]
pub(super) use enabled::read;
