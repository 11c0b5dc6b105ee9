//! Every numbered promise in scope has a test, and every test has its number.

/// The promises of each policy: prefix, name and number of promises.
const PROMISES: [(&str, &str, u32); 3] = [("ins", "INS", 42), ("cf", "CF", 33), ("ck", "CK", 43)];

/// Promises about web sites, which do not apply to servers and command-line programs: consent before the first page
/// view, the identifiers of visitors, how visitors withdraw, what pages collect, and how a dashboard shows it.
const OUT_OF_SCOPE: std::ops::RangeInclusive<u32> = 35..=43;

/// Promises that are ours and not in the published texts.
const HARDENING: [(&str, u32); 11] = [
    ("ins", 18),
    ("ins", 20),
    ("ins", 31),
    ("ins", 42),
    ("cf", 12),
    ("cf", 13),
    ("cf", 14),
    ("cf", 27),
    ("cf", 28),
    ("cf", 29),
    ("cf", 33),
];

/// Promises of the text that we also harden.
const BOTH: [(&str, u32); 1] = [("ck", 1)];

const SOURCES: [&str; 4] = [
    include_str!("canary.rs"),
    include_str!("cdk_insights.rs"),
    include_str!("cilock.rs"),
    include_str!("common_fate.rs"),
];

/// The names of the tests of one promise.
fn tests_of(prefix: &str, number: u32) -> Vec<&'static str> {
    let start = format!("fn {prefix}_{number:02}_");
    let mut found = Vec::new();
    for source in SOURCES {
        let mut lines = source.lines().map(str::trim).peekable();
        while let Some(line) = lines.next() {
            let is_test = line == "#[test]";
            if let Some(next) = lines.peek().filter(|next| is_test && next.starts_with(&start)) {
                found.push(next.trim_start_matches("fn ").split('(').next().unwrap_or_default());
            }
        }
    }
    found
}

#[test]
fn every_promise_in_scope_has_a_test_with_its_mark() {
    let mut missing = Vec::new();
    for (prefix, name, max) in PROMISES {
        for number in 1..=max {
            let tests = tests_of(prefix, number);
            if prefix == "ck" && OUT_OF_SCOPE.contains(&number) {
                assert!(tests.is_empty(), "{name}-{number} is out of scope");
                continue;
            }
            if tests.is_empty() {
                missing.push(format!("{name}-{number}"));
            }
            let hardening = tests.iter().filter(|test| test.contains("_hardening_")).count();
            let expected = if HARDENING.contains(&(prefix, number)) {
                tests.len()
            } else {
                usize::from(BOTH.contains(&(prefix, number)))
            };
            assert_eq!(hardening, expected, "{name}-{number}: {tests:?}");
        }
    }
    assert!(missing.is_empty(), "without a test: {missing:?}");
}
