//! The application's declaration of consent.

use crate::consent::account::Account;
use std::path::PathBuf;

/// How silence is interpreted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Mode {
    /// Nothing is sent until somebody who may grant has said yes.
    #[default]
    OptIn,
    /// Events are sent once notice was given, until somebody says no.
    OptOut,
    /// Like [`OptOut`](Self::OptOut), but only while a session is present.
    Session,
}

/// How people are informed before anything is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// The notice is part of the documentation, read by whoever installs the software. Suitable for servers.
    Documented {
        /// The address of the notice.
        url: String,
    },
    /// The program shows the notice itself. The run that shows it sends nothing, and later runs send only if the
    /// receipt is on disk.
    Shown {
        /// The text to show.
        text: String,
    },
}

impl Notice {
    /// Creates a notice that is documented at an address.
    pub fn documented(url: impl Into<String>) -> Self {
        Self::Documented { url: url.into() }
    }

    /// Creates a notice that the program shows itself.
    pub fn shown(text: impl Into<String>) -> Self {
        Self::Shown { text: text.into() }
    }
}

/// Somebody who may grant. Anybody may deny, declared or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Subject {
    /// The person at the machine, through the stored choice. The default.
    User,
    /// The project, through its committed file.
    Project,
    /// The account or organisation, through its toggle.
    Account,
}

/// What happens in continuous integration, where nobody is there to see a notice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CiPolicy {
    /// Denies, unless the project, the account, the session, the machine's policy or a variable grants explicitly.
    #[default]
    Deny,
    /// Applies the same rules as everywhere else.
    Allow,
}

