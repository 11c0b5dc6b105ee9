//! The test that keeps a committed catalogue current.

use std::path::Path;

use crate::catalogue::{Catalogue, Drift};
use crate::settings::Env;

/// The environment variable that makes tests write the page again.
const RENEW: &str = "CANDOR_RENEW";

/// Asserts that a committed page agrees with the code.
///
/// The path is relative to the working directory of the test, which for `cargo test` is the directory of the
/// package. If the environment variable `CANDOR_RENEW` is `1`, the page is written instead. It is not written if
/// what is sent has changed but the version of the notice has not: people who agreed to the old notice must be asked
/// again, so raise [`Catalogue::notice_version`] first.
///
/// ```no_run
/// # const EVENTS: candor::Catalogue = candor::events![];
/// #[test]
/// fn the_catalogue_is_current() {
///     candor::testing::assert_catalogue("TELEMETRY.md", &EVENTS);
/// }
/// ```
///
/// # Panics
///
/// Panics if the page is missing or differs, if an event has no doc comment, if two events have the same name, or if
/// the file cannot be read or written.
#[track_caller]
pub fn assert_catalogue(path: impl AsRef<Path>, catalogue: &Catalogue) {
    let path = path.as_ref();
    let page = match std::fs::read_to_string(path) {
        Ok(page) => Some(page),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => panic!("{}: {error}", path.display()),
    };
    let Err(drift) = catalogue.check(page.as_deref()) else { return };
    let renews = Env::from_process().text(RENEW).is_some_and(|value| value == "1");
    if renews && drift.is_renewable() {
        if let Err(error) = std::fs::write(path, catalogue.markdown()) {
            panic!("{}: {error}", path.display());
        }
        return;
    }
    panic!("{}", complaint(path, &drift));
}

fn complaint(path: &Path, drift: &Drift) -> String {
    let path = path.display();
    let first = if drift.is_renewable() { "renew it with" } else { "then renew it with" };
    format!("{path}: {drift}\n{first} `{RENEW}=1 cargo test`, and commit the page")
}
