//! CDK Insights on candor: a tool that sends nothing until its project opts in and there is a licence key.
//!
//! The verbs are `init`, `scan --write-baseline`, `scan --diff` and `fix [--apply] [--rule RULE]`; without a verb it
//! runs a demonstration against an embedded edge. `--url URL` sends to another address, `--dir D` is the project:
//! `.cdk-insights.json` and, if there is one, `findings.json`. The licence key is `CDK_INSIGHTS_LICENSE_KEY`.
//! `DO_NOT_TRACK=1` or `CDK_INSIGHTS_TELEMETRY=0` opts out. `--page` prints the page of everything that is sent.

fn main() -> std::process::ExitCode {
    testkit::systems::program::real(testkit::cdk_insights::app::run)
}
