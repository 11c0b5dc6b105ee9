//! The programs of the examples, as `cargo test` builds them.

use std::path::PathBuf;
use std::process::Command;

/// Returns the path of an example's program, which `cargo test` builds with the tests.
///
/// # Panics
///
/// Panics if the program is not built.
pub fn example(name: &str) -> Command {
    let tests = std::env::current_exe().expect("the path of the tests");
    let profile = tests.parent().and_then(|deps| deps.parent()).expect("a target directory");
    let file = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    let path: PathBuf = profile.join("examples").join(file);
    assert!(path.exists(), "{} is not built: run `cargo test` without a filter once", path.display());
    Command::new(path)
}
