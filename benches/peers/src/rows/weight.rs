//! The cost for an application: the number of crates in its tree, and the time of a clean release build, measured with a
//! temporary package that has the one dependency.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::Plan;
use crate::runner::Scratch;
use crate::table::{Row, Table, Target};

/// Measures both trees and adds their rows.
pub fn measure(plan: &Plan, table: &mut Table) {
    let (root, scratch) = (Path::new(env!("CARGO_MANIFEST_DIR")), Scratch::new("trees"));
    let candor = Throwaway::new(&scratch, "candor", &format!("{{ path = {:?} }}", root.join("../..")));
    let peer = Throwaway::new(&scratch, "posthog-rs", "\"=0.30.0\"");
    table.section("Weight");
    table.add(
        Row::new("crates in the normal tree", "crates")
            .peer(Some(peer.crates() as f64))
            .candor(Some(candor.crates() as f64))
            .target(Target::AtMost(60.0)),
    );
    if plan.builds {
        table.add(
            Row::new("release build from clean", "s")
                .peer(Some(peer.build_seconds()))
                .candor(Some(candor.build_seconds()))
                .target(Target::TimesLess(2.0)),
        );
    }
}

/// A package that depends on one crate with its default features, at the versions of this lock file.
struct Throwaway(PathBuf);

impl Throwaway {
    fn new(scratch: &Scratch, name: &str, source: &str) -> Self {
        let path = PathBuf::from(scratch.fresh());
        let manifest = format!(
            "[package]\nname = \"throwaway\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [dependencies]\n{name} = {source}\n"
        );
        std::fs::create_dir_all(path.join("src")).expect("a directory");
        std::fs::write(path.join("Cargo.toml"), manifest).expect("a manifest");
        std::fs::write(path.join("src/main.rs"), "fn main() {}\n").expect("a program");
        let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock");
        std::fs::copy(lock, path.join("Cargo.lock")).expect("a lock file");
        let throwaway = Self(path);
        // Everything is downloaded before the clock starts.
        throwaway.cargo(&["fetch", "--quiet"]);
        throwaway
    }

    fn cargo(&self, args: &[&str]) -> String {
        let output = Command::new("cargo")
            .args(args)
            .current_dir(&self.0)
            .env("CARGO_TARGET_DIR", self.0.join("target"))
            .output()
            .expect("cargo");
        assert!(output.status.success(), "cargo {args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// Counts crates by name and version, each once, including the crate itself.
    fn crates(&self) -> usize {
        let tree = self.cargo(&["tree", "--edges", "normal", "--prefix", "none", "--format", "{p}"]);
        let of_line = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
        let crates: BTreeSet<String> = tree.lines().map(of_line).collect();
        crates.iter().filter(|name| !name.is_empty() && !name.starts_with("throwaway ")).count()
    }

    fn build_seconds(&self) -> f64 {
        let started = Instant::now();
        self.cargo(&["build", "--release", "--quiet"]);
        started.elapsed().as_secs_f64()
    }
}
