//! The environment's switches, in their first and simplest form.
//! Takes the snapshot and the application's variables; gives a token or the name of what said no.
//! Never grants anything by itself: it only denies.

use super::Granted;
use crate::config::{Env, variable_prefix};

/// Asks the environment. Anything but a clear negative in a denying variable denies.
pub(crate) fn ask(env: &Env, app: &str) -> Result<Granted, String> {
    let prefix = variable_prefix(app);
    for name in ["DO_NOT_TRACK".to_owned(), format!("{prefix}_TELEMETRY_DISABLED")] {
        if env.get(&name).is_some_and(|value| !is_no(value.to_str()) && !value.is_empty()) {
            return Err(name);
        }
    }
    let name = format!("{prefix}_TELEMETRY");
    match env.get(&name) {
        Some(value) if !value.is_empty() && !is_yes(value.to_str()) => Err(name),
        _ => Ok(Granted::new()),
    }
}

fn is_no(value: Option<&str>) -> bool {
    value.is_some_and(|value| {
        let value = value.trim().to_ascii_lowercase();
        matches!(value.as_str(), "" | "0" | "false" | "no" | "off" | "n" | "f")
    })
}

fn is_yes(value: Option<&str>) -> bool {
    value.is_some_and(|value| {
        let value = value.trim().to_ascii_lowercase();
        matches!(value.as_str(), "" | "1" | "true" | "yes" | "on" | "y" | "t")
    })
}
