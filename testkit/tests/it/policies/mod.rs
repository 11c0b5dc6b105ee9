//! Three published telemetry policies, with a test for each of their numbered promises. The programs of the large
//! examples run with streams, variables and files of the test, without the test's own environment.
//!
//! A test is named after its promise. `hardening` in a name marks a promise that is ours and not in the published
//! text; all others are the vendor's.

mod canary;
mod cdk_insights;
mod cilock;
mod common_fate;
mod edge;
mod envelopes;
mod numbers;
mod wrong;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use candor::Env;

use testkit::systems::program::Program;
use testkit::{cdk_insights as ins, cilock as ck, common_fate as cf};

/// A directory for one test.
pub(crate) struct Dir(PathBuf);

impl Dir {
    pub(crate) fn new() -> Self {
        static COUNTER: AtomicU32 = AtomicU32::new(0);
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("candor-policies-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("a directory for the test");
        Self(path)
    }

    pub(crate) fn with(name: &str, text: &str) -> Self {
        let dir = Self::new();
        dir.write(name, text);
        dir
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).expect("a file for the test");
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).expect("the file")
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn text(&self) -> String {
        self.0.display().to_string()
    }

    /// Returns the names of its entries.
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).expect("the directory");
        let name = |entry: std::io::Result<fs::DirEntry>| entry.expect("an entry").file_name();
        let mut names: Vec<_> = entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The result of a program.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: u8,
    pub(crate) output: String,
    pub(crate) errors: String,
}

type Run = fn(&mut Program<'_>) -> u8;

/// Runs a program without a person to ask.
pub(crate) fn play(run: Run, arguments: &[&str], env: &Env) -> Ran {
    act(run, arguments, env, None)
}

/// Runs a program with a person who types an answer.
pub(crate) fn talk(run: Run, arguments: &[&str], env: &Env, typed: &str) -> Ran {
    act(run, arguments, env, Some(typed))
}

fn act(run: Run, arguments: &[&str], env: &Env, typed: Option<&str>) -> Ran {
    let (mut output, mut errors) = (Vec::new(), Vec::new());
    let code = run(&mut Program {
        arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
        env: env.clone(),
        is_interactive: typed.is_some(),
        policy_file: Some(PathBuf::new()),
        input: &mut typed.unwrap_or_default().as_bytes(),
        output: &mut output,
        errors: &mut errors,
    });
    let text = |bytes| String::from_utf8(bytes).expect("text");
    Ran { code, output: text(output), errors: text(errors) }
}

/// Calls `work` with a program that does nothing, for what only depends on its environment.
pub(crate) fn idle<T>(env: Env, work: impl FnOnce(&Program<'_>) -> T) -> T {
    work(&Program {
        arguments: Vec::new(),
        env,
        is_interactive: false,
        policy_file: Some(PathBuf::new()),
        input: &mut "".as_bytes(),
        output: &mut Vec::new(),
        errors: &mut Vec::new(),
    })
}
