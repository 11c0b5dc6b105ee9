//! The rooms of the crate: a room imports only from the rooms before it, and no files form a circle of imports.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The rooms in their order: each may import from those before it.
const ROOMS: [&str; 27] = [
    "printable",
    "error",
    "panic",
    "clock",
    "timestamp",
    "json",
    "observe",
    "document",
    "settings",
    "schema",
    "field",
    "event",
    "encode",
    "catalogue",
    "consent",
    "wire",
    "transport",
    "queue",
    "capture",
    "deliver",
    "config",
    "client",
    "testing",
    "global",
    "cli",
    "tower",
    "derives",
];

/// The source files by module path, with their imports.
#[derive(Default)]
struct House {
    files: BTreeMap<String, File>,
}

#[derive(Default)]
struct File {
    first_line: String,
    /// The paths that the code names, as written.
    names: Vec<String>,
    /// The names that a `pub use` re-exports, with the paths that they refer to.
    faces: BTreeMap<String, String>,
    /// The types to which an `impl` without a trait gives methods.
    implemented: BTreeSet<String>,
}

impl House {
    fn of(folder: &Path) -> Self {
        let mut house = Self::default();
        house.read(folder, "");
        house
    }

    fn read(&mut self, folder: &Path, module: &str) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let inner = if module.is_empty() { name.clone() } else { format!("{module}::{name}") };
            if path.is_dir() {
                self.read(&path, &inner);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let is_face = name == "mod" || inner == "lib";
                let text = fs::read_to_string(&path).unwrap();
                self.add(if is_face { module } else { &inner }, &text);
            }
        }
    }

    fn add(&mut self, module: &str, text: &str) {
        self.files.insert(module.to_owned(), File::of(text));
    }

    /// Returns the imports from file to file, except for re-exports, which only forward a name.
    fn arrows(&self) -> BTreeMap<&str, BTreeSet<&str>> {
        let mut arrows = BTreeMap::new();
        for (module, file) in self.files.iter().filter(|(module, _)| !module.is_empty()) {
            let targets = file.names.iter().filter_map(|name| self.home(&self.absolute(module, name)?, 0));
            arrows.insert(module.as_str(), targets.filter(|target| target != module).collect());
        }
        arrows
    }

    /// Returns a path relative to the crate's root, or `None` if it leads out of the crate.
    fn absolute(&self, module: &str, path: &str) -> Option<Vec<String>> {
        let mut here: Vec<String> =
            module.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
        let mut parts = path.split("::").peekable();
        match *parts.peek()? {
            "crate" => {
                here.clear();
                parts.next();
            }
            "self" => drop(parts.next()),
            "super" => {
                while parts.next_if_eq(&"super").is_some() {
                    here.pop();
                }
            }
            first => {
                let child = here.iter().map(String::as_str).chain([first]).collect::<Vec<_>>().join("::");
                self.files.get(&child)?;
            }
        }
        here.extend(parts.map(str::to_owned));
        Some(here)
    }

    /// Returns the file that defines the item of a path, following re-exports.
    fn home(&self, path: &[String], depth: usize) -> Option<&str> {
        for end in (0..=path.len()).rev() {
            let Some((module, file)) = self.files.get_key_value(&path[..end].join("::")) else { continue };
            let face = path.get(end).and_then(|name| file.faces.get(name)).filter(|_| depth < 8);
            let beyond = face.and_then(|face| self.absolute(module, face));
            let onward = beyond.and_then(|beyond| {
                self.home(&[beyond.as_slice(), &path[(end + 1).min(path.len())..]].concat(), depth + 1)
            });
            return onward.or(Some(module));
        }
        None
    }

    /// Returns the rooms that import from a room that is not before them.
    fn climbs(&self) -> BTreeSet<String> {
        let room = |module: &str| module.split("::").next().unwrap_or_default().to_owned();
        let place = |room: &str| {
            let found = ROOMS.iter().position(|known| *known == room);
            found.unwrap_or_else(|| panic!("the room {room:?} has no place: give it one in this test"))
        };
        let mut climbs = BTreeSet::new();
        for (from, targets) in self.arrows() {
            for to in targets.into_iter().filter(|to| !to.is_empty() && room(to) != room(from)) {
                if place(&room(to)) > place(&room(from)) {
                    climbs.insert(format!("{from} -> {to}"));
                }
            }
        }
        climbs
    }

    /// Returns the files that give methods to each type, by the path of the type.
    fn implementations(&self) -> BTreeMap<String, BTreeSet<&str>> {
        let mut types: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for (module, file) in &self.files {
            for name in &file.implemented {
                let imported = file.names.iter().find(|path| path.rsplit("::").next() == Some(name));
                let path = imported.and_then(|path| self.absolute(module, path));
                let home = path.and_then(|path| self.home(&path, 0)).unwrap_or(module);
                types.entry(format!("{home}::{name}")).or_default().insert(module);
            }
        }
        types
    }

    /// Returns every group of files that all reach each other.
    fn circles(&self) -> BTreeSet<Vec<&str>> {
        let arrows = self.arrows();
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            arrows.keys().map(|start| (*start, reach(&arrows, start))).collect();
        let mut circles = BTreeSet::new();
        for (file, theirs) in reached.iter().filter(|(file, theirs)| theirs.contains(*file)) {
            circles.insert(theirs.iter().copied().filter(|other| reached[other].contains(file)).collect());
        }
        circles
    }
}

