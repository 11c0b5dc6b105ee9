//! cilock on candor: a tool that sends one record for each run, and only while somebody is signed in.
//!
//! The verbs are `login`, `run`, `sign` and `verify [--fail]`; without a verb it runs a demonstration against an
//! embedded edge. `--url URL` sends to `URL/cli/t`, `--dir D` holds the session. `DO_NOT_TRACK=1`,
//! `CILOCK_TELEMETRY=0` or a setting of the account opts out. `--page` prints the page of everything that is sent.

fn main() -> std::process::ExitCode {
    testkit::systems::program::real(testkit::cilock::app::run)
}
