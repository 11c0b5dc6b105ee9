//! Tests of the gate.
//!
//! They never read the environment of the process.

mod ci;
mod decide;
mod properties;
mod storage;
mod switch;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::inputs::{Facts, Inputs};
use crate::consent::declaration::{Consent, Notice};
use crate::settings::Env;

/// A day in 2026.
const NOW: u64 = 1_790_000_000;

const ENDPOINT: &str = "https://t.example.com";

fn facts(consent: Consent) -> Facts {
    Facts::new("my-tool", consent, Some(ENDPOINT.into()))
}

fn inputs(consent: Consent) -> Inputs {
    Inputs::new(facts(consent), Env::empty(), NOW)
}

fn documented() -> Consent {
    Consent::opt_out(Notice::documented("https://example.com/telemetry"))
}

/// A directory for one test, deleted when dropped.
pub(super) struct Scratch {
    path: PathBuf,
}

impl Scratch {
    pub(super) fn new() -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("candor-consent-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self { path }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.path);
    }
}
