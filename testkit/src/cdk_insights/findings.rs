//! The findings of a scan, and the baseline that it is compared with.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use candor::{Histogram, Timestamp};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::events::{Rule, Severities};

pub const BASELINE: &str = ".cdk-insights-baseline.json";

/// One finding, including details that stay on this machine.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    pub rule: String,
    pub severity: Severity,
    pub resource_type: String,
    /// Where it was found: a name, a path or an ARN.
    pub resource: String,
    /// Whether it is about a secret in the code, so only the developer may see it.
    #[serde(default)]
    pub is_sensitive: bool,
    /// Whether it has a fix.
    #[serde(default)]
    pub has_fix: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Severity {
    Critical,
    High,
    Medium,
    Low,
}

/// The contents of a committed baseline.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Baseline {
    generated_at: String,
    fingerprints: BTreeSet<String>,
}

impl Finding {
    /// Returns what identifies the finding, including its place.
    pub fn fingerprint(&self) -> String {
        format!("{}@{}", self.rule, self.resource)
    }
}

impl Baseline {
    pub fn of(findings: &[Finding]) -> Self {
        let now = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
        Self { generated_at: now, fingerprints: findings.iter().map(Finding::fingerprint).collect() }
    }

    pub fn read(dir: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(dir.join(BASELINE)).ok()?).ok()
    }

    pub fn write(&self, dir: &Path) -> Result<(), String> {
        let text = serde_json::to_string_pretty(self).map_err(|error| error.to_string())?;
        fs::write(dir.join(BASELINE), text)
            .map_err(|error| format!("{BASELINE} could not be written: {error}"))
    }

    pub fn size(&self) -> u64 {
        self.fingerprints.len() as u64
    }

    pub fn holds(&self, finding: &Finding) -> bool {
        self.fingerprints.contains(&finding.fingerprint())
    }

    pub fn generated_at(&self) -> Option<Timestamp> {
        OffsetDateTime::parse(&self.generated_at, &Rfc3339).ok().map(Timestamp::from)
    }
}

/// Scans the project. Sensitive findings are excluded from everything that could be sent.
pub fn scan(dir: &Path) -> Vec<Finding> {
    let text = fs::read_to_string(dir.join("findings.json")).unwrap_or_else(|_| SAMPLE.to_owned());
    let all: Vec<Finding> = serde_json::from_str(&text).unwrap_or_default();
    all.into_iter().filter(|finding| !finding.is_sensitive).collect()
}

/// Counts findings by severity.
pub fn severities<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Severities {
    let mut counts = Severities::default();
    for finding in findings {
        match finding.severity {
            Severity::Critical => counts.critical += 1,
            Severity::High => counts.high += 1,
            Severity::Medium => counts.medium += 1,
            Severity::Low => counts.low += 1,
        }
    }
    counts
}

/// Counts findings by rule; custom rules are dropped.
pub fn by_rule<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Histogram<Rule<'static>> {
    let mut rules = Histogram::new();
    for finding in findings {
        rules.count_text(&finding.rule, 1);
    }
    rules
}

/// Counts the different services in types such as `AWS::S3::Bucket`.
pub fn services<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> u64 {
    let service = |finding: &'f Finding| finding.resource_type.strip_prefix("AWS::")?.split("::").next();
    findings.into_iter().filter_map(service).collect::<BTreeSet<_>>().len() as u64
}

const SAMPLE: &str = r#"[
    {"rule": "AwsSolutions-S10", "severity": "HIGH", "resourceType": "AWS::S3::Bucket",
     "resource": "stacks/Shop/customer-invoices", "hasFix": true},
    {"rule": "AwsSolutions-S10", "severity": "HIGH", "resourceType": "AWS::S3::Bucket",
     "resource": "stacks/Shop/exports"},
    {"rule": "CDKI-S3-ENCRYPTION", "severity": "CRITICAL", "resourceType": "AWS::S3::Bucket",
     "resource": "arn:aws:s3:::exports-123456789012", "hasFix": true},
    {"rule": "AwsSolutions-DDB3", "severity": "LOW", "resourceType": "AWS::DynamoDB::Table",
     "resource": "stacks/Shop/orders", "hasFix": true},
    {"rule": "acme-internal-rule", "severity": "MEDIUM", "resourceType": "AWS::IAM::Role",
     "resource": "stacks/Shop/acme-admin"},
    {"rule": "CDKI-HARDCODED-SECRET", "severity": "CRITICAL", "resourceType": "AWS::Lambda::Function",
     "resource": "lib/payment.ts:12", "isSensitive": true}
]"#;
