//! Everything that a decision depends on, as one value.

use std::path::PathBuf;

use crate::consent::declaration::Consent;
use crate::settings::Env;

/// What the application says about itself and its settings.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent fact")]
pub struct Facts {
    /// The name of the application, after which variables and directories are named.
    pub app: String,
    /// The version of the application, for the receipt of the notice.
    pub app_version: String,
    /// The application's declaration.
    pub consent: Consent,
    /// Where events would go, if that is configured.
    pub endpoint: Option<String>,
    /// Whether the application provides its own transport, which needs no endpoint.
    pub own_transport: bool,
    /// Whether an API key is required but blank.
    pub api_key_missing: bool,
    /// Whether telemetry is left out of this build.
    pub build_off: bool,
    /// Whether the application has declared its consent; otherwise it has that of the default.
    pub(crate) declares_consent: bool,
    /// Whether an API key is set, even a blank one.
    pub(crate) has_api_key: bool,
    /// Why no client can be created, or why it was created disabled.
    pub(crate) error: Option<String>,
}

impl Facts {
    /// Creates facts from the application's name, its declaration and its endpoint. Relative paths in the
    /// declaration are made absolute here.
    pub fn new(app: impl Into<String>, consent: Consent, endpoint: Option<String>) -> Self {
        Self {
            app: app.into(),
            app_version: String::new(),
            consent: consent.with_absolute_paths(),
            endpoint,
            own_transport: false,
            api_key_missing: false,
            build_off: cfg!(telemetry_off),
            declares_consent: true,
            has_api_key: false,
            error: None,
        }
    }
}

/// Why a file was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReadFailure {
    /// It is a symbolic link, which is not allowed here.
    Link,
    /// It, or a directory on its path, is a broken symbolic link.
    BrokenLink,
    /// It would be in the home directory of the user who called sudo, which is not known.
    NoHome,
    /// Its path is relative to a working directory that no longer exists.
    NoPath,
    /// It is not a regular file.
    NotAFile,
    /// It is larger than 64 KiB.
    TooLarge,
    /// Permission was denied.
    NotAllowed,
    /// It could not be read for another reason.
    Failed,
}

/// The content of a file, and what decides whether a grant in it is trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent finding")]
pub struct FileContent {
    /// The bytes, at most 64 KiB.
    pub bytes: Vec<u8>,
    /// Whether it belongs to a user other than the process's own and root.
    pub foreign: bool,
    /// Whether its group can write to it.
    pub group_writable: bool,
    /// Whether everybody can write to it.
    pub world_writable: bool,
    /// Whether it was reached through a symbolic link.
    pub linked: bool,
    /// Whether its directory is a symbolic link.
    pub directory_linked: bool,
    /// Whether everybody can write to its directory, and so replace the file.
    pub directory_world_writable: bool,
}

impl FileContent {
    /// Returns why a grant in it is not trusted: somebody else may have written it. A denial is trusted anyway.
    pub(crate) fn doubt(&self) -> Option<&'static str> {
        [
            (self.foreign, "it belongs to another user"),
            (self.group_writable, "its group can write to it"),
            (self.linked, "it is reached through a symbolic link"),
            (self.directory_linked, LINKED_DIRECTORY),
            (self.directory_world_writable, OPEN_DIRECTORY),
        ]
        .into_iter()
        .find_map(|(is_so, doubt)| is_so.then_some(doubt))
    }
}

/// Why a grant in a directory is neither trusted nor written.
pub(crate) const LINKED_DIRECTORY: &str = "its directory is a symbolic link";
pub(crate) const OPEN_DIRECTORY: &str = "everybody can write to its directory";

/// What is known about a file after at most one read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileState {
    /// The application declares no such file, or its directory is unknown.
    #[default]
    NotDeclared,
    /// It was not read, because telemetry is off whatever it says.
    NotRead,
    /// It does not exist.
    Missing,
    /// It was read.
    Read(FileContent),
    /// It exists, but was not read.
    Failed(ReadFailure),
}

impl FileState {
    /// Creates the state of a file that was read and that only its owner can write to.
    pub fn read(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Read(FileContent { bytes: bytes.into(), ..FileContent::default() })
    }
}

/// A file of the gate: its path, and what is known about it.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Source {
    /// Its path, if there is one.
    pub path: Option<PathBuf>,
    /// What is known about it.
    pub state: FileState,
}

impl Source {
    /// Creates a source from a path and a state.
    pub fn new(path: impl Into<PathBuf>, state: FileState) -> Self {
        Self { path: Some(path.into()), state }
    }
}

/// The files of the gate.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Files {
    /// The machine's policy.
    pub policy: Source,
    /// The deployment parameters.
    pub deployment: Source,
    /// The project's file.
    pub project: Source,
    /// The user's stored choice.
    pub choice: Source,
    /// The choice of the user who called this process through sudo.
    pub invoker_choice: Source,
    /// The receipt of the notice.
    pub receipt: Source,
}

/// What has happened in this process so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is an independent fact about the process")]
pub struct Runtime {
    /// The client was created disabled.
    pub disabled: bool,
    /// The application withdrew consent and has not given it again.
    pub withdrawn: bool,
    /// The flag that turns telemetry off was given after the client had started.
    pub(crate) no_telemetry_flag: bool,
    /// The status with which the server said that it accepts no more events.
    pub stopped_by: Option<u16>,
    /// The notice was shown by this process.
    pub notice_shown: bool,
    /// Why the client stays off although everything else would grant now.
    pub(crate) stays_off: Option<StaysOff>,
}

/// Why a client stays off although everything else would grant now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StaysOff {
    /// Consent was withdrawn while the client ran.
    Withdrawn,
    /// Consent was not granted when the client was created.
    NotGranted,
    /// The client was shut down.
    ShutDown,
}

/// Everything that a decision depends on.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Inputs {
    /// What the application says.
    pub facts: Facts,
    /// The environment.
    pub env: Env,
    /// The files.
    pub files: Files,
    /// The process.
    pub runtime: Runtime,
    /// The time, in seconds since 1970.
    pub now: u64,
}

impl Inputs {
    /// Creates inputs without files, for a process in which nothing has happened yet.
    pub fn new(facts: Facts, env: Env, now: u64) -> Self {
        Self { facts, env, files: Files::default(), runtime: Runtime::default(), now }
    }
}
