//! Detects the continuous integration provider from environment variables.
//!
//! Only the provider is reported, never a branch, a repository or another name from its variables.

use std::ffi::OsStr;
use std::fmt;

use crate::settings::Env;

/// A condition on environment variables.
#[derive(Clone, Copy, Debug)]
enum When {
    /// All of these are set, to something other than an empty string, `0` or `false`.
    Set(&'static [&'static str]),
    /// The variable equals this word, ignoring case.
    Is(&'static str, &'static str),
    /// The variable starts with this text.
    Starts(&'static str, &'static str),
    /// The variable contains this text.
    Contains(&'static str, &'static str),
}

macro_rules! providers {
    ($($(#[$doc:meta])* $name:ident = $text:literal: $($condition:expr),+;)+) => {
        /// A continuous integration provider.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum CiProvider {
            $($(#[$doc])* $name,)+
            /// `CI` or `CONTINUOUS_INTEGRATION` is set, but no provider is recognised.
            Unknown,
        }

        impl CiProvider {
            /// Every provider, in the order in which they are checked.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+ Self::Unknown];

            /// Returns the name of the provider in lower case, with underscores.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)+
                    Self::Unknown => "unknown",
                }
            }
        }

        const TABLE: &[(CiProvider, &[When])] = &[$((CiProvider::$name, &[$($condition),+]),)+];
    };
}

// The order matters where a product also sets the variables of another: Gitea sets GitHub's, Jenkins X sets
// Jenkins's.
providers! {
    /// Gitea Actions.
    GiteaActions = "gitea_actions": When::Set(&["GITEA_ACTIONS"]);
    /// GitHub Actions.
    GithubActions = "github_actions": When::Set(&["GITHUB_ACTIONS"]);
    /// GitLab CI.
    Gitlab = "gitlab": When::Set(&["GITLAB_CI"]);
    /// Jenkins X.
    JenkinsX = "jenkins_x": When::Set(&["JX_CHART_REPOSITORY", "BUILD_ID"]);
    /// Jenkins.
    Jenkins = "jenkins": When::Set(&["JENKINS_URL", "BUILD_ID"]), When::Starts("BUILD_TAG", "jenkins-"),
        When::Set(&["BUILD_ID", "BUILD_URL"]);
    /// `CircleCI`.
    Circleci = "circleci": When::Set(&["CIRCLECI"]);
    /// Buildkite.
    Buildkite = "buildkite": When::Set(&["BUILDKITE"]);
    /// Azure Pipelines.
    AzurePipelines = "azure_pipelines": When::Is("TF_BUILD", "true"), When::Set(&["SYSTEM_TEAMFOUNDATIONCOLLECTIONURI"]);
    /// Travis CI.
    Travis = "travis": When::Set(&["TRAVIS"]);
    /// `TeamCity`.
    Teamcity = "teamcity": When::Set(&["TEAMCITY_VERSION"]);
    /// Bitbucket Pipelines.
    Bitbucket = "bitbucket": When::Set(&["BITBUCKET_COMMIT"]), When::Set(&["BITBUCKET_BUILD_NUMBER"]);
    /// AWS `CodeBuild`.
    Codebuild = "codebuild": When::Set(&["CODEBUILD_BUILD_ARN"]), When::Set(&["CODEBUILD_BUILD_ID"]);
    /// `AppVeyor`.
    Appveyor = "appveyor": When::Set(&["APPVEYOR"]);
    /// Bamboo.
    Bamboo = "bamboo": When::Set(&["bamboo_planKey"]);
    /// Bitrise.
    Bitrise = "bitrise": When::Set(&["BITRISE_IO"]);
    /// Buddy.
    Buddy = "buddy": When::Set(&["BUDDY_WORKSPACE_ID"]);
    /// Cirrus CI.
    Cirrus = "cirrus": When::Set(&["CIRRUS_CI"]);
    /// Codefresh.
    Codefresh = "codefresh": When::Set(&["CF_BUILD_ID"]);
    /// Codemagic.
    Codemagic = "codemagic": When::Set(&["CM_BUILD_ID"]);
    /// Codeship.
    Codeship = "codeship": When::Is("CI_NAME", "codeship");
    /// Drone.
    Drone = "drone": When::Set(&["DRONE"]);
    /// Semaphore.
    Semaphore = "semaphore": When::Set(&["SEMAPHORE"]);
    /// Google Cloud Build.
    GoogleCloudBuild = "google_cloud_build": When::Set(&["BUILDER_OUTPUT"]), When::Set(&["BUILD_ID", "PROJECT_ID"]);
    /// `GoCD`.
    Gocd = "gocd": When::Set(&["GO_PIPELINE_LABEL"]);
    /// Harness.
    Harness = "harness": When::Set(&["HARNESS_BUILD_ID"]);
    /// Hudson.
    Hudson = "hudson": When::Set(&["HUDSON_URL"]);
    /// Netlify.
    Netlify = "netlify": When::Is("NETLIFY", "true");
    /// Vercel builds. `VERCEL` is also set at run time, so `CI` must be set too.
    Vercel = "vercel": When::Set(&["VERCEL", "CI"]), When::Set(&["NOW_BUILDER"]);
    /// Render builds. `RENDER` is also set at run time, so `CI` must be set too.
    Render = "render": When::Set(&["RENDER", "CI"]);
    /// Prow.
    Prow = "prow": When::Set(&["PROW_JOB_ID"]);
    /// Screwdriver.
    Screwdriver = "screwdriver": When::Set(&["SCREWDRIVER"]);
    /// Sourcehut.
    Sourcehut = "sourcehut": When::Contains("JOB_URL", "builds.sr.ht");
    /// Taskcluster.
    Taskcluster = "taskcluster": When::Set(&["TASK_ID", "RUN_ID"]);
    /// Vela.
    Vela = "vela": When::Set(&["VELA_BUILD_NUMBER"]);
    /// Xcode Cloud.
    XcodeCloud = "xcode_cloud": When::Set(&["CI_XCODE_PROJECT"]);
    /// Xcode Server.
    XcodeServer = "xcode_server": When::Set(&["XCS"]);
    /// Earthly.
    Earthly = "earthly": When::Set(&["EARTHLY_CI"]);
    /// Agola.
    Agola = "agola": When::Set(&["AGOLA_REPOSITORY_URL"]), When::Set(&["AGOLA_GIT_REF"]);
    /// App Center.
    Appcenter = "appcenter": When::Set(&["APPCENTER_BUILD_ID"]);
    /// Appcircle.
    Appcircle = "appcircle": When::Set(&["AC_APPCIRCLE"]);
    /// Heroku CI, recognised by the path to its Node.js.
    HerokuCi = "heroku_ci": When::Contains("NODE", "heroku");
    /// `JetBrains` Space.
    JetbrainsSpace = "jetbrains_space": When::Set(&["JB_SPACE_API_URL"]);
    /// Woodpecker.
    Woodpecker = "woodpecker": When::Is("CI", "woodpecker");
    /// dsari.
    Dsari = "dsari": When::Set(&["DSARI"]);
    /// flow.ci.
    Flowci = "flowci": When::Set(&["FLOWCI_JOB_BUILD_NUM"]);
    /// Gerrit.
    Gerrit = "gerrit": When::Set(&["GERRIT_PROJECT"]);
    /// `LayerCI`.
    Layerci = "layerci": When::Set(&["LAYERCI"]);
    /// Magnum CI.
    Magnum = "magnum": When::Set(&["MAGNUM"]);
    /// Nevercode.
    Nevercode = "nevercode": When::Set(&["NEVERCODE"]);
    /// Sail CI.
    Sail = "sail": When::Set(&["SAILCI"]);
    /// Strider.
    Strider = "strider": When::Set(&["STRIDER"]);
}

/// The variables that say continuous integration, but not which.
const GENERIC: [&str; 2] = ["CI", "CONTINUOUS_INTEGRATION"];

impl CiProvider {
    /// Returns every variable that is looked at.
    #[cfg(test)]
    pub(crate) fn variables() -> std::collections::BTreeSet<&'static str> {
        let conditions = TABLE.iter().flat_map(|(_, conditions)| conditions.iter());
        let names = conditions.flat_map(|condition| match condition {
            When::Set(names) => names.to_vec(),
            When::Is(name, _) | When::Starts(name, _) | When::Contains(name, _) => vec![*name],
        });
        names.chain(GENERIC).collect()
    }

    /// Detects the provider from an environment; `None` if it is not continuous integration.
    ///
    /// Returns the first provider of the table whose condition holds. Otherwise returns [`Unknown`](Self::Unknown)
    /// if `CI` or `CONTINUOUS_INTEGRATION` is set to anything but an empty string, `0`, `false`, `no` or `off`.
    ///
    /// ```
    /// use candor::{Env, consent::CiProvider};
    ///
    /// let env = Env::empty().with("CI", "true").with("GITHUB_ACTIONS", "true");
    /// assert_eq!(CiProvider::detect(&env), Some(CiProvider::GithubActions));
    /// assert_eq!(CiProvider::detect(&Env::empty()), None);
    /// ```
    pub fn detect(env: &Env) -> Option<Self> {
        Self::detect_with_source(env).map(|(provider, _)| provider)
    }

    /// Detects the provider, and returns the variable that identified it.
    pub(crate) fn detect_with_source(env: &Env) -> Option<(Self, &'static str)> {
        for (provider, conditions) in TABLE {
            if let Some(name) = conditions.iter().find_map(|condition| condition.holds(env)) {
                return Some((*provider, name));
            }
        }
        GENERIC.into_iter().find(|name| says_ci(env, name)).map(|name| (Self::Unknown, name))
    }
}

