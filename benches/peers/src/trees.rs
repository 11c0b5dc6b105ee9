//! The cost for an application: the number of crates in its tree, and the time of a clean release build, measured with a
//! temporary package that has the one dependency.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::Plan;
use crate::table::{Table, Target};

/// Measures both trees and adds their rows.
pub fn measure(plan: &Plan, table: &mut Table) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let candor = Throwaway::new("candor", &format!("{{ path = {:?} }}", root.join("../..")));
    let peer = Throwaway::new("posthog-rs", "\"=0.30.0\"");
    let crates = Target::AtMost(60.0);
    let count = |tree: &Throwaway| tree.crates() as f64;
    table.row("crates in the normal tree", "crates", Some(count(&peer)), count(&candor), &crates);
    if plan.builds {
        let (peer, candor) = (peer.build_seconds(), candor.build_seconds());
        table.row("release build from clean", "s", Some(peer), candor, &Target::TimesLess(2.0));
    }
}

/// A package that depends on one crate with its default features, at the versions of this lock file.
struct Throwaway(PathBuf);

impl Throwaway {
    fn new(name: &str, source: &str) -> Self {
        let path = std::env::temp_dir().join(format!("candor-peers-{}-{name}", std::process::id()));
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

impl Drop for Throwaway {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
