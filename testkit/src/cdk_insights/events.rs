//! The three typed events of CDK Insights, and the properties around them.

use candor::{Event, Histogram, Label, Properties, Timestamp};

/// The properties that are sent with every event.
#[derive(Properties)]
#[properties(rename_all = "camelCase")]
pub struct Envelope<'a> {
    /// The kind of licence.
    pub tier: Tier,
    /// The version of the tool.
    #[event(pattern = r"[0-9]+\.[0-9]+\.[0-9]+(-[a-z0-9.]+)?", max = 24)]
    pub cli_version: &'a str,
    /// The family of operating systems.
    pub platform: Platform,
}

/// The kind of licence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Label)]
pub enum Tier {
    /// Free of charge.
    Free,
    /// For one person.
    Pro,
    /// For a team.
    Team,
    /// For a limited time.
    Trial,
}

/// A family of operating systems, by the names of Node.js.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Label)]
pub enum Platform {
    /// macOS.
    Darwin,
    /// Linux.
    Linux,
    /// Windows.
    Win32,
}

impl Platform {
    /// Returns the family of an operating system from Rust's name for it.
    pub fn of(os: &str) -> Option<Self> {
        match os {
            "macos" => Some(Self::Darwin),
            "linux" => Some(Self::Linux),
            "windows" => Some(Self::Win32),
            _ => None,
        }
    }
}

/// The name of one of our rules; the name of a custom rule is dropped.
#[derive(Label)]
#[label(pattern = "AwsSolutions-[A-Z0-9]+|CDKI-[A-Z0-9-]+", max = 40)]
pub struct Rule<'a>(pub &'a str);

/// How many findings there are of each severity.
#[derive(Debug, Default, PartialEq, Eq, Properties)]
#[properties(rename_all = "SCREAMING_SNAKE_CASE")]
pub struct Severities {
    /// Critical ones.
    pub critical: u64,
    /// High ones.
    pub high: u64,
    /// Medium ones.
    pub medium: u64,
    /// Low ones.
    pub low: u64,
}

/// A baseline was written.
///
/// Shows which rules fire most often, and how large a typical baseline is.
#[derive(Event)]
#[event(name = "baseline_written", rename_all = "camelCase")]
pub struct BaselineWritten<'a> {
    /// The licence: the first 32 digits of its hash.
    #[event(distinct_id, hashed_hex = 32)]
    pub hashed_license_id: &'a str,
    /// The number of fingerprints written.
    pub total_findings: u64,
    /// The number of findings of each severity.
    pub severity_counts: Severities,
    /// How often each rule fired.
    pub rule_histogram: Histogram<Rule<'static>>,
    /// The number of different AWS services with findings.
    pub unique_services: u64,
}

/// A scan was compared with the baseline.
///
/// Shows whether the ratchet works: how often runs fail on new critical findings, and how old baselines get.
#[derive(Event)]
#[event(name = "diff_run", rename_all = "camelCase")]
pub struct DiffRun<'a> {
    /// The licence: the first 32 digits of its hash.
    #[event(distinct_id, hashed_hex = 32)]
    pub hashed_license_id: &'a str,
    /// The number of new findings since the baseline.
    pub new_findings: u64,
    /// The number of findings that the baseline suppresses.
    pub existing_suppressed: u64,
    /// The number of new findings of each severity.
    pub new_severities: Severities,
    /// When the baseline was written.
    pub baseline_generated_at: Option<Timestamp>,
    /// Whether the run ended with exit code 1.
    pub failed_on_critical: bool,
}

/// Findings were fixed, or would be in a dry run.
///
/// Shows which fixes are applied, and which are skipped.
#[derive(Event)]
#[event(name = "fix_run", rename_all = "camelCase")]
pub struct FixRun<'a> {
    /// The licence: the first 32 digits of its hash.
    #[event(distinct_id, hashed_hex = 32)]
    pub hashed_license_id: &'a str,
    /// Whether anything was written.
    pub mode: Mode,
    /// The number of findings that were fixed.
    pub applied: u64,
    /// The number of findings without a fix.
    pub skipped: u64,
    /// The number of fixes that failed.
    pub errored: u64,
    /// The number of fixed findings of each rule.
    pub rules_fixed: Histogram<Rule<'static>>,
    /// The rule that was requested, if it is one of ours.
    #[event(label = Rule<'static>)]
    pub rule_filter: Option<&'a str>,
}

/// Whether anything is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Label)]
#[label(rename_all = "kebab-case")]
pub enum Mode {
    /// Nothing is written.
    DryRun,
    /// Fixes are written.
    Apply,
}