impl fmt::Display for CiProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl When {
    fn holds(self, env: &Env) -> Option<&'static str> {
        match self {
            Self::Set(names) => {
                let first = names.first().copied()?;
                names.iter().all(|name| is_present(env, name)).then_some(first)
            }
            Self::Is(name, word) => {
                let value = env.get(name)?.to_str()?;
                value.trim().eq_ignore_ascii_case(word).then_some(name)
            }
            Self::Starts(name, start) => env.get(name)?.to_string_lossy().starts_with(start).then_some(name),
            Self::Contains(name, part) => env.get(name)?.to_string_lossy().contains(part).then_some(name),
        }
    }
}

fn is_present(env: &Env, name: &str) -> bool {
    is_set_and_none_of(env.get(name), &["", "0", "false"])
}

fn says_ci(env: &Env, name: &str) -> bool {
    is_set_and_none_of(env.get(name), &["", "0", "false", "no", "off"])
}

fn is_set_and_none_of(value: Option<&OsStr>, words: &[&str]) -> bool {
    // A value that is not UTF-8 counts as set: that can only reduce what is sent.
    value.is_some_and(|value| {
        value.to_str().is_none_or(|text| !words.iter().any(|word| text.trim().eq_ignore_ascii_case(word)))
    })
}

/// Maps providers to the application's own values, so nothing else about them can be sent.
///
/// ```
/// use candor::{Env, consent::{CiProvider, Projection}};
///
/// let projection = Projection::new("local", "unknown")
///     .map(CiProvider::GithubActions, "github_actions")
///     .map(CiProvider::Jenkins, "jenkins");
/// let env = Env::empty().with("BUILDKITE", "true");
/// assert_eq!(*projection.of(CiProvider::detect(&env)), "unknown");
/// assert_eq!(*projection.of(None), "local");
/// ```
#[derive(Clone, Debug)]
pub struct Projection<T> {
    local: T,
    unknown: T,
    mapped: Vec<(CiProvider, T)>,
}

impl<T> Projection<T> {
    /// Creates a projection with one value for no provider and one for every provider that is not mapped.
    pub fn new(local: T, unknown: T) -> Self {
        Self { local, unknown, mapped: Vec::new() }
    }

    /// Adds the value for a provider.
    #[must_use]
    pub fn map(mut self, provider: CiProvider, value: T) -> Self {
        self.mapped.push((provider, value));
        self
    }

    /// Returns the application's value for the detected provider.
    pub fn of(&self, detected: Option<CiProvider>) -> &T {
        let Some(provider) = detected else { return &self.local };
        self.mapped.iter().find(|(mapped, _)| *mapped == provider).map_or(&self.unknown, |(_, value)| value)
    }
}
