//! CDK Insights, carried by candor: a tool that is silent until its project says yes and a licence key is there.
//!
//! The verbs are `init`, `scan --write-baseline`, `scan --diff` and `fix [--apply] [--rule RULE]`; without one it
//! plays its story against an edge of its own. `--url URL` sends to another address, `--dir D` is the project:
//! `.cdk-insights.json` and, if there is one, `findings.json`. The licence key is `CDK_INSIGHTS_LICENSE_KEY`;
//! `DO_NOT_TRACK` and `CDK_INSIGHTS_TELEMETRY=0` say no. `--page` prints the page of everything that is sent.

fn main() -> std::process::ExitCode {
    testkit::systems::program::real(testkit::cdk_insights::app::run)
}
