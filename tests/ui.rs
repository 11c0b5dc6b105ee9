//! Code that must compile, and code that must not: every file of `tests/ui/ok` and `tests/ui/err` is compiled on its
//! own. Of the compiler's output only the phrases in a file's `//~` lines are checked, so another compiler's layout does
//! no harm. The README's examples are compiled as printed and run, and their events must arrive.
//! This is a separate binary because it asks cargo how it was built to find the library.

#![cfg(feature = "derive")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{LazyLock, Mutex};

use serde_json::Value;

/// The paths of the library that was built with this test.
struct Library {
    candor: PathBuf,
    serde_json: PathBuf,
    dependencies: PathBuf,
}

impl Library {
    /// Asks cargo once. It has just built the library, so the answer is quick.
    fn get() -> &'static Self {
        static LIBRARY: LazyLock<Library> = LazyLock::new(Library::find);
        &LIBRARY
    }

    fn find() -> Self {
        let output = Command::new(env!("CARGO"))
            .args(["test", "--no-run", "--offline", "--test", "ui", "--message-format=json"])
            .args(if cfg!(debug_assertions) { &[][..] } else { &["--release"] })
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .output()
            .expect("cargo");
        let messages = String::from_utf8_lossy(&output.stdout);
        let artifacts: Vec<Value> = messages
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|message| message["reason"] == "compiler-artifact")
            .collect();
        let library = |name: &str| {
            let names = artifacts.iter().filter(|message| message["target"]["name"] == name);
            names
                .filter_map(|message| message["filenames"].as_array())
                .flatten()
                .filter_map(|name| name.as_str().map(PathBuf::from))
                .find(|path| path.extension().is_some_and(|extension| extension == "rlib"))
                .unwrap_or_else(|| panic!("no {name}: {}", String::from_utf8_lossy(&output.stderr)))
        };
        let candor = library("candor");
        let directory = candor.parent().expect("a directory");
        let dependencies =
            if directory.ends_with("deps") { directory.to_owned() } else { directory.join("deps") };
        let serde_json = library("serde_json");
        Self { candor, serde_json, dependencies }
    }

    /// Compiles one file without generating code; returns whether it compiles, and the compiler's output.
    fn compile(&self, file: &Path) -> (bool, String) {
        self.rustc(file, &["--emit=metadata", "-Adead_code"])
    }

    /// Compiles one file to a program, and returns its path.
    fn build(&self, file: &Path) -> PathBuf {
        let (compiles, said) = self.rustc(file, &["--crate-type=bin", "-Cdebuginfo=0", "-Cstrip=debuginfo"]);
        assert!(compiles, "{}:\n{said}", file.display());
        let name = if cfg!(windows) { "case.exe" } else { "case" };
        scratch(file.file_stem().expect("a name")).join(name)
    }

    fn rustc(&self, file: &Path, arguments: &[&str]) -> (bool, String) {
        let output = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()))
            .args(["--edition=2024", "--crate-name=case", "--color=never"])
            .args(arguments)
            .arg("--out-dir")
            .arg(scratch(file.file_stem().expect("a name")))
            .arg(format!("--extern=candor={}", self.candor.display()))
            .arg(format!("--extern=serde_json={}", self.serde_json.display()))
            .arg(format!("-Ldependency={}", self.dependencies.display()))
            .env("CARGO_PKG_NAME", "granted")
            .env("CARGO_PKG_VERSION", "1.0.0")
            .arg(file)
            .output()
            .expect("rustc");
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Returns a directory for compiled files.
fn scratch(name: impl AsRef<Path>) -> PathBuf {
    let scratch = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("ui").join(name);
    std::fs::create_dir_all(&scratch).expect("a scratch directory");
    scratch
}

