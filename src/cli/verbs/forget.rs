//! `telemetry forget`: deletes the data kept on this machine, except the answer.

use std::fs;
use std::io;
use std::path::Path;

use super::said::{Said, counted};
use crate::catalogue::Catalogue;
use crate::cli::kit::Kit;
use crate::cli::screen::Screen;
use crate::queue::spool::{Purged, list, purge_all};

pub(super) fn run(kit: &Kit, screen: Screen) -> Said {
    let (mut out, mut complaint, mut deleted) = (String::new(), String::new(), false);
    let log = kit.log_file();
    for path in log.iter().map(AsRef::as_ref).chain(kit.own_files()) {
        match remove(path) {
            Ok(true) => {
                deleted = true;
                screen.paragraph(&mut out, "", &format!("Deleted {}.", path.display()));
            }
            Ok(false) => {}
            Err(error) => {
                let text = format!("{} could not be deleted: {error}.", path.display());
                screen.paragraph(&mut complaint, "", &text);
            }
        }
    }
    if let Some(dir) = kit.spool_dir().filter(|dir| dir.exists()) {
        let waiting = list(&dir).iter().map(|file| u64::from(file.events)).sum();
        match purge_all(&dir).and_then(Purged::remove) {
            Ok(()) => {
                deleted = true;
                let text = format!("Deleted {} waiting in {}.", counted(waiting, "event"), dir.display());
                screen.paragraph(&mut out, "", &text);
            }
            Err(error) => {
                let text = format!("{} could not be deleted: {error}.", dir.display());
                screen.paragraph(&mut complaint, "", &text);
            }
        }
    }
    if !deleted && complaint.is_empty() {
        screen.paragraph(&mut out, "", "There was nothing to delete on this machine.");
    }
    let app = kit.app();
    let answer = kit.choice_file().filter(|path| path.exists());
    if let Some(path) = answer {
        let text = format!(
            "Your answer is kept in {}; `{app} telemetry off` and `{app} telemetry on` change it.",
            path.display()
        );
        screen.paragraph(&mut out, "", &text);
    }
    screen.paragraph(&mut out, "", "This does not delete events that were already sent.");
    if let Some(retention) = kit.catalogue().and_then(Catalogue::retention_text) {
        screen.paragraph(&mut out, "", retention);
    }
    let code = u8::from(!complaint.is_empty());
    Said { complaint, code, ..Said::text(out) }
}

/// Deletes a file; returns whether it existed. Of a link, only the link is deleted.
fn remove(path: &Path) -> io::Result<bool> {
    match fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => Ok(false),
        Err(error) => Err(error),
    }
}