/// The application's declaration: the mode, the sources, and the facts that only the application knows.
///
/// Every source may deny, and one denial overrides every grant, whatever the order. Each file is read at most once
/// per decision, and denies if it is larger than 64 KiB. Its format follows from its extension: `.json`, `.toml`,
/// `.yml` or `.yaml`.
///
/// Paths are made absolute when the client is created or the [status](crate::status()) is requested, so a program
/// that changes its directory keeps reading the same files. A relative path denies if the working directory no
/// longer exists. An empty path declares that there is no such file.
///
/// A denial is trusted wherever it is found. A grant is trusted, and written, only where nobody else can have put
/// it: in a file that is not a symbolic link, in a directory that is not writable by everybody and that, except for
/// the project's, is not a link either. The deployment's file, and the machine's policy as long as it does not
/// grant, may be reached through links, as in a Kubernetes `ConfigMap`, if they lead to a regular file. A file that
/// exists but cannot be read denies.
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
    /// Creates a declaration under which nothing is sent until somebody who may grant has said yes. The default.
    pub fn opt_in() -> Self {
        Self::new(Mode::OptIn, None)
    }

    /// Creates a declaration under which events are sent once notice was given, until somebody says no.
    pub fn opt_out(notice: Notice) -> Self {
        Self::new(Mode::OptOut, Some(notice))
    }

    /// Creates a declaration under which events are sent while a session is present, until somebody says no.
    ///
    /// The terms of the session serve as the notice; call [`notice`](Self::notice) to require another one.
    pub fn session() -> Self {
        Self::new(Mode::Session, None)
    }

    /// Sets how people are informed before anything is sent.
    #[must_use]
    pub fn notice(mut self, notice: Notice) -> Self {
        self.notice = Some(notice);
        self
    }

    /// Sets the version of the notice, 1 by default. A new version ends grants and receipts, but never a refusal.
    #[must_use]
    pub fn notice_version(mut self, version: u32) -> Self {
        self.notice_version = version;
        self
    }

    /// Adds a variable that denies if its value is a yes or cannot be read.
    ///
    /// May be called several times. Once released, a name should stay, because somebody relies on it.
    #[must_use]
    pub fn deny_env(mut self, name: impl Into<String>) -> Self {
        self.deny_env.push(name.into());
        self
    }

    /// Adds a variable that denies if its value is a no, `disabled`, or cannot be read.
    ///
    /// It is read in the same way as `<APP>_TELEMETRY`, which is always read.
    #[must_use]
    pub fn telemetry_env(mut self, name: impl Into<String>) -> Self {
        self.telemetry_env.push(name.into());
        self
    }

    /// Sets whether `<APP>_TELEMETRY=1` grants, for this process only. The default is no.
    #[must_use]
    pub fn env_may_grant(mut self, may: bool) -> Self {
        self.env_may_grant = may;
        self
    }

    /// Sets whether the application was called with its `--no-telemetry` flag.
    #[must_use]
    pub fn no_telemetry_flag(mut self, given: bool) -> Self {
        self.no_telemetry_flag = given;
        self
    }

    /// Sets the path of the machine's policy file.
    ///
    /// The default is `/etc/<app>/telemetry.toml`, `/Library/Application Support/<app>/telemetry.toml` or
    /// `%ProgramData%\<app>\telemetry.toml`. These keys count, at the root or in a table `telemetry`: `enabled =
    /// false` or `disabled = true` deny, and `managed_grant = true` grants. Any other key denies, because it may be
    /// a misspelt one.
    #[must_use]
    pub fn policy_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.policy_file = Some(path.into());
        self
    }

    /// Sets the file of deployment parameters, which is YAML unless its extension says otherwise. It can only deny.
    ///
    /// ```yaml
    /// deployment:
    ///   parameters:
    ///     AnalyticsDisabled: "true"
    /// ```
    ///
    /// The path to the key may also be written as a single dotted name. A key that nearly matches counts as a
    /// misspelt denial, whatever its value. A key nearly matches if each of its parts differs only in case or by at
    /// most two letters (one letter in a part of three to five letters, none in a shorter part): `AnalyticDisabled`
    /// or `parameter`, for example.
    ///
    /// Any other key is ignored, with three exceptions that are clear denials: the opposite name with the opposite
    /// value (`AnalyticsEnabled: "false"`); another name for the same switch, next to it or higher up on its path
    /// (`TelemetryDisabled: "true"`, `DisableAnalytics: "true"`, `telemetry: "off"`); and the last name of the key with
    /// one or all of the parts before it missing. Each of these denies, and a line in the log names the key.
    #[must_use]
    pub fn deployment_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.deployment_file = Some(path.into());
        self
    }

    /// Sets the dotted keys of the deployment parameters: the switch and the log level.
    ///
    /// The defaults are `deployment.parameters.AnalyticsDisabled` and `deployment.parameters.AnalyticsLogLevel`.
    #[must_use]
    pub fn deployment_keys(mut self, disabled: impl Into<String>, log_level: impl Into<String>) -> Self {
        self.deployment_keys = (disabled.into(), log_level.into());
        self
    }

    /// Sets the project's committed file, which is JSON unless its extension says otherwise.
    ///
    /// Misspelt keys and other names count as they do in the [deployment's file](Self::deployment_file), but no part of the key's
    /// path may be missing.
    #[must_use]
    pub fn project_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.project_file = Some(path.into());
        self
    }

    /// Sets the dotted key of the switch in the project's file, `telemetry.enabled` by default.
    #[must_use]
    pub fn project_key(mut self, key: impl Into<String>) -> Self {
        self.project_key = key.into();
        self
    }

    /// Sets the directory that holds the user's choice and the receipt of the notice.
    ///
    /// The default is the directory `<app>` in `$XDG_STATE_HOME` or `~/.local/state`, in `~/Library/Application
    /// Support` on macOS, or in `%LOCALAPPDATA%` on Windows.
    #[must_use]
    pub fn state_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.state_dir = Some(path.into());
        self
    }

    /// Sets the state of the account's toggle.
    #[must_use]
    pub fn account(mut self, account: Account) -> Self {
        self.account = Some(account);
        self
    }

    /// Sets whether a session is present. Calling this makes a session a precondition in every mode.
    #[must_use]
    pub fn session_present(mut self, present: bool) -> Self {
        self.session = Some(present);
        self
    }

    /// Sets whether a licence key is present. Calling this makes the key a precondition.
    #[must_use]
    pub fn license_key_present(mut self, present: bool) -> Self {
        self.license_key = Some(present);
        self
    }

    /// Adds somebody whose answer counts as a grant. If nobody is added, it is the user.
    #[must_use]
    pub fn subject(mut self, subject: Subject) -> Self {
        self.subjects.push(subject);
        self
    }

    /// Sets what happens in continuous integration. The default is [`CiPolicy::Deny`].
    #[must_use]
    pub fn ci_policy(mut self, policy: CiPolicy) -> Self {
        self.ci = policy;
        self
    }

    /// Sets whether this is a development or test build, from which nothing is sent.
    #[must_use]
    pub fn non_release_build(mut self, yes: bool) -> Self {
        self.non_release_build = yes;
        self
    }

    /// Sets the fingerprint of the catalogue. A grant that was given for another one ends; a refusal does not.
    #[must_use]
    pub fn catalogue(mut self, fingerprint: impl Into<String>) -> Self {
        self.catalogue = Some(fingerprint.into());
        self
    }

    /// Makes the paths absolute, so the gate keeps reading the same files when the program changes its directory. A
    /// path that cannot be made absolute is kept, and later counts as a file that cannot be read.
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

    /// Returns whether a session is required.
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
