//! cilock, carried by candor: a tool that tells one record a run, and only while somebody is signed in.
//!
//! The verbs are `login`, `run`, `sign` and `verify [--fail]`; without one it plays its story against an edge of its
//! own. `--url URL` sends to `URL/cli/t`, `--dir D` holds the session. `DO_NOT_TRACK` and `CILOCK_TELEMETRY=0` say
//! no, and so does the account. `--page` prints the page of everything that is sent.

fn main() -> std::process::ExitCode {
    testkit::systems::program::real(testkit::cilock::app::run)
}