fn reach<'a>(arrows: &BTreeMap<&'a str, BTreeSet<&'a str>>, start: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![start];
    while let Some(file) = open.pop() {
        for target in arrows.get(file).into_iter().flatten().filter(|target| !target.is_empty()) {
            if reached.insert(*target) {
                open.push(target);
            }
        }
    }
    reached
}

impl File {
    fn of(text: &str) -> Self {
        let first_line = text.lines().next().unwrap_or_default().to_owned();
        let code: String = text.lines().map(|line| line.split("//").next().unwrap_or_default()).fold(
            String::new(),
            |mut code, line| {
                code.push_str(line);
                code.push('\n');
                code
            },
        );
        let code = without_tests(&code);
        let implemented = code.lines().filter_map(implemented).map(str::to_owned).collect();
        let mut file = Self { first_line, implemented, ..Self::default() };
        for statement in code.split(';') {
            file.take(statement);
        }
        file
    }

    /// Records the paths of one `use` statement.
    fn take(&mut self, statement: &str) {
        let start = statement
            .match_indices("use ")
            .map(|(at, _)| at)
            .find(|at| statement[..*at].chars().next_back().is_none_or(char::is_whitespace));
        let Some(start) = start else { return self.take_paths(statement) };
        self.take_paths(&statement[..start]);
        let is_face =
            statement[..start].lines().last().is_some_and(|line| line.trim_start().starts_with("pub"));
        for path in leaves(&statement[start + "use ".len()..]) {
            let (path, name) =
                path.split_once(" as ").map_or((path.as_str(), None), |(path, name)| (path, Some(name)));
            let path = path.trim().trim_end_matches("::self").to_owned();
            let name =
                name.map_or_else(|| path.rsplit("::").next().unwrap_or_default(), str::trim).to_owned();
            if is_face {
                self.faces.insert(name, path);
            } else {
                self.names.push(path);
            }
        }
    }

    /// Records the paths in other code: those that begin at the crate's root, above, or in a module of this one.
    fn take_paths(&mut self, code: &str) {
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        for (at, _) in code.match_indices("::") {
            let start = code[..at].rfind(|c| !is_name(c)).map_or(0, |before| before + 1);
            let before = code[..start].chars().next_back();
            let is_first = before.is_none_or(|before| !":$.\"".contains(before));
            let is_visibility = code[..start].ends_with("pub(in ");
            if !is_first || is_visibility || !code[start..].starts_with(|c: char| c.is_ascii_lowercase()) {
                continue;
            }
            let path: String = code[start..].chars().take_while(|c| is_name(*c) || *c == ':').collect();
            self.names.push(path.trim_end_matches(':').to_owned());
        }
    }
}

/// Leaves out the items that are compiled only for tests, which may import anything.
fn without_tests(code: &str) -> String {
    let (mut kept, mut rest) = (String::new(), code);
    while let Some(at) = ["#[cfg(test)]", "#[cfg(all(test"].iter().filter_map(|mark| rest.find(mark)).min() {
        kept.push_str(&rest[..at]);
        let item = &rest[at..];
        let (mut depth, mut end) = (0, item.len());
        for (index, letter) in item.char_indices() {
            depth += i32::from(letter == '{') - i32::from(letter == '}');
            if depth == 0 && (letter == ';' || letter == '}') {
                end = index + 1;
                break;
            }
        }
        rest = &item[end..];
    }
    kept + rest
}

/// Returns the type of an `impl` without a trait that begins in this line.
fn implemented(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("impl")?;
    if line.contains(" for ") {
        return None;
    }
    let mut depth = 0;
    let start = rest.find(|letter: char| {
        depth += i32::from(letter == '<') - i32::from(letter == '>');
        depth == 0 && letter.is_alphabetic()
    })?;
    let path = rest[start..].split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).next()?;
    path.rsplit("::").next()
}

