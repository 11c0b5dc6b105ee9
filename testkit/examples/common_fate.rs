//! Common Fate on candor: a server that sends events in its vendor's old batch format until its deployment opts out.
//!
//! Without arguments it runs a demonstration against an embedded edge. `--url URL` sends to another address, and
//! `--dir D` reads `D/granted-deployment.yml`. The environment variables `CF_ANALYTICS_DISABLED`,
//! `CF_ANALYTICS_LOG_LEVEL`, `CF_ANALYTICS_URL` and `DO_NOT_TRACK` are read. `--requester ID` and `--reviewer ID` set
//! who asks for access and who decides; `--page` prints the page of everything that is sent.

fn main() -> std::process::ExitCode {
    testkit::systems::program::real(testkit::common_fate::app::run)
}
