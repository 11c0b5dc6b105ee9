//! Everything that a decision depends on, as one value.
//!
//! Never reads any of it by itself.

use std::path::PathBuf;

use crate::consent::declaration::Consent;
use crate::settings::Env;

/// What the application says about itself and its settings.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Facts {
    /// The name of the application, from which variables and directories are named.
    pub app: String,
    /// The version of the application, for the receipt of the notice.
    pub app_version: String,
    /// The application's declaration.
    pub consent: Consent,
    /// Where events would go, if that is configured.
    pub endpoint: Option<String>,
    /// Whether the application brings a transport of its own, which needs no endpoint.
    pub own_transport: bool,
    /// Whether an API key is needed and blank.
    pub api_key_missing: bool,
    /// Whether this build leaves telemetry out.
    pub build_off: bool,
}

impl Facts {
    /// Makes facts from the application's name, its declaration and its endpoint. Relative paths of the declaration
    /// are made absolute here.
    pub fn new(app: impl Into<String>, consent: Consent, endpoint: Option<String>) -> Self {
        Self {
            app: app.into(),
            app_version: String::new(),
            consent: consent.with_absolute_paths(),
            endpoint,
            own_transport: false,
            api_key_missing: false,
            build_off: cfg!(telemetry_off),
        }
    }
}

/// Why a file was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ReadFailure {
    /// It is a symbolic link, and may not be one.
    Link,
    /// It, or a directory on the way to it, is a symbolic link that leads nowhere.
    BrokenLink,
    /// It would be in the home of the person who called this process through sudo, and that is not known.
    NoHome,
    /// Its path is relative to a working directory that is gone.
    NoPath,
    /// It is a directory, a pipe or a device.
    NotAFile,
    /// It is larger than 64 KiB.
    TooLarge,
    /// Reading it is not allowed.
    NotAllowed,
    /// Reading it failed for another reason.
    Failed,
}

/// The content of a file, with what matters about who may write it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "each is a finding of its own")]
pub struct FileContent {
    /// The bytes, at most 64 KiB of them.
    pub bytes: Vec<u8>,
    /// Whether it belongs to somebody else than the process's user or the machine's administrator.
    pub foreign: bool,
    /// Whether its group may write it.
    pub group_writable: bool,
    /// Whether everybody may write it.
    pub world_writable: bool,
    /// Whether it was reached through a symbolic link.
    pub linked: bool,
    /// Whether its directory is a symbolic link.
    pub directory_linked: bool,
    /// Whether everybody may write its directory, and so put another file in its place.
    pub directory_world_writable: bool,
}

impl FileContent {
    /// Returns why a yes in it would not be believed: somebody else may have written it. A no is believed anyway.
    pub(crate) fn doubt(&self) -> Option<&'static str> {
        [
            (self.foreign, "it belongs to somebody else"),
            (self.group_writable, "its group may write it"),
            (self.linked, "it is reached through a symbolic link"),
            (self.directory_linked, LINKED_DIRECTORY),
            (self.directory_world_writable, OPEN_DIRECTORY),
        ]
        .into_iter()
        .find_map(|(is_so, doubt)| is_so.then_some(doubt))
    }
}

/// Why a yes in a directory is neither believed nor written.
pub(crate) const LINKED_DIRECTORY: &str = "its directory is a symbolic link";
pub(crate) const OPEN_DIRECTORY: &str = "everybody may write its directory";

/// What is known about a file after at most one reading.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileState {
    /// The application declares no such file, or its directory is unknown.
    #[default]
    NotDeclared,
    /// It was not looked at, as telemetry is off without it.
    NotRead,
    /// It is not there.
    Missing,
    /// It was read.
    Read(FileContent),
    /// It is there, and was not read.
    Failed(ReadFailure),
}

impl FileState {
    /// Creates the state of a file that was read and that only its rightful owner may write.
    pub fn read(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Read(FileContent { bytes: bytes.into(), ..FileContent::default() })
    }
}

/// A file of the gate: if it is, and what is known about it.
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
    /// The choice of the person who called this process through sudo.
    pub invoker_choice: Source,
    /// The receipt of the notice.
    pub receipt: Source,
}

/// What happened to this process while it runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Runtime {
    /// The client was made disabled.
    pub disabled: bool,
    /// The application withdrew consent, and it was not given again.
    pub withdrawn: bool,
    /// The server said that it wants nothing more, with this status.
    pub stopped_by: Option<u16>,
    /// The notice was shown by this very process.
    pub notice_shown: bool,
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
    /// Makes inputs without files and before anything happened.
    pub fn new(facts: Facts, env: Env, now: u64) -> Self {
        Self { facts, env, files: Files::default(), runtime: Runtime::default(), now }
    }
}
