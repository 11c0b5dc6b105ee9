//! Common Fate, carried by candor: a server that tells on, in its vendor's old batch form, until its deployment says no.
//!
//! Without arguments it plays its story against an edge of its own. `--url URL` sends to another address, and
//! `--dir D` reads `D/granted-deployment.yml`. The real environment is read: `CF_ANALYTICS_DISABLED`,
//! `CF_ANALYTICS_LOG_LEVEL`, `CF_ANALYTICS_URL`, `DO_NOT_TRACK`. `--requester ID` and `--reviewer ID` say who asks
//! and who decides, `--page` prints the page of everything that is sent.

fn main() -> std::process::ExitCode {
    testkit::systems::program::real(testkit::common_fate::app::run)
}
