//! The spool: events on disk, which survive the process. The directory is its only state.

mod bucket;
mod checksum;
mod disk;
mod file;
mod journal;
mod locked;
mod name;
mod plan;
mod purge;
#[cfg(test)]
mod scratch;

use std::fmt::Write;
use std::path::{Path, PathBuf};

pub(crate) use bucket::{Bucket, Lock, Unreadable};
use file::Contents;
pub(crate) use file::{Events, Provenance};
pub(crate) use journal::{FileLimits, Journal};
pub(crate) use locked::LockedFile;
pub(crate) use name::FileName;
pub(crate) use plan::{Caps, POISON, excess, plan};
pub(crate) use purge::{Purged, purge_all, purge_bucket, sweep_others};
#[cfg(test)]
#[cfg_attr(
    not(feature = "spool"),
    allow(unused_imports, reason = "the tests of the files need the feature")
)]
pub(crate) use scratch::Scratch;

/// Returns the name of the bucket for an endpoint, a protocol, an account and a grant: 16 hexadecimal digits.
///
/// If one of them differs, so does the bucket, so events captured under one are never sent under another.
pub(crate) fn bucket_name(origin: &str, protocol: &str, account: &str, grant: &str) -> String {
    let mut hash = hmac_sha256::Hash::new();
    for part in [origin, protocol, account, grant] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let mut name = String::new();
    for byte in hash.finalize().iter().take(8) {
        let _ = write!(name, "{byte:02x}");
    }
    name
}

/// Lists the files that wait in a bucket, or in all buckets of a spool's directory. Opens no file.
pub(crate) fn list(dir: &Path) -> Vec<FileName> {
    let entries = |dir: &Path| std::fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
    let names = |dir: &Path| {
        entries(dir).filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect::<Vec<FileName>>()
    };
    let mut found = names(dir);
    found.extend(
        entries(dir)
            .filter(|entry| purge::is_bucket_name(&entry.file_name()))
            .flat_map(|entry| names(&entry.path())),
    );
    found.sort_unstable();
    found
}

/// Returns whether a bucket has files of events, finished or left open by a process. Opens no file.
pub(crate) fn holds_events(bucket: &Path) -> bool {
    let entries = std::fs::read_dir(bucket).into_iter().flatten().filter_map(Result::ok);
    entries
        .filter_map(|entry| entry.file_name().into_string().ok())
        .any(|name| matches!(name::Entry::of(&name), name::Entry::Events(_) | name::Entry::Open))
}

/// Returns the events that wait in a spool's directory, oldest first. Changes nothing, and leaves out unreadable files.
pub(crate) fn waiting_events(dir: &Path) -> Vec<Vec<u8>> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().filter_map(Result::ok);
    let buckets = entries.filter(|entry| purge::is_bucket_name(&entry.file_name())).map(|entry| entry.path());
    let mut files: Vec<(FileName, PathBuf)> = buckets
        .flat_map(|bucket| list(&bucket).into_iter().map(move |name| (name, bucket.clone())))
        .collect();
    files.sort_unstable();
    let contents = files.into_iter().filter_map(|(name, bucket)| {
        let file = disk::open(&bucket.join(name.to_string())).ok()?;
        Contents::parse(disk::read(&file, MAX_FILE).ok()?).ok()
    });
    contents.flat_map(|file| file.events().map(|(_, event)| event.to_vec()).collect::<Vec<_>>()).collect()
}

/// The maximum size of a file that is shown to people: the largest that the settings allow, and its header.
const MAX_FILE: u64 = 17 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::bucket_name;

    #[test]
    fn each_endpoint_protocol_account_and_grant_has_its_own_bucket() {
        let base = ["https://t.example.com", "v0", "phc_1", "user 2026-01-01"];
        let name = |parts: [&str; 4]| bucket_name(parts[0], parts[1], parts[2], parts[3]);
        assert_eq!(name(base), name(base));
        assert!(name(base).len() == 16 && name(base).bytes().all(|byte| byte.is_ascii_hexdigit()));
        for part in 0..4 {
            let mut other = base;
            other[part] = "other";
            assert_ne!(name(base), name(other), "{part}");
        }
        assert_ne!(name(["a", "bc", "", ""]), name(["ab", "c", "", ""]));
    }
}
