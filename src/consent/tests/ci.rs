//! The table of providers, with at least one case for each.

use super::super::ci::{CiProvider, Projection};
use crate::settings::Env;
use CiProvider as P;

const CASES: &[(P, &[(&str, &str)])] = &[
    (P::GiteaActions, &[("GITEA_ACTIONS", "true"), ("GITHUB_ACTIONS", "true"), ("CI", "true")]),
    (P::GithubActions, &[("GITHUB_ACTIONS", "true"), ("CI", "true")]),
    (P::Gitlab, &[("GITLAB_CI", "true")]),
    (P::JenkinsX, &[("JX_CHART_REPOSITORY", "x"), ("BUILD_ID", "7"), ("JENKINS_URL", "http://j")]),
    (P::Jenkins, &[("JENKINS_URL", "http://j"), ("BUILD_ID", "7")]),
    (P::Jenkins, &[("BUILD_TAG", "jenkins-job-7")]),
    (P::Jenkins, &[("BUILD_ID", "7"), ("BUILD_URL", "http://j/7")]),
    (P::Circleci, &[("CIRCLECI", "true")]),
    (P::Buildkite, &[("BUILDKITE", "true")]),
    (P::AzurePipelines, &[("TF_BUILD", "True")]),
    (P::AzurePipelines, &[("TF_BUILD", "true")]),
    (P::AzurePipelines, &[("SYSTEM_TEAMFOUNDATIONCOLLECTIONURI", "https://dev.azure.com/x")]),
    (P::Travis, &[("TRAVIS", "true")]),
    (P::Teamcity, &[("TEAMCITY_VERSION", "2024.1")]),
    (P::Bitbucket, &[("BITBUCKET_COMMIT", "abc")]),
    (P::Bitbucket, &[("BITBUCKET_BUILD_NUMBER", "3")]),
    (P::Codebuild, &[("CODEBUILD_BUILD_ARN", "arn")]),
    (P::Codebuild, &[("CODEBUILD_BUILD_ID", "id")]),
    (P::Appveyor, &[("APPVEYOR", "True")]),
    (P::Bamboo, &[("bamboo_planKey", "K")]),
    (P::Bitrise, &[("BITRISE_IO", "true")]),
    (P::Buddy, &[("BUDDY_WORKSPACE_ID", "1")]),
    (P::Cirrus, &[("CIRRUS_CI", "true")]),
    (P::Codefresh, &[("CF_BUILD_ID", "x")]),
    (P::Codemagic, &[("CM_BUILD_ID", "x")]),
    (P::Codeship, &[("CI_NAME", "codeship")]),
    (P::Drone, &[("DRONE", "true")]),
    (P::Semaphore, &[("SEMAPHORE", "true")]),
    (P::GoogleCloudBuild, &[("BUILDER_OUTPUT", "/builder/outputs")]),
    (P::GoogleCloudBuild, &[("BUILD_ID", "7"), ("PROJECT_ID", "p")]),
    (P::Gocd, &[("GO_PIPELINE_LABEL", "1")]),
    (P::Harness, &[("HARNESS_BUILD_ID", "1")]),
    (P::Hudson, &[("HUDSON_URL", "http://h")]),
    (P::Netlify, &[("NETLIFY", "true")]),
    (P::Vercel, &[("VERCEL", "1"), ("CI", "1")]),
    (P::Vercel, &[("NOW_BUILDER", "1")]),
    (P::Render, &[("RENDER", "true"), ("CI", "true")]),
    (P::Prow, &[("PROW_JOB_ID", "1")]),
    (P::Screwdriver, &[("SCREWDRIVER", "true")]),
    (P::Sourcehut, &[("JOB_URL", "https://builds.sr.ht/~a/job/1")]),
    (P::Taskcluster, &[("TASK_ID", "a"), ("RUN_ID", "b")]),
    (P::Vela, &[("VELA_BUILD_NUMBER", "1")]),
    (P::XcodeCloud, &[("CI_XCODE_PROJECT", "x")]),
    (P::XcodeServer, &[("XCS", "1")]),
    (P::Earthly, &[("EARTHLY_CI", "true")]),
    (P::Agola, &[("AGOLA_REPOSITORY_URL", "x")]),
    (P::Agola, &[("AGOLA_GIT_REF", "x")]),
    (P::Appcenter, &[("APPCENTER_BUILD_ID", "1")]),
    (P::Appcircle, &[("AC_APPCIRCLE", "true")]),
    (P::HerokuCi, &[("NODE", "/app/.heroku/node/bin/node")]),
    (P::JetbrainsSpace, &[("JB_SPACE_API_URL", "x")]),
    (P::Woodpecker, &[("CI", "woodpecker")]),
    (P::Dsari, &[("DSARI", "1")]),
    (P::Flowci, &[("FLOWCI_JOB_BUILD_NUM", "1")]),
    (P::Gerrit, &[("GERRIT_PROJECT", "x")]),
    (P::Layerci, &[("LAYERCI", "true")]),
    (P::Magnum, &[("MAGNUM", "true")]),
    (P::Nevercode, &[("NEVERCODE", "true")]),
    (P::Sail, &[("SAILCI", "true")]),
    (P::Strider, &[("STRIDER", "true")]),
    (P::Unknown, &[("CI", "true")]),
    (P::Unknown, &[("CI", "1")]),
    (P::Unknown, &[("CI", "some-new-provider")]),
    (P::Unknown, &[("CONTINUOUS_INTEGRATION", "true")]),
];

