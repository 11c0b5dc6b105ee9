//! The paths of the gate's files.
//!
//! Never checks whether a file exists.

use std::path::{Path, PathBuf};

use super::inputs::Facts;
use super::user;
use crate::settings::Env;

pub(crate) const CHOICE_FILE: &str = "telemetry-consent.json";
pub(crate) const RECEIPT_FILE: &str = "telemetry-notice.json";

/// The families of platforms, which keep such files in different places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Platform {
    Unix,
    Mac,
    Windows,
}

impl Platform {
    pub(crate) const HERE: Self = if cfg!(windows) {
        Self::Windows
    } else if cfg!(any(target_os = "macos", target_os = "ios")) {
        Self::Mac
    } else {
        Self::Unix
    };
}

/// Returns the path of the machine's policy.
pub(crate) fn policy(facts: &Facts, env: &Env, platform: Platform) -> Option<PathBuf> {
    if let Some(path) = &facts.consent.policy_file {
        return Some(path.clone());
    }
    let app = directory_name(&facts.app)?;
    let root = match platform {
        Platform::Unix => PathBuf::from("/etc"),
        Platform::Mac => PathBuf::from("/Library/Application Support"),
        Platform::Windows => absolute(env, "ProgramData")?,
    };
    Some(root.join(app).join("telemetry.toml"))
}

/// Returns the directory of the user's choice and of the receipt, if it is known.
pub(crate) fn state_dir(facts: &Facts, env: &Env, platform: Platform) -> Option<PathBuf> {
    if let Some(path) = &facts.consent.state_dir {
        return Some(path.clone()).filter(|path| !path.as_os_str().is_empty());
    }
    let app = directory_name(&facts.app)?;
    let root = match platform {
        Platform::Unix => {
            absolute(env, "XDG_STATE_HOME").or_else(|| Some(absolute(env, "HOME")?.join(".local/state")))?
        }
        Platform::Mac => absolute(env, "HOME")?.join("Library/Application Support"),
        Platform::Windows => absolute(env, "LOCALAPPDATA")?,
    };
    Some(root.join(app))
}

/// Returns the path of a file in the state directory.
pub(crate) fn state_file(facts: &Facts, env: &Env, name: &str) -> Option<PathBuf> {
    Some(state_dir(facts, env, Platform::HERE)?.join(name))
}

/// Returns the path of a file in the state directory, unless this process runs under sudo, where it would belong to
/// root.
pub(crate) fn writable_state_file(facts: &Facts, env: &Env, name: &str) -> Option<PathBuf> {
    state_file(facts, env, name).filter(|_| user::sudo_caller(env).is_none())
}

/// Returns the state directory of the user who called sudo, given their home directory.
pub(crate) fn invoker_state_dir(facts: &Facts, home: &Path, platform: Platform) -> Option<PathBuf> {
    if facts.consent.state_dir.is_some() {
        return None;
    }
    state_dir(facts, &Env::empty().with("HOME", home), platform)
}

fn absolute(env: &Env, name: &str) -> Option<PathBuf> {
    env.get(name).map(PathBuf::from).filter(|path| path.is_absolute())
}

/// Returns the name if it is a single plain path component, and so cannot lead elsewhere.
fn directory_name(app: &str) -> Option<&str> {
    let plain = !app.is_empty() && !app.starts_with('.') && !app.contains(['/', '\\', '\0', ':']);
    plain.then_some(app)
}