/// Compiles every file of a folder on two threads, and returns the failures that `judge` finds.
fn failures(folder: &str, judge: impl Fn(&str, bool, &str) -> Result<(), String> + Sync) -> Vec<String> {
    let library = Library::get();
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
fn safe_code_compiles_without_a_warning() {
    let failures = failures("ok", |_, compiles, said| {
        if compiles && said.is_empty() { Ok(()) } else { Err("does not compile cleanly".to_owned()) }
    });
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn each_mistake_is_refused_with_a_helpful_message() {
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
        // Phrases may be wrapped over lines.
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

/// Returns the doc comments of a source, as Markdown.
fn docs(source: &str) -> String {
    let is_doc = |line: &str| line.starts_with("//!") || line.starts_with("///");
    let lines = source.lines().map(str::trim_start).filter(|line| is_doc(line));
    lines.flat_map(|line| [line.get(4..).unwrap_or_default(), "\n"]).collect()
}

/// Returns the Rust examples in Markdown text.
fn examples(text: &str) -> Vec<String> {
    let mut examples: Vec<String> = Vec::new();
    let (mut is_inside, mut is_rust) = (false, false);
    for line in text.lines() {
        if let Some(language) = line.strip_prefix("```") {
            is_inside = !is_inside;
            is_rust = is_inside && matches!(language, "" | "no_run" | "rust" | "rust,no_run");
            if is_rust {
                examples.push(String::new());
            }
        } else if let Some(example) = examples.last_mut().filter(|_| is_rust) {
            example.push_str(line);
            example.push('\n');
        }
    }
    examples
}

fn source(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).expect("the source")
}

/// Runs an example, and returns the names of the events that it sends.
fn sent_by(program: &Path) -> Vec<String> {
    let server = testkit::Server::start([]);
    let mut program = Command::new(program);
    // A neutral environment: no variables, and a home without a stored choice.
    program.env_clear().env("HOME", scratch("home")).env("CANDOR_TEST_ENDPOINT", server.url());
    let output = program.output().expect("the example");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let names = server.events();
    names.iter().map(|event| event["event"].as_str().unwrap_or_default().to_owned()).collect()
}

/// Returns the program that can run here: only where it sends to is another, and a placeholder becomes a key.
fn twin(example: &str) -> String {
    let test_server = ".endpoint(std::env::var(\"CANDOR_TEST_ENDPOINT\").unwrap())";
    let example = &example.replace(".api_key(\"phc_..\")", ".api_key(\"phc_test\")");
    let cloud = ".posthog_eu(\"phc_..\")";
    if example.contains(cloud) {
        return example.replace(cloud, &format!(".posthog_eu(\"phc_test\"){test_server}"));
    }
    let (before, url) = example.split_once(".endpoint(").expect("an endpoint");
    let (_, after) = url.split_once(')').expect("its end");
    format!("{before}{test_server}{after}")
}

#[test]
fn the_examples_of_the_readme_compile_as_printed_and_arrive() {
    let library = Library::get();
    let readme = examples(&source("README.md"));
    let mut sent = Vec::new();
    for (number, example) in readme.iter().enumerate() {
        assert!(example.contains("fn main()"), "not a whole program:\n{example}");
        let file = scratch("readme").join(format!("readme-{number}.rs"));
        std::fs::write(&file, example).expect("the example");
        let is_meant_to_send = example.contains("candor::init");
        if !is_meant_to_send {
            let (compiles, said) = library.compile(&file);
            assert!(compiles && said.is_empty(), "{example}\n{said}");
            continue;
        }
        std::fs::write(&file, twin(example)).expect("the twin");
        sent.push(sent_by(&library.build(&file)));
    }
    let front_page = examples(&docs(&source("src/lib.rs")));
    assert_eq!(front_page[0], readme[0], "the crate and its README begin with one program");
    let posthog = ["$identify", "$create_alias", "$groupidentify", "page viewed", "order placed"];
    assert_eq!(sent, [vec!["server started"], posthog.to_vec()]);
}

/// Returns every file of a folder and its subfolders.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// Without consent nothing is sent, so an example without it would confuse its readers.
#[test]
fn every_example_that_starts_a_client_names_its_consent() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &PathBuf| std::fs::read_to_string(path).expect("the source");
    let mut starting = examples(&read(&root.join("README.md")));
    starting.extend(files(&root.join("src")).iter().flat_map(|path| {
        let is_page = path.extension().is_some_and(|extension| extension == "md");
        examples(&if is_page { read(path) } else { docs(&read(path)) })
    }));
    let is_start = |example: &String| {
        // A `TestClient` has the consent of the test.
        let example = example.replace("TestClient::new(", "");
        ["candor::init(", "candor::init_or_disabled(", "Client::new("]
            .iter()
            .any(|call| example.contains(call))
    };
    starting.retain(is_start);
    assert!(starting.len() >= 5, "only {} examples", starting.len());
    for example in starting {
        assert!(example.contains("consent("), "{example}");
    }
}