fn env(variables: &[(&str, &str)]) -> Env {
    variables.iter().fold(Env::empty(), |env, (name, value)| env.with(*name, *value))
}

#[test]
fn every_provider_is_detected_by_each_of_its_conditions() {
    for (wanted, variables) in CASES {
        assert_eq!(P::detect(&env(variables)), Some(*wanted), "{variables:?}");
    }
    for provider in P::ALL {
        assert!(CASES.iter().any(|(wanted, _)| wanted == provider), "{provider} has no case");
    }
}

#[test]
fn a_no_and_a_hosting_platform_are_not_ci() {
    for variables in [
        &[][..],
        &[("CI", "false")],
        &[("CI", "0")],
        &[("CI", "no")],
        &[("CI", "OFF")],
        &[("CI", "")],
        &[("CI", "  ")],
        &[("GITHUB_ACTIONS", "false")],
        &[("GITHUB_ACTIONS", "")],
        &[("BUILD_NUMBER", "7")],
        &[("RUN_ID", "7")],
        &[("BUILD_ID", "7")],
        &[("TASK_ID", "7")],
        &[("VERCEL", "1")],
        &[("RENDER", "true")],
        &[("NETLIFY", "1")],
        &[("BAMBOO_PLANKEY", "K")],
        &[("NODE", "/usr/bin/node")],
    ] {
        assert_eq!(P::detect(&env(variables)), None, "{variables:?}");
    }
}

#[test]
#[cfg(unix)]
fn a_value_that_cannot_be_read_counts_as_ci() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    let env = Env::empty().with("CI", OsString::from_vec(vec![0xff]));
    assert_eq!(P::detect(&env), Some(P::Unknown));
}

#[test]
fn a_projection_returns_only_the_applications_values() {
    #[derive(Debug, PartialEq)]
    enum Own {
        Github,
        Local,
        Unknown,
    }
    let projection = Projection::new(Own::Local, Own::Unknown).map(P::GithubActions, Own::Github);
    assert_eq!(*projection.of(None), Own::Local);
    assert_eq!(*projection.of(Some(P::GithubActions)), Own::Github);
    for provider in P::ALL.iter().filter(|provider| **provider != P::GithubActions) {
        assert_eq!(*projection.of(Some(*provider)), Own::Unknown);
    }
}
