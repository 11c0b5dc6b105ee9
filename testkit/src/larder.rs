//! The events and the catalogue of Larder, a fictional backup tool, with every kind of field at least once.

use std::collections::BTreeMap;
use std::time::Duration;

use candor::{Catalogue, Count, Event, Hashed, Histogram, Label, Properties, Timestamp};

/// Everything that Larder sends.
pub const CATALOGUE: Catalogue = candor::events![BackupFinished, BackupFailed, NewVersionFound]
    .super_properties::<Build>()
    .groups(&[("installation", "a random id created at installation, so installations can be counted")])
    .product("Larder")
    .endpoint("https://t.larder.example")
    .recipients(&[
        ("PostHog Inc. (EU cloud)", "stores the events"),
        ("Larder's makers", "read the statistics"),
    ])
    .retention("Events are deleted after 365 days.")
    .turn_off(&["Set `LARDER_TELEMETRY=0` or `DO_NOT_TRACK=1`.", "Run `larder telemetry off`."])
    .link("https://larder.example/telemetry")
    .notice_version(1);

/// A backup succeeded.
///
/// Shows how large backups are and how long they take, so we can work on what is slow.
#[derive(Event)]
#[event(name = "backup finished", since = "1.0", link = "https://larder.example/telemetry#backup")]
pub struct BackupFinished<'a> {
    /// The owner of the backup.
    #[event(distinct_id, property, hashed = "usr", example = "ada")]
    pub owned_by: &'a str,
    /// The licence, so customers can be counted.
    #[event(hashed_hex = 32, example = "LARDER-1234")]
    pub license: &'a str,
    /// The storage that holds the backup. Its pseudonym changes every 30 days.
    #[event(keyed = "sto", example = "s3://bucket")]
    pub storage_id: Option<&'a str>,
    /// Why the backup was made.
    pub trigger: Trigger,
    /// The kind of storage.
    #[event(label = Storage)]
    pub storage: &'a str,
    /// The plan of the backup, if it is one of ours.
    #[event(pattern = "[a-z]+(-[a-z]+)*", max = 24, other = "own", example = "daily-small")]
    pub plan: &'a str,
    /// The version of the storage's protocol.
    #[event(pattern = r"v[0-9]+\.[0-9]+", max = 8)]
    pub protocol: Option<&'a str>,
    /// The id of the backup's request to the server.
    #[event(
        raw = "joins the events of one backup; it is random and has no other meaning",
        max = 40,
        example = "req_123"
    )]
    pub request_id: &'a str,
    /// The compression methods that were used.
    #[event(items = 4)]
    pub methods: &'a [Method],
    /// The plug-ins that were used.
    #[event(items = 8, pattern = "larder/[a-z-]+@v[0-9]+", max = 40, example = "larder/zip@v1")]
    pub plugins: &'a [&'a str],
    /// The number of files.
    #[event(buckets = [1, 100, 10000, 1000000], since = "1.1")]
    pub files: u64,
    /// The number of bytes read.
    pub bytes: u64,
    /// The size of the backup relative to the bytes read.
    pub ratio: Option<f64>,
    /// The duration of the backup.
    pub elapsed_ms: Duration,
    /// How long the backup waited before it started.
    #[event(buckets = [1, 60, 3600])]
    pub waited_seconds: Duration,
    /// Whether the backup ran in continuous integration.
    #[event(as_number)]
    pub ci: bool,
    /// Whether the backup was encrypted.
    pub encrypted: bool,
    /// The time of the previous backup.
    pub previous_at: Option<Timestamp>,
    /// Who else may read the backup.
    #[event(items = 3)]
    pub readers: &'a [Hashed],
    /// What was found during the backup.
    pub findings: Findings,
}

/// An error ended a backup.
#[derive(Event)]
#[event(
    name = "backup failed",
    purpose = "error",
    distinct_id = "larder",
    why = "Shows what we should fix first."
)]
pub struct BackupFailed {
    /// The kind of error. Its message is never sent.
    pub category: Category,
    /// The number of attempts.
    pub attempts: Count,
}

/// A newer version was found.
#[derive(Event)]
#[event(name = "new version found", purpose = "update_check", distinct_id = "larder", no_groups)]
pub struct NewVersionFound {
    /// How many versions the program is behind.
    pub behind: u8,
}

/// Facts about the program, sent with every event.
#[derive(Properties)]
pub struct Build {
    /// The operating system.
    pub os: System,
}

/// What was found during the backup.
#[derive(Properties)]
pub struct Findings {
    /// The number of warnings.
    pub warnings: Count,
    /// How often each rule fired.
    pub rules: Histogram<Rule<'static>>,
    /// The longest duration of each step, in milliseconds.
    pub steps_ms: BTreeMap<Step, u32>,
}

/// Why a backup was made.
#[derive(Clone, Copy, Debug, Label)]
#[label(rename_all = "kebab-case")]
pub enum Trigger {
    /// A person started it.
    ByHand,
    /// It was scheduled.
    OnSchedule,
}

/// A kind of storage.
#[derive(Clone, Copy, Debug, Label)]
pub enum Storage {
    Disk,
    S3,
    #[label(other)]
    Other,
}

/// A compression method.
#[derive(Clone, Copy, Debug, Label)]
#[label(rename_all = "UPPERCASE")]
pub enum Method {
    Gzip,
    Zstd,
}

/// A step of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Label)]
pub enum Step {
    Read,
    Write,
}

/// A kind of error.
#[derive(Clone, Copy, Debug, Label)]
pub enum Category {
    Network,
    Storage,
    #[label(other)]
    Unknown,
}

/// An operating system, by the name that its users know.
#[derive(Clone, Copy, Debug, Label)]
pub enum System {
    Linux,
    #[label(name = "macOS")]
    MacOs,
    Windows,
}

/// A rule that can warn.
#[derive(Debug, Label)]
#[label(pattern = "LAR-[0-9]{3}", max = 7)]
pub struct Rule<'a>(pub &'a str);

/// Made-up events.
pub mod samples {
    use super::{BackupFinished, Duration, Findings, Histogram, Method, Rule, Step, Trigger};

    /// Returns a backup that succeeded.
    pub fn backup_finished() -> BackupFinished<'static> {
        BackupFinished {
            owned_by: "ada",
            license: "LARDER-1234",
            storage_id: None,
            trigger: Trigger::ByHand,
            storage: "disk",
            plan: "daily-small",
            protocol: Some("v1.2"),
            request_id: "req_123",
            methods: &[Method::Zstd],
            plugins: &["larder/zip@v1"],
            files: 1234,
            bytes: 987_654_321,
            ratio: Some(0.25),
            elapsed_ms: Duration::from_millis(1500),
            waited_seconds: Duration::from_secs(7),
            ci: false,
            encrypted: true,
            previous_at: None,
            readers: &[],
            findings: Findings {
                warnings: 2_u64.into(),
                rules: [(Rule("LAR-001"), 2)].into_iter().collect::<Histogram<_>>(),
                steps_ms: [(Step::Read, 900), (Step::Write, 600)].into(),
            },
        }
    }
}
