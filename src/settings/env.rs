//! A snapshot of the environment, taken once and passed in everywhere.
//!
//! Never writes a variable, and prints only names.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ffi::{OsStr, OsString};
use std::fmt;

/// A snapshot of environment variables.
///
/// Tests and examples build their own, so they do not depend on the machine they run on. The case of names is ignored
/// on Windows, as everywhere there.
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
            match env.variables.entry(key(&name).into_owned()) {
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
        let name = key(&name.into()).into_owned();
        self.repeated.retain(|(repeated, _)| *repeated != name);
        self.variables.insert(name, value.into());
        self
    }

    /// Returns every raw value of a variable. There is more than one only if the environment names it twice.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a OsStr> {
        let key = key(OsStr::new(name));
        let repeated = self.repeated.iter().filter(move |(repeated, _)| **repeated == *key);
        self.get(name).into_iter().chain(repeated.map(|(_, value)| value.as_os_str()))
    }

    /// Returns the raw value of a variable, or `None` if it is not set.
    pub fn get(&self, name: impl AsRef<OsStr>) -> Option<&OsStr> {
        self.variables.get(&*key(name.as_ref())).map(OsString::as_os_str)
    }

    /// Returns the trimmed value of a variable; `None` if it is unset, blank or not UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(OsStr::to_str).map(str::trim).filter(|text| !text.is_empty())
    }
}

/// Returns the form of a name under which a snapshot keeps the variable.
fn key(name: &OsStr) -> Cow<'_, OsStr> {
    key_on(cfg!(windows), name)
}

/// On Windows, `do_not_track` is the variable `DO_NOT_TRACK`.
fn key_on(is_windows: bool, name: &OsStr) -> Cow<'_, OsStr> {
    if is_windows { name.to_ascii_uppercase().into() } else { name.into() }
}

impl fmt::Debug for Env {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Values may be secrets.
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    use super::{Env, key_on};

    #[test]
    fn the_case_of_names_is_ignored_on_windows_only() {
        let name = OsStr::new("Do_Not_Track");
        assert_eq!(
            (key_on(true, name).to_str(), key_on(false, name).to_str()),
            (Some("DO_NOT_TRACK"), name.to_str())
        );
        let block =
            [("do_not_track", "0"), ("DO_NOT_TRACK", "1")].map(|(name, value)| (name.into(), value.into()));
        let env = Env::of_block(block).with("bamboo_planKey", "K");
        let heard: Vec<_> = env.all("DO_NOT_TRACK").collect();
        assert_eq!(heard, if cfg!(windows) { &["0", "1"][..] } else { &["1"] });
        assert!(env.get("bamboo_planKey").is_some());
    }
}
