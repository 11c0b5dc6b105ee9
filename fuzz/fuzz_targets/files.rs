//! Random contents of the gate's files: a file must never turn a denial by another source into a grant.
#![no_main]

use candor::consent::{ConsentState, Facts, FileState, Inputs, Source, Subject, decide};
use candor::{Consent, Env, Notice};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let name = ["/a.json", "/a.toml", "/a.yml"][usize::from(first % 3)];
    let source = Source::new(name, FileState::read(rest));
    let consent = Consent::opt_out(Notice::shown("we count")).subject(Subject::User).subject(Subject::Project);
    let facts = Facts::new("tool", consent, Some("https://t.example.com".into()));
    let mut inputs = Inputs::new(facts, Env::empty(), 1_790_000_000);
    let files = &mut inputs.files;
    match first / 3 % 5 {
        0 => files.policy = source,
        1 => files.deployment = source,
        2 => files.project = source,
        3 => files.choice = source,
        _ => files.receipt = source,
    }
    let _ = decide(&inputs);
    inputs.env = inputs.env.with("DO_NOT_TRACK", "1");
    assert_eq!(decide(&inputs).state(), ConsentState::Denied);
});
