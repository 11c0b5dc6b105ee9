//! The environment as a value: taken once, passed in everywhere.
//!
//! Never writes a variable, and prints names only.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ffi::{OsStr, OsString};
use std::fmt;

/// A snapshot of environment variables.
///
/// Tests and examples build one by hand, so that nothing in them depends on the machine they run on.
///
/// ```
/// let env = candor::Env::empty().with("DO_NOT_TRACK", "1");
/// assert_eq!(env.get("DO_NOT_TRACK").unwrap(), "1");
/// assert!(env.get("CI").is_none());
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Env {
    variables: BTreeMap<OsString, OsString>,
    /// What a block that names a variable more than once says after the first time.
    repeated: Vec<(OsString, OsString)>,
}

impl Env {
    /// Returns a snapshot without any variable.
    pub fn empty() -> Self {
        Self::default()
    }

    /// Takes a snapshot of the process's environment, as it is now.
    pub fn from_process() -> Self {
        Self::of_block(std::env::vars_os())
    }

    /// Takes an environment block in its order. Of a variable that is there twice the first value counts, as for
    /// everything else in the process; no other is lost.
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

    /// Adds or replaces a variable in this snapshot; the process's environment stays as it is.
    #[must_use]
    pub fn with(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        let name = name.into();
        self.repeated.retain(|(repeated, _)| *repeated != name);
        self.variables.insert(name, value.into());
        self
    }

    /// Returns every raw value of a variable: more than one only where the environment names it twice.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a OsStr> {
        let repeated = self.repeated.iter().filter(move |(repeated, _)| repeated == name);
        self.get(name).into_iter().chain(repeated.map(|(_, value)| value.as_os_str()))
    }

    /// Returns the raw value of a variable, or `None` if it is not set.
    pub fn get(&self, name: impl AsRef<OsStr>) -> Option<&OsStr> {
        self.variables.get(name.as_ref()).map(OsString::as_os_str)
    }

    /// Returns the value of a variable as text; `None` if it is unset, blank or not UTF-8.
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
