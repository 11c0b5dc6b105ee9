//! Each name of PostHog's that begins with `$` is spelt in one place of the crate, so that it cannot be misspelt in another.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// Names that are not PostHog's, or stand in a message of the compiler, which takes no constants.
const OTHERS: [&str; 3] = ["$schema", "$serde_json", "$current_url"];

/// Returns the names in quotes, escaped or not, that the code of a file holds.
fn names(text: &str) -> Vec<String> {
    let code = text.split("\nmod tests {").next().unwrap_or_default();
    let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut names = Vec::new();
    for line in lines {
        for (at, _) in line.match_indices("\"$") {
            let name: String =
                line[at + 1..].chars().take_while(|c| "$_".contains(*c) || c.is_ascii_lowercase()).collect();
            if name.len() > 1 && !OTHERS.contains(&name.as_str()) {
                names.push(name);
            }
        }
    }
    names
}

/// Calls `look` with each source file that is part of a build.
fn each_source(folder: &Path, look: &mut impl FnMut(&Path, &str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_test = path.file_stem().is_some_and(|name| name == "tests");
        if path.is_dir() && !is_test {
            each_source(&path, look);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !is_test {
            look(&path, &fs::read_to_string(&path).unwrap());
        }
    }
}

#[test]
fn each_reserved_name_is_spelt_once() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut declared, mut elsewhere) = (Vec::new(), Vec::new());
    each_source(&root, &mut |path, text| {
        let found = names(text);
        if path.ends_with("event/reserved.rs") {
            declared = found;
        } else if !found.is_empty() {
            elsewhere.push((path.to_owned(), found));
        }
    });
    assert!(elsewhere.is_empty(), "use `event::reserved` in place of {elsewhere:?}");
    let once: BTreeSet<_> = declared.iter().collect();
    assert_eq!(once.len(), declared.len(), "{declared:?}");
    assert!(once.len() > 20, "only {} names were found: does this test still read the sources?", once.len());
}

#[test]
fn a_name_is_seen_in_text_and_in_bytes_but_not_in_comments_and_tests() {
    let text = "/// \"$lib\"\nlet a = \"$groups\"; let b = b\"\\\"$set\\\":\"; // no\n\
                let c = \"$schema\"; let d = \"${a}\";\n#[cfg(test)]\nmod tests { \"$lib\" }";
    assert_eq!(names(text), ["$groups", "$set"]);
}
