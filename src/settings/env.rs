//! A snapshot of the environment, taken once and passed in everywhere.
//!
//! Never writes a variable, and prints only names.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ffi::{OsStr, OsString};
use std::fmt;

/// A snapshot of environment variables.
///
/// Tests and examples build their own, so they do not depend on the machine they run on.
///
/// ```
/// let env = candor::Env::empty().with("DO_NOT_TRACK", "1");
/// assert_eq!(env.get("DO_NOT_TRACK").unwrap(), "1");
/// assert!(env.get("CI").is_none());
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Env {
    variables: BTreeMap<OsString, OsString>,
    /// The further values of variables that the environment names more than once.
    repeated: Vec<(OsString, OsString)>,
}

impl Env {
    /// Creates an empty snapshot.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Takes a snapshot of the process's current environment.
    pub fn from_process() -> Self {
        Self::of_block(std::env::vars_os())
    }

    /// Creates a snapshot from an environment block. If a variable is named twice, its first value counts, as
    /// everywhere else in the process, but the others are kept too.
    pub(crate) fn of_block(block: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut env = Self::empty();
        for (name, value) in block {
            match env.variables.entry(name) {
                Entry::Vacant(free) => {
                    free.insert(value);
                }
                Entry::Occupied(taken) => env.repeated.push((taken.key().clone(), value)),
            }
        }
        env
    }

    /// Adds or replaces a variable in this snapshot. The process's environment is not changed.
    #[must_use]
    pub fn with(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        let name = name.into();
        self.repeated.retain(|(repeated, _)| *repeated != name);
        self.variables.insert(name, value.into());
        self
    }

    /// Returns every raw value of a variable. There is more than one only if the environment names it twice.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a OsStr> {
        let repeated = self.repeated.iter().filter(move |(repeated, _)| repeated == name);
        self.get(name).into_iter().chain(repeated.map(|(_, value)| value.as_os_str()))
    }

    /// Returns the raw value of a variable, or `None` if it is not set.
    pub fn get(&self, name: impl AsRef<OsStr>) -> Option<&OsStr> {
        self.variables.get(name.as_ref()).map(OsString::as_os_str)
    }

    /// Returns the trimmed value of a variable; `None` if it is unset, blank or not UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(OsStr::to_str).map(str::trim).filter(|text| !text.is_empty())
    }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be secrets.
        f.debug_set().entries(self.variables.keys()).finish()
    }
}
