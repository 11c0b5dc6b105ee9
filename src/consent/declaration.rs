//! What the application declares about consent, as plain data.
//!
//! Never decides, and never reads a file or a variable.

use crate::consent::account::Account;
use std::path::PathBuf;

/// The rule by which silence is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Mode {
    /// Nothing is sent until somebody who may grant has said yes.
    #[default]
    OptIn,
    /// Events are sent after notice was given, until somebody says no.
    OptOut,
    /// Like [`OptOut`](Self::OptOut), and only while a session is present.
    Session,
}

/// How people are told before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// The notice stands in documentation that whoever installs the software reads: right for servers.
    Documented {
        /// Where it stands.
        url: String,
    },
    /// The notice is shown by the program itself. The run that shows it sends nothing, and later runs send
    /// only if the receipt is on disk.
    Shown {
        /// The words that are shown.
        text: String,
    },
}

impl Notice {
    /// Declares that the notice stands at an address.
    pub fn documented(url: impl Into<String>) -> Self {
        Self::Documented { url: url.into() }
    }

    /// Declares that the program shows these words by itself, and records the receipt when it has.
    pub fn shown(text: impl Into<String>) -> Self {
        Self::Shown { text: text.into() }
    }
}

/// Whose answer counts as a grant; each of them may deny in any case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Subject {
    /// The person at the machine, by the stored choice. The default.
    User,
    /// The project, by its committed file.
    Project,
    /// The account or organisation, by its toggle.
    Account,
}

/// What happens in continuous integration, if nobody is there to see a notice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CiPolicy {
    /// Off, unless the project, the account, the session, the machine's policy or a variable grants explicitly.
    #[default]
    Deny,
    /// The same rules as everywhere else.
    Allow,
}

/// The application's declaration: the mode, the sources, and the facts that only the application knows.
///
/// Every source may deny, and one no wins whatever the order. Files are read at most once for a decision, and never
/// beyond 64 KiB. The format follows from the name: `.json`, `.toml`, `.yml` or `.yaml`.
///
/// Paths are made absolute once, when the client is made or the [status](crate::status()) is asked for: a program that
/// changes its directory keeps hearing the same files. A relative path denies while the working directory is gone. An
/// empty path declares that there is no such file.
///
/// A no is believed wherever it is found. A yes is believed, and written, only where nobody else can have put it: in a
/// file that is not a symbolic link, in a directory that not everybody may write and, except for the project's, that is
/// not a link either. The deployment's file, and the machine's policy as long as it does not grant, may be
/// reached through links, as in a Kubernetes `ConfigMap`, if what they lead to is a regular file. A file that is there
/// and cannot be read denies.
///
/// ```
/// use candor::{Consent, Notice};
///
/// let consent = Consent::opt_out(Notice::documented("https://example.com/telemetry"))
///     .deny_env("CF_ANALYTICS_DISABLED")
///     .deployment_file("/etc/granted/deployment.yml");
/// # drop(consent);
/// ```
#[derive(Clone, Debug)]
pub struct Consent {
    pub(crate) mode: Mode,
    pub(crate) notice: Option<Notice>,
    pub(crate) notice_version: u32,
    pub(crate) deny_env: Vec<String>,
    pub(crate) telemetry_env: Vec<String>,
    pub(crate) env_may_grant: bool,
    pub(crate) no_telemetry_flag: bool,
    pub(crate) policy_file: Option<PathBuf>,
    pub(crate) deployment_file: Option<PathBuf>,
    pub(crate) deployment_keys: (String, String),
    pub(crate) project_file: Option<PathBuf>,
    pub(crate) project_key: String,
    pub(crate) state_dir: Option<PathBuf>,
    pub(crate) account: Option<Account>,
    pub(crate) session: Option<bool>,
    pub(crate) license_key: Option<bool>,
    pub(crate) subjects: Vec<Subject>,
    pub(crate) ci: CiPolicy,
    pub(crate) non_release_build: bool,
    pub(crate) catalogue: Option<String>,
}