/// Expands a tree of imports to one path for each leaf.
fn leaves(tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some((head, inner)) = tree.split_once('{') else {
        return if tree.is_empty() { Vec::new() } else { vec![tree.to_owned()] };
    };
    let inner = inner.trim_end().strip_suffix('}').unwrap_or(inner);
    let (mut parts, mut depth) = (vec![String::new()], 0);
    for letter in inner.chars() {
        depth += i32::from(letter == '{') - i32::from(letter == '}');
        if letter == ',' && depth == 0 {
            parts.push(String::new());
        } else if let Some(part) = parts.last_mut() {
            part.push(letter);
        }
    }
    parts.iter().flat_map(|part| leaves(part)).map(|leaf| format!("{}{leaf}", head.trim())).collect()
}

fn crate_and_derives() -> [House; 2] {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    [House::of(&root.join("src")), House::of(&root.join("derive/src"))]
}

#[test]
fn no_arrow_climbs() {
    let [house, _] = crate_and_derives();
    assert_eq!(house.climbs(), BTreeSet::new());
    let arrows: usize = house.arrows().values().map(BTreeSet::len).sum();
    assert!(arrows > 300, "only {arrows} arrows were found: does this test still read the sources?");
}

#[test]
fn no_files_form_a_circle() {
    for house in crate_and_derives() {
        assert_eq!(house.circles(), BTreeSet::new());
    }
}

#[test]
fn the_methods_of_a_type_are_in_one_file_or_in_a_pair() {
    for house in crate_and_derives() {
        let spread: BTreeMap<_, _> =
            house.implementations().into_iter().filter(|(_, files)| files.len() > 2).collect();
        assert_eq!(spread, BTreeMap::new());
    }
    let [house, _] = crate_and_derives();
    let client = &house.implementations()["client::Client"];
    assert_eq!(*client, BTreeSet::from(["client", "client::internal"]));
}

#[test]
fn a_transport_requires_the_token() {
    let [house, _] = crate_and_derives();
    let arrows = house.arrows();
    let of_transport = arrows.iter().filter(|(from, _)| from.starts_with("transport"));
    let to_consent: BTreeSet<_> =
        of_transport.flat_map(|(_, targets)| targets).filter(|to| to.starts_with("consent")).collect();
    assert_eq!(to_consent, BTreeSet::from([&"consent::granted"]));
}

#[test]
fn every_file_starts_with_a_line_that_describes_it() {
    for house in crate_and_derives() {
        for (module, file) in &house.files {
            assert!(file.first_line.starts_with("//! "), "{module}: {}", file.first_line);
        }
    }
}

#[test]
fn items_for_tests_are_left_out_and_what_follows_them_is_not() {
    let file = File::of(
        "//! A client.\n#[cfg(test)]\nmod tests;\nuse crate::lane::Lane;\n#[cfg(test)]\nfn of() -> Lane {\n    \
         crate::testing::Lane {}\n}\nuse crate::queue::Queue;\n",
    );
    assert_eq!(file.names, ["crate::lane::Lane", "crate::queue::Queue"]);
}

#[test]
fn a_type_is_followed_to_its_home() {
    let mut house = House::default();
    house.add("", "mod event;");
    house.add("event", "pub use context::Context;\nmod context;");
    house.add("event::context", "struct Context;\nimpl Context {\n}\nimpl fmt::Debug for Context {\n}");
    house.add("capture", "use crate::event::Context;\nimpl<'a, T: Into<u8>> Context<'a> {\n}");
    house.add("tower", "impl Context {\n}");
    assert_eq!(
        house.implementations(),
        BTreeMap::from([
            ("event::context::Context".to_owned(), BTreeSet::from(["capture", "event::context"])),
            ("tower::Context".to_owned(), BTreeSet::from(["tower"])),
        ])
    );
}

#[test]
fn circles_and_climbs_are_found_through_re_exports() {
    let mut house = House::default();
    house.add("", "pub use wire::Protocol;\nmod wire;");
    house.add("wire", "mod v0;\npub use v0::{Protocol, of as protocol};");
    house.add("wire::v0", "// use crate::deliver::Worker;\nuse crate::error::Error;\nfn of() {}");
    house.add("deliver", "pub(crate) use worker::Worker;\nmod worker;\nmod sender;");
    house.add("deliver::worker", "use super::sender::{\n    Sender,\n};\nuse crate::wire::protocol;");
    house.add(
        "deliver::sender",
        "fn send() { super::Worker::new() }\n#[cfg(test)]\nuse crate::client::Client;",
    );
    house.add("error", "fn of() -> $crate::wire::Protocol { crate::Protocol::V0 }");
    house.add("client", "fn start() { lane::start() }");
    house.add("client::lane", "use super::Client;");
    assert_eq!(
        house.circles(),
        BTreeSet::from([
            vec!["client", "client::lane"],
            vec!["deliver::sender", "deliver::worker"],
            vec!["error", "wire::v0"],
        ])
    );
    assert_eq!(house.climbs(), BTreeSet::from(["error -> wire::v0".to_owned()]));
    assert_eq!(house.arrows()["deliver::worker"], BTreeSet::from(["deliver::sender", "wire::v0"]));
}
