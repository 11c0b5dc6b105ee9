//! The typed record that cilock sends. It contains no argument, path, digest, key, subject or message.

use std::time::Duration;

use candor::cli::Outcome;
use candor::consent::{CiProvider, Projection};
use candor::schema::ClosedLabel;
use candor::{Event, Label};
use uuid::Uuid;

/// A run of the command line ended.
///
/// Shows which commands are used, where they fail, and on which platforms, so work goes where it helps.
#[derive(Event)]
#[event(name = "cli_run", no_groups)]
pub struct CliRun<'a> {
    /// When the run ended, in milliseconds since 1970.
    pub ts: u64,
    /// The organisation that is signed in.
    #[event(
        distinct_id,
        property,
        raw = "the platform's id of the organisation that owns the account",
        pattern = "[A-Za-z0-9_-]+",
        max = 64
    )]
    pub account: &'a str,
    /// Who is signed in.
    #[event(
        raw = "the platform's opaque id, which is neither a name nor an address",
        pattern = "[A-Za-z0-9_-]+",
        max = 64
    )]
    pub user_ref: Option<&'a str>,
    /// The id of the run.
    #[event(
        raw = "a random number that is created for each run and not stored",
        pattern = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        max = 36
    )]
    pub run_id: Uuid,
    /// The version of cilock.
    #[event(pattern = r"v[0-9]+\.[0-9]+\.[0-9]+", max = 24)]
    pub cli_version: &'a str,
    /// The operating system, by Go's name for it.
    pub os: Os,
    /// The processor, by Go's name for it.
    pub arch: Arch,
    /// The toolchain that built the program.
    #[event(pattern = r"(go|rust)[0-9]+(\.[0-9]+)*", max = 24)]
    pub go_version: &'a str,
    /// The verb, without its arguments.
    pub command: Command,
    /// The kinds of attestors that were requested.
    #[event(items = 32)]
    pub attestors: Vec<Attestor>,
    /// The kind of signer.
    pub signer_type: Option<SignerType>,
    /// Whether the run was in continuous integration.
    #[event(as_number)]
    pub ci: bool,
    /// The provider of continuous integration.
    pub ci_provider: Ci,
    /// How the run ended.
    pub outcome: Outcome,
    /// The kind of error.
    pub error_category: Option<ErrorCategory>,
    /// The duration of the run.
    #[event(rename = "duration_ms")]
    pub duration: Duration,
}

/// An operating system, by Go's name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Label)]
pub enum Os {
    /// macOS.
    Darwin,
    /// Linux.
    Linux,
    /// Windows.
    Windows,
    /// `FreeBSD`.
    Freebsd,
    /// Any other.
    #[label(other)]
    Other,
}

impl Os {
    /// Converts Rust's name.
    pub fn of(os: &str) -> Self {
        let name = if os == "macos" { "darwin" } else { os };
        Self::from_label(name).unwrap_or(Self::Other)
    }
}

/// A processor, by Go's name for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Label)]
pub enum Arch {
    /// 64 bits, of Intel and AMD.
    Amd64,
    /// 64 bits, of Arm.
    Arm64,
    /// 32 bits, of Intel and AMD.
    #[label(name = "386")]
    I386,
    /// 32 bits, of Arm.
    Arm,
    /// Any other.
    #[label(other)]
    Other,
}

impl Arch {
    /// Converts Rust's name.
    pub fn of(arch: &str) -> Self {
        let name = match arch {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            "x86" => "386",
            other => other,
        };
        Self::from_label(name).unwrap_or(Self::Other)
    }
}

/// A verb of the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Label)]
pub enum Command {
    /// Run a command and attest what it did.
    Run,
    /// Sign an artifact.
    Sign,
    /// Verify an artifact against a policy.
    Verify,
    /// Anything else.
    #[label(other)]
    Other,
}

/// A kind of attestor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Label)]
#[label(rename_all = "lowercase")]
pub enum Attestor {
    /// The state of the repository.
    Git,
    /// The command that was run.
    CommandRun,
    /// The bill of materials.
    Sbom,
    /// The files before the command.
    Material,
    /// The files after the command.
    Product,
    /// The environment of the run.
    Environment,
    /// The build.
    Slsa,
}

/// A kind of signer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Label)]
pub enum SignerType {
    /// A short-lived certificate.
    Fulcio,
    /// A key in a vault.
    Kms,
    /// A key in a file.
    File,
    /// A workload's identity.
    Spiffe,
}

/// A provider of continuous integration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Label)]
pub enum Ci {
    /// GitHub Actions.
    GithubActions,
    /// GitLab CI.
    Gitlab,
    /// Jenkins.
    Jenkins,
    /// `CircleCI`.
    Circleci,
    /// None.
    Local,
    /// Any other.
    Unknown,
}

impl Ci {
    /// Returns the published label of a provider.
    pub fn of(detected: Option<CiProvider>) -> Self {
        *Projection::new(Self::Local, Self::Unknown)
            .map(CiProvider::GithubActions, Self::GithubActions)
            .map(CiProvider::Gitlab, Self::Gitlab)
            .map(CiProvider::Jenkins, Self::Jenkins)
            .map(CiProvider::Circleci, Self::Circleci)
            .of(detected)
    }
}

/// A kind of error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Label)]
pub enum ErrorCategory {
    /// The command line or a settings file.
    Config,
    /// The session.
    Auth,
    /// Creating a signature.
    Signing,
    /// Checking a signature.
    Verification,
    /// A refusal by the policy.
    Policy,
    /// The network.
    Network,
    /// The program itself.
    Internal,
}