impl Default for Consent {
    fn default() -> Self {
        Self::opt_in()
    }
}

impl Consent {
    /// Declares that nothing is sent until somebody who may grant has said yes. The default.
    pub fn opt_in() -> Self {
        Self::new(Mode::OptIn, None)
    }

    /// Declares that events are sent after notice was given, until somebody says no.
    pub fn opt_out(notice: Notice) -> Self {
        Self::new(Mode::OptOut, Some(notice))
    }

    /// Declares that events are sent while a session is present, until somebody says no.
    ///
    /// The terms of the session are the notice; [`notice`](Self::notice) asks for one beside them.
    pub fn session() -> Self {
        Self::new(Mode::Session, None)
    }

    /// Sets how people are told before anything is sent.
    #[must_use]
    pub fn notice(mut self, notice: Notice) -> Self {
        self.notice = Some(notice);
        self
    }

    /// Sets the version of the notice, 1 by default. A new version ends grants and receipts, never a refusal.
    #[must_use]
    pub fn notice_version(mut self, version: u32) -> Self {
        self.notice_version = version;
        self
    }

    /// Adds a variable that denies when it is set to yes, or to anything that cannot be read.
    ///
    /// Any number of names. Once shipped, a name should stay: somebody relies on it.
    #[must_use]
    pub fn deny_env(mut self, name: impl Into<String>) -> Self {
        self.deny_env.push(name.into());
        self
    }

    /// Adds a variable that denies when it is set to no, `disabled`, or to anything that cannot be read.
    ///
    /// It reads like `<APP>_TELEMETRY`, which is always read.
    #[must_use]
    pub fn telemetry_env(mut self, name: impl Into<String>) -> Self {
        self.telemetry_env.push(name.into());
        self
    }

    /// Sets whether `<APP>_TELEMETRY=1` grants, for this process alone. The default is no.
    #[must_use]
    pub fn env_may_grant(mut self, may: bool) -> Self {
        self.env_may_grant = may;
        self
    }

    /// Returns whether the application was called with its `--no-telemetry` flag.
    #[must_use]
    pub fn no_telemetry_flag(mut self, given: bool) -> Self {
        self.no_telemetry_flag = given;
        self
    }

