//! What compiles, and what must not: every file of `tests/ui/ok` and `tests/ui/err` is compiled by itself.

#![cfg(feature = "derive")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

use serde_json::Value;

/// Where the library is that belongs to this test.
struct Library {
    candor: PathBuf,
    dependencies: PathBuf,
}

impl Library {
    /// Asks cargo, which has just built it: nothing is left to do, so that the answer is quick.
    fn find() -> Self {
        let output = Command::new(env!("CARGO"))
            .args(["test", "--no-run", "--offline", "--test", "ui", "--message-format=json"])
            .args(if cfg!(debug_assertions) { &[][..] } else { &["--release"] })
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo");
        let messages = String::from_utf8_lossy(&output.stdout);
        let candor = messages
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|message| {
                message["reason"] == "compiler-artifact" && message["target"]["name"] == "candor"
            })
            .filter_map(|message| message["filenames"].as_array().cloned())
            .flatten()
            .filter_map(|name| name.as_str().map(PathBuf::from))
            .find(|path| path.extension().is_some_and(|extension| extension == "rlib"));
        let candor =
            candor.unwrap_or_else(|| panic!("no library: {}", String::from_utf8_lossy(&output.stderr)));
        let directory = candor.parent().expect("a directory");
        let dependencies =
            if directory.ends_with("deps") { directory.to_owned() } else { directory.join("deps") };
        Self { candor, dependencies }
    }

    /// Compiles one file without making code; returns whether that worked, and what the compiler said.
    fn compile(&self, file: &Path) -> (bool, String) {
        let scratch = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("ui");
        std::fs::create_dir_all(&scratch).expect("a scratch directory");
        let output = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
            .args(["--edition=2024", "--emit=metadata", "--crate-name=case", "--color=never"])
            .arg("-Adead_code")
            .arg("--out-dir")
            .arg(scratch.join(file.file_stem().expect("a name")))
            .arg(format!("--extern=candor={}", self.candor.display()))
            .arg(format!("-Ldependency={}", self.dependencies.display()))
            .arg(file)
            .output()
            .expect("rustc");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Compiles every file of a folder on two threads and returns what `judge` finds wrong.
fn failures(folder: &str, judge: impl Fn(&str, bool, &str) -> Result<(), String> + Sync) -> Vec<String> {
    let library = Library::find();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ui").join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&root)
        .expect("the folder")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", root.display());
    let (queue, failures) = (Mutex::new(files), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let Some(file) = queue.lock().expect("the queue").pop() else { return };
                    let source = std::fs::read_to_string(&file).expect("the source");
                    let (compiles, said) = library.compile(&file);
                    if let Err(why) = judge(&source, compiles, &said) {
                        let failure = format!("{}: {why}\n{said}", file.display());
                        failures.lock().expect("the failures").push(failure);
                    }
                }
            });
        }
    });
    failures.into_inner().expect("the failures")
}

#[test]
fn what_is_safe_compiles_without_a_warning() {
    let failures = failures("ok", |_, compiles, said| {
        if compiles && said.is_empty() { Ok(()) } else { Err("does not compile cleanly".to_owned()) }
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn each_mistake_is_refused_with_words_that_help() {
    let failures = failures("err", |source, compiles, said| {
        if compiles {
            return Err("compiles".to_owned());
        }
        let phrases: Vec<&str> = source.lines().filter_map(|line| line.strip_prefix("//~ ")).collect();
        if phrases.is_empty() {
            return Err("expects no words".to_owned());
        }
        let is_error = |line: &&str| line.starts_with("error") && !line.starts_with("error: aborting");
        let errors = said.lines().filter(is_error).count();
        // Words may be broken over lines.
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        let is_said = |phrase: &str| match phrase.strip_suffix(" errors").or(phrase.strip_suffix(" error")) {
            Some(count) => count.parse() == Ok(errors),
            None => said.contains(phrase),
        };
        match phrases.iter().find(|phrase| !is_said(phrase)) {
            Some(phrase) => Err(format!("the words are missing: {phrase}; there are {errors} errors")),
            None => Ok(()),
        }
    });
    assert!(failures.is_empty(), "{} mistakes:\n{}", failures.len(), failures.join("\n"));
}
