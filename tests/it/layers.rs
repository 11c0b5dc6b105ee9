//! The rooms of the crate and their arrows: a room imports only from the rooms before it in the list.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The rooms, each with what it imports above it.
const ROOMS: [&str; 23] = [
    "error",
    "clock",
    "timestamp",
    "json",
    "observe",
    "document",
    "settings",
    "schema",
    "field",
    "event",
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
    "derives",
];

/// Arrows that climb, each with its reason.
const ALLOWED: [(&str, &str, &str); 1] =
    [("event", "catalogue", "strict mode compares an event with the catalogue")];

fn layer(room: &str) -> usize {
    let found = ROOMS.iter().position(|known| *known == room);
    found.unwrap_or_else(|| panic!("the room {room:?} has no place: give it one in this test"))
}

/// Returns the rooms that a source text names behind `crate::`, outside of comments and macros.
fn named_rooms(source: &str) -> BTreeSet<String> {
    let code = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut rooms = BTreeSet::new();
    for line in code {
        let mut rest = line;
        while let Some(at) = rest.find("crate::") {
            let is_path = !rest[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$');
            rest = &rest[at + "crate::".len()..];
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            if is_path && !name.is_empty() {
                rooms.insert(name);
            }
        }
    }
    rooms
}

/// Calls `visit` with the room and the text of every source file but the crate's root.
fn each_source(visit: &mut impl FnMut(&str, &str)) {
    fn walk(folder: &Path, room: Option<&str>, visit: &mut impl FnMut(&str, &str)) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let room = room.unwrap_or(&name);
            if path.is_dir() {
                walk(&path, Some(room), visit);
            } else if path.extension().is_some_and(|extension| extension == "rs") && room != "lib" {
                visit(room, &fs::read_to_string(&path).unwrap());
            }
        }
    }
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), None, visit);
}

#[test]
fn no_arrow_climbs() {
    let mut wrong = BTreeSet::new();
    let mut arrows = 0;
    each_source(&mut |room, source| {
        for target in named_rooms(source).into_iter().filter(|target| target != room) {
            arrows += 1;
            let is_allowed = ALLOWED.iter().any(|(from, to, _)| (*from, *to) == (room, &*target));
            if layer(&target) >= layer(room) && !is_allowed {
                wrong.insert(format!("{room} -> {target}"));
            }
        }
    });
    assert!(wrong.is_empty(), "{wrong:?}");
    assert!(arrows > 30, "only {arrows} arrows were found: does this test still read the sources?");
}

#[test]
fn the_only_way_to_a_transport_is_the_token() {
    // The arrow from transport to consent is for the token alone.
    each_source(&mut |room, source| {
        for line in source.lines().filter(|line| room == "transport" && line.contains("crate::consent")) {
            assert_eq!(line.trim(), "use crate::consent::Granted;");
        }
    });
}

#[test]
fn every_file_says_in_its_first_lines_what_it_is() {
    let mut silent = Vec::new();
    each_source(&mut |room, source| {
        if !source.starts_with("//! ") {
            silent.push(format!("{room}: {}", source.lines().next().unwrap_or_default()));
        }
    });
    assert!(silent.is_empty(), "{silent:?}");
}

#[test]
fn the_reader_of_arrows_sees_what_it_should() {
    let source =
        "use crate::deliver::Queue;\n// use crate::client;\nlet x = $crate::open_client(); crate::wire::of()";
    assert_eq!(named_rooms(source).into_iter().collect::<Vec<_>>(), ["deliver", "wire"]);
}