    /// Sets the path of the machine's policy.
    ///
    /// The default is `/etc/<app>/telemetry.toml`, `/Library/Application Support/<app>/telemetry.toml` or
    /// `%ProgramData%\<app>\telemetry.toml`. Its keys, bare or in a table `telemetry`: `enabled = false` or
    /// `disabled = true` deny, `managed_grant = true` grants. Any other key denies, as it may be one of these misspelt.
    #[must_use]
    pub fn policy_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.policy_file = Some(path.into());
        self
    }

    /// Adds a file of deployment parameters, YAML unless its name says otherwise. It can only say no.
    ///
    /// ```yaml
    /// deployment:
    ///   parameters:
    ///     AnalyticsDisabled: "true"
    /// ```
    ///
    /// The way to the key may also be written as one dotted name. A key that nearly is this one counts as a no that
    /// was misspelt, whatever its value: one of which each part differs by case or by at most two letters (by one
    /// where the part has three to five, by none if it has fewer), such as `AnalyticDisabled` or `parameter`. A
    /// key further away is another key and says nothing, except for a no that is plain: the opposite name with the
    /// opposite value (`AnalyticsEnabled: "false"`), and the last name of the key with a part of the way missing.
    /// Each denies with a line in the log that names the key.
    #[must_use]
    pub fn deployment_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.deployment_file = Some(path.into());
        self
    }

    /// Sets the dotted keys of the deployment parameters.
    ///
    /// The defaults are `deployment.parameters.AnalyticsDisabled` and `deployment.parameters.AnalyticsLogLevel`.
    #[must_use]
    pub fn deployment_keys(mut self, disabled: impl Into<String>, log_level: impl Into<String>) -> Self {
        self.deployment_keys = (disabled.into(), log_level.into());
        self
    }

    /// Adds a project's committed file, JSON unless its name says otherwise.
    ///
    /// Misspelt keys count as for the [deployment's file](Self::deployment_file); a part of the way may not be missing.
    #[must_use]
    pub fn project_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.project_file = Some(path.into());
        self
    }

    /// Sets the dotted key of the project file, `telemetry.enabled` by default.
    #[must_use]
    pub fn project_key(mut self, key: impl Into<String>) -> Self {
        self.project_key = key.into();
        self
    }

    /// Sets the directory of the user's choice and the receipt of the notice.
    ///
    /// The default is `<app>` in `$XDG_STATE_HOME` or `~/.local/state`, `~/Library/Application Support`, or
    /// `%LOCALAPPDATA%`.
    #[must_use]
    pub fn state_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.state_dir = Some(path.into());
        self
    }

    /// Describes what the account's toggle says.
    #[must_use]
    pub fn account(mut self, account: Account) -> Self {
        self.account = Some(account);
        self
    }

    /// Returns whether a session is there. Saying it makes the session a precondition in every mode.
    #[must_use]
    pub fn session_present(mut self, present: bool) -> Self {
        self.session = Some(present);
        self
    }

    /// Returns whether a licence key is there. Saying it makes the key a precondition.
    #[must_use]
    pub fn license_key_present(mut self, present: bool) -> Self {
        self.license_key = Some(present);
        self
    }

    /// Adds somebody whose answer counts as a grant. Where nobody was added, it is the user.
    #[must_use]
    pub fn subject(mut self, subject: Subject) -> Self {
        self.subjects.push(subject);
        self
    }

    /// Sets what happens in continuous integration.
    #[must_use]
    pub fn ci_policy(mut self, policy: CiPolicy) -> Self {
        self.ci = policy;
        self
    }

    /// Declares that this is a build under development or a test, from which nothing is to be sent.
    #[must_use]
    pub fn non_release_build(mut self, yes: bool) -> Self {
        self.non_release_build = yes;
        self
    }

    /// Sets the fingerprint of the catalogue. A grant that was given for another one has ended; a refusal has not.
    #[must_use]
    pub fn catalogue(mut self, fingerprint: impl Into<String>) -> Self {
        self.catalogue = Some(fingerprint.into());
        self
    }

    /// Creates the paths absolute, so that the gate hears the same files when the program changes its directory. One
    /// that cannot be made so stays as it is, and the gate takes it for a file that it cannot read.
    pub(crate) fn with_absolute_paths(mut self) -> Self {
        let paths =
            [&mut self.policy_file, &mut self.deployment_file, &mut self.project_file, &mut self.state_dir];
        for path in paths.into_iter().flatten() {
            if let Ok(absolute) = std::path::absolute(&*path) {
                *path = absolute;
            }
        }
        self
    }

    /// Returns whether a session must be there.
    pub(crate) fn needs_session(&self) -> bool {
        self.mode == Mode::Session || self.session.is_some()
    }

    pub(crate) fn may_grant(&self, subject: Subject) -> bool {
        if self.subjects.is_empty() { subject == Subject::User } else { self.subjects.contains(&subject) }
    }

    fn new(mode: Mode, notice: Option<Notice>) -> Self {
        Self {
            mode,
            notice,
            notice_version: 1,
            deny_env: Vec::new(),
            telemetry_env: Vec::new(),
            env_may_grant: false,
            no_telemetry_flag: false,
            policy_file: None,
            deployment_file: None,
            deployment_keys: (
                "deployment.parameters.AnalyticsDisabled".into(),
                "deployment.parameters.AnalyticsLogLevel".into(),
            ),
            project_file: None,
            project_key: "telemetry.enabled".into(),
            state_dir: None,
            account: None,
            session: None,
            license_key: None,
            subjects: Vec::new(),
            ci: CiPolicy::default(),
            non_release_build: false,
            catalogue: None,
        }
    }
}
