//! The events on disk: opened under a grant, described, and removed when they may no longer be kept.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::clock::Clock;
use crate::config::ClientSettings;
use crate::consent::{ConsentMonitor, SpoolStatus};
use crate::deliver::{Awaited, SpoolContext, SpoolWriter};
use crate::observe::Counters;
use crate::panic::catch_panic;
use crate::queue::spool::{self, Bucket, Provenance, Purged, bucket_name, list, purge_all};
use crate::timestamp::Timestamp;

/// Opens the bucket of a new grant; `None` if events are not to be kept on disk, or cannot be.
pub(super) fn open(
    settings: &ClientSettings,
    monitor: &ConsentMonitor,
    counters: &Arc<Counters>,
    awaited: &Arc<Awaited>,
    clock: &Clock,
) -> Option<Arc<SpoolWriter>> {
    let spool = settings.spool.clone().filter(|_| !settings.is_dry_run)?;
    let Some(BucketPlace { dir, name, grant }) = place(settings, monitor) else {
        log::debug!(target: "candor", "events are not kept on disk: there is no state directory, or this is sudo or continuous integration");
        return None;
    };
    let (notice, catalogue) = monitor.notice_and_catalogue();
    let bucket = match Bucket::create(&dir, &name, Provenance { grant, notice, catalogue }) {
        Ok(bucket) => bucket,
        Err(error) => {
            log::debug!(target: "candor", "events are not kept on disk: {error}");
            return None;
        }
    };
    let writer = Arc::new(SpoolWriter::new(SpoolContext {
        bucket: Arc::new(bucket),
        spool,
        envelope: Arc::clone(&settings.envelope),
        common: Arc::clone(&settings.capture.common),
        counters: Arc::clone(counters),
        awaited: Arc::clone(awaited),
        on_error: settings.on_error.clone(),
        clock: clock.clone(),
        batch_bytes: settings.batching.batch_bytes,
        wake_events: settings.batching.leaves_at_events(),
    }));
    // A refusal in the meantime has removed the buckets that were there, but not this one.
    if monitor.still_granted() {
        return Some(writer);
    }
    writer.purge();
    None
}

/// The place of a client's events on disk.
struct BucketPlace {
    /// The spool's directory, and the bucket's name in it.
    dir: PathBuf,
    name: String,
    grant: String,
}

/// Returns the place of events under the current grant; `None` if none may be kept.
fn place(settings: &ClientSettings, monitor: &ConsentMonitor) -> Option<BucketPlace> {
    let spool = settings.spool.as_ref()?;
    let dir = monitor.spool_dir().filter(|_| monitor.may_keep_events())?;
    let grant = monitor.decision().grant_name();
    let origin = settings.endpoint.as_ref().map_or("transport", |endpoint| endpoint.as_str());
    let origin = crate::consent::origin(origin);
    let key = settings.hide.as_ref().map_or("", |(secret, _)| secret);
    let account = format!("{key}\n{}", spool.tenant);
    let protocol = format!("{} {}", settings.protocol, settings.envelope.path());
    let name = bucket_name(&origin, &protocol, &account, &grant);
    Some(BucketPlace { dir, name, grant })
}

/// Returns whether an earlier run with these settings left events on disk. Creates nothing and opens no file.
pub(super) fn holds_events(settings: &ClientSettings, monitor: &ConsentMonitor) -> bool {
    place(settings, monitor).is_some_and(|BucketPlace { dir, name, .. }| spool::holds_events(&dir.join(name)))
}

/// Removes the events that an earlier grant left on disk, if a lasting refusal or the end of that grant forbids to keep
/// them. Does nothing unless the application keeps events on disk.
pub(super) fn finish_purge(settings: &ClientSettings, monitor: &ConsentMonitor) {
    if settings.spool.is_none() || !monitor.decision().ends_what_is_kept() {
        return;
    }
    let Some(dir) = monitor.spool_dir() else { return };
    remove(Some(purge_all(&dir)));
}

/// Removes the renamed directories of a purge.
pub(super) fn remove(purged: Option<io::Result<Purged>>) {
    if let Some(Err(error)) = purged.map(|purged| purged.and_then(Purged::remove)) {
        catch_panic(|| log::debug!(target: "candor", "events on disk could not be removed: {error}"));
    }
}

/// Describes the events on disk, from the file names alone.
pub(super) fn describe(dir: &Path) -> SpoolStatus {
    let names = list(dir);
    let oldest = names.first().and_then(|name| i64::try_from(name.created).ok());
    SpoolStatus {
        directory: dir.display().to_string(),
        files: names.len() as u64,
        events: names.iter().map(|name| u64::from(name.events)).sum(),
        bytes: names.iter().map(|name| name.bytes).sum(),
        oldest: oldest.map(|millis| Timestamp::from_unix_millis(millis).to_rfc3339()),
    }
}
