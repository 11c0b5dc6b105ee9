//! Random environments: a variable must never grant if the application did not allow it.
#![no_main]

use candor::consent::{CiProvider, ConsentState, Facts, Inputs, decide};
use candor::{Consent, Env};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    let env = text.lines().filter_map(|line| line.split_once('=')).fold(Env::empty(), |env, (name, value)| {
        env.with(name, value)
    });
    let _ = CiProvider::detect(&env);
    let facts = Facts::new("tool", Consent::opt_in(), Some("https://t.example.com".into()));
    assert_ne!(decide(&Inputs::new(facts, env, 1_790_000_000)).state(), ConsentState::Granted);
});
