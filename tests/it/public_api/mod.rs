//! The public face: a list of every public item, so a change of it is a deliberate line in a diff.
//! `CANDOR_RENEW=1 cargo test --test it public_api` writes the list anew.

mod walker;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use walker::Sources;

const GOLDEN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/public_api.txt");

/// Reads the modules of a folder, by their paths in the crate.
fn read(folder: &Path, module: &str, texts: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let inner = if module.is_empty() { name.clone() } else { format!("{module}::{name}") };
        if path.is_dir() {
            read(&path, &inner, texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let is_face = name == "mod" || inner == "lib";
            texts.push((if is_face { module.to_owned() } else { inner }, fs::read_to_string(&path).unwrap()));
        }
    }
}

fn public_items() -> Vec<String> {
    let mut texts = Vec::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut texts);
    Sources::new(texts.iter().map(|(module, text)| (module.as_str(), text.as_str()))).public_items("candor")
}

fn list(modules: &[(&str, &str)]) -> Vec<String> {
    Sources::new(modules.iter().copied()).public_items("c")
}

#[test]
fn the_public_api_is_the_one_in_the_list() {
    let items = public_items();
    assert!(items.len() > 400, "only {} items: does this test still read the sources?", items.len());
    let text = items.join("\n") + "\n";
    if std::env::var_os("CANDOR_RENEW").is_some() {
        fs::write(GOLDEN, &text).unwrap();
    }
    let golden = fs::read_to_string(GOLDEN).unwrap_or_default();
    let (old, new): (BTreeSet<&str>, BTreeSet<&str>) = (golden.lines().collect(), text.lines().collect());
    let gone: Vec<_> = old.difference(&new).collect();
    let added: Vec<_> = new.difference(&old).collect();
    assert!(
        gone.is_empty() && added.is_empty(),
        "the public API has changed; if that is meant, run this test with CANDOR_RENEW=1\n\
         gone: {gone:#?}\nadded: {added:#?}"
    );
}

#[test]
fn the_root_holds_what_every_user_touches() {
    let items = public_items();
    let names = items.iter().filter_map(|line| {
        let path = line.split_whitespace().find(|word| word.starts_with("candor::"))?;
        let name = path.strip_prefix("candor::")?.split(['(', '<', ':']).next()?;
        let is_at_root =
            path.strip_prefix("candor::")?.starts_with(name) && !path["candor::".len()..].contains("::");
        let is_kind = ["pub mod", "impl", "macro", "pub use"].iter().any(|kind| line.starts_with(kind));
        (is_at_root && !is_kind).then_some(name)
    });
    let names: BTreeSet<&str> = names.collect();
    assert!((45..=52).contains(&names.len()), "{}: {names:?}", names.len());
    let modules: Vec<&str> = items.iter().filter_map(|line| line.strip_prefix("pub mod candor::")).collect();
    let modules =
        modules.iter().filter(|name| !name.contains("::")).map(|name| name.split(' ').next().unwrap());
    assert_eq!(
        modules.collect::<Vec<_>>(),
        ["_documentation", "cli", "consent", "encode", "schema", "testing", "tower", "transport", "wire"]
    );
}

/// Types that will have no further variant or field, so that applications may match or write all.
const CLOSED: [&str; 3] = [
    "candor::cli::Answer",           // yes or no
    "candor::consent::ConsentState", // granted, denied, or neither yet
    "candor::consent::Vote",         // deny, grant, or abstain
];

#[test]
fn what_may_grow_is_non_exhaustive() {
    let items = public_items();
    let has_public_fields = |path: &str| items.iter().any(|line| line.starts_with(&format!("pub {path}::")));
    let mut closed = Vec::new();
    for line in &items {
        let Some((kind, rest)) =
            ["pub struct ", "pub enum "].iter().find_map(|kind| Some((kind, line.strip_prefix(kind)?)))
        else {
            continue;
        };
        let path = rest.split(['<', ' ']).next().unwrap().trim_end_matches(':');
        if *kind == "pub enum " || has_public_fields(path) {
            closed.push(path);
        }
    }
    assert_eq!(closed, CLOSED);
}

#[test]
fn every_name_method_and_attribute_of_the_face_is_seen() {
    let root = "mod client;\npub mod wire;\npub use client::{Client, Mode as Way, start};\n#[doc(hidden)] pub use client::Inner;";
    let client = "use crate::wire::Envelope;
        #[derive(Clone)] pub struct Client { pub id: u8, inner: Inner }
        impl Client { pub fn flush(&self, time: Duration) -> Result<Flushed, E> {} fn secret(&self) {} #[doc(hidden)] pub fn private(&self) {} }
        impl Drop for Client { fn drop(&mut self) {} }
        impl Envelope for Client {}
        pub struct Inner; impl Inner { pub fn unseen(&self) {} } impl Envelope for Inner {}
        #[non_exhaustive] pub enum Mode { On, Off { why: String } }
        pub(crate) fn internal() {}
        pub const fn start<T: Into<u8>>(value: T) {}
        #[macro_export] macro_rules! event { () => {} }
        #[cfg(test)] pub fn in_tests() {}
        #[cfg(test)] mod tests;";
    let tests = "use crate::wire::Envelope; struct Brittle; impl Envelope for Brittle {}";
    let wire =
        "/// A body.\npub trait Envelope: Send { const MAX: usize; fn path(&self) -> &str; fn end(&self) {} }
        #[cfg(feature = \"tower\")] pub use other::Layer;";
    let seen = list(&[("", root), ("client", client), ("client::tests", tests), ("wire", wire)]);
    let expected = [
        "pub struct c::Client { .. }: Clone",
        "impl Drop for Client",
        "impl Envelope for Client",
        "pub fn c::Client::flush(&self, time: Duration) -> Result<Flushed, E>",
        "pub c::Client::id: u8",
        "#[non_exhaustive] pub enum c::Way",
        "c::Way::Off { why: String }",
        "c::Way::On",
        "macro c::event!",
        "pub const fn c::start<T: Into<u8>>(value: T)",
        "pub mod c::wire",
        "pub trait c::wire::Envelope: Send",
        "const c::wire::Envelope::MAX: usize",
        "pub fn c::wire::Envelope::end(&self) { .. }",
        "pub fn c::wire::Envelope::path(&self) -> &str",
        "pub use c::wire::Layer = other::Layer [feature = \"tower\"]",
    ];
    assert_eq!(seen.iter().collect::<BTreeSet<_>>(), expected.map(str::to_owned).iter().collect());

    // Each of these changes the face, so each changes the list.
    for (from, to) in [
        ("pub fn flush", "fn flush"),
        ("#[non_exhaustive] ", ""),
        ("pub id", "id"),
        ("#[derive(Clone)]", ""),
        ("value: T", "value: &T"),
        ("time: Duration", "time: u64"),
        ("Off { why: String }", "Off"),
        ("impl Drop for Client { fn drop(&mut self) {} }", ""),
    ] {
        assert!(client.contains(from), "{from}");
        let changed = client.replace(from, to);
        assert_ne!(list(&[("", root), ("client", &changed), ("wire", wire)]), seen, "{from}");
    }
    let renamed = root.replace("Mode as Way", "Mode");
    assert_ne!(list(&[("", &renamed), ("client", client), ("wire", wire)]), seen);
    // This does not: nobody outside can see it.
    let internal = client.replace("fn internal()", "fn other()").replace("fn secret", "fn hushed");
    assert_eq!(list(&[("", root), ("client", &internal), ("wire", wire)]), seen);
}
