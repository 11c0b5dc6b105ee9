//! Tests of the log, including attempts to change it.

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use super::reader::Break;
use super::{Body, FILE, MAX_BYTES, SentLog, SentRequest, read};

const AT: &str = "2026-01-31T12:00:00.000Z";

/// A directory that is deleted when the test is over.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Self {
        let dir = std::env::temp_dir().join(format!("candor-sent-log-{}", uuid::Uuid::new_v4().simple()));
        fs::create_dir(&dir).unwrap();
        Self(dir)
    }

    fn log(&self) -> PathBuf {
        self.0.join("state").join(FILE)
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn log_at(path: &Path) -> SentLog {
    let hide = Some(("phc_secret".to_owned(), "phc_...".to_owned()));
    SentLog::new(path.to_owned(), "https://t.example.com".to_owned(), "posthog-v0", hide)
}

fn append(log: &SentLog, body: &[u8]) {
    log.append(&SentRequest { at: AT, events: 1, status: 200, body }, || true);
}

fn bodies(path: &Path) -> Vec<Vec<u8>> {
    read(path).unwrap().unwrap().entries.iter().map(|entry| entry.body.bytes().unwrap()).collect()
}

fn broken(path: &Path) -> Option<usize> {
    read(path).unwrap().unwrap().broken.map(|broken| broken.line)
}

#[test]
fn lines_are_read_back_as_they_were_sent() {
    let dir = Dir::new();
    let log = log_at(&dir.log());
    let sent: [&[u8]; 3] = [b"{\"batch\":[\"\\u0000 \xc3\xa9\"]}", b"", b"\xff\xfe not text"];
    for body in sent {
        append(&log, body);
    }
    assert_eq!(bodies(&dir.log()), sent);
    assert_eq!(broken(&dir.log()), None);
    let entry = &read(&dir.log()).unwrap().unwrap().entries[0];
    assert_eq!((entry.at.as_str(), entry.endpoint.as_str()), (AT, "https://t.example.com"));
    assert_eq!((entry.protocol.as_str(), entry.events, entry.status), ("posthog-v0", 1, 200));
    assert_eq!((entry.bytes, entry.missed), (sent[0].len() as u64, 0));
}

#[test]
fn the_key_is_hidden_and_nothing_else_is_changed() {
    let dir = Dir::new();
    append(&log_at(&dir.log()), br#"{"api_key":"phc_secret","batch":[]}"#);
    let text = fs::read_to_string(dir.log()).unwrap();
    assert!(!text.contains("phc_secret"), "{text}");
    let entry = &read(&dir.log()).unwrap().unwrap().entries[0];
    assert_eq!(entry.body, Body::Text(r#"{"api_key":"phc_...","batch":[]}"#.to_owned()));
    assert_eq!(entry.api_key_shown_as.as_deref(), Some("phc_..."));
    assert_eq!(entry.bytes, 35, "the size of what was sent");
}

#[test]
fn a_changed_or_missing_line_breaks_the_chain_at_its_place() {
    let dir = Dir::new();
    let log = log_at(&dir.log());
    for number in 1..=4 {
        append(&log, format!("{{\"number\":{number}}}").as_bytes());
    }
    let whole = fs::read_to_string(dir.log()).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    let with = |changed: Vec<String>| {
        fs::write(dir.log(), changed.join("\n") + "\n").unwrap();
        broken(&dir.log())
    };
    let copy = || lines.iter().map(|line| (*line).to_owned()).collect::<Vec<_>>();
    assert_eq!(with(copy()), None);
    for index in 0..lines.len() {
        let mut changed = copy();
        changed[index] = changed[index].replacen("2026", "2025", 1);
        assert_eq!(with(changed), Some(index + 1), "line {} changed", index + 1);
        let mut removed = copy();
        removed.remove(index);
        // Lines cut off at the end leave no trace in the lines before them.
        let wanted = (index + 1 < lines.len()).then_some(index + 1);
        assert_eq!(with(removed), wanted, "line {} removed", index + 1);
    }
    let mut swapped = copy();
    swapped.swap(2, 3);
    assert_eq!(with(swapped), Some(3));
    let mut noise = copy();
    noise[2] = "noise".to_owned();
    assert_eq!(with(noise), Some(3));
}

#[test]
fn a_line_after_a_changed_one_is_kept_but_does_not_repair_the_chain() {
    let dir = Dir::new();
    let log = log_at(&dir.log());
    append(&log, b"one");
    fs::write(dir.log(), fs::read_to_string(dir.log()).unwrap().replace("one", "two")).unwrap();
    append(&log, b"three");
    let said = read(&dir.log()).unwrap().unwrap();
    assert_eq!(said.broken.map(|Break { line, .. }| line), Some(2));
    assert_eq!(said.entries.len(), 2);
}

#[test]
fn an_unfinished_line_is_cut_off_and_counted() {
    let dir = Dir::new();
    let log = log_at(&dir.log());
    append(&log, b"one");
    append(&log, b"two");
    let whole = fs::read(dir.log()).unwrap();
    fs::write(dir.log(), &whole[..whole.len() - 20]).unwrap();
    assert_eq!(broken(&dir.log()), Some(3));
    append(&log, b"three");
    assert_eq!(bodies(&dir.log()), [b"one".as_slice(), b"three"]);
    assert_eq!(broken(&dir.log()), None);
    assert_eq!(read(&dir.log()).unwrap().unwrap().entries[1].missed, 1);
    // A log whose writer was killed during the first write has only part of its beginning.
    let beginning = whole.iter().position(|byte| *byte == b'\n').unwrap() + 9;
    fs::write(dir.log(), &whole[..beginning]).unwrap();
    append(&log, b"four");
    assert_eq!((bodies(&dir.log()), broken(&dir.log())), (vec![b"four".to_vec()], None));
}

#[test]
fn the_oldest_half_is_removed_and_the_chain_continues() {
    let dir = Dir::new();
    let log = log_at(&dir.log());
    let body = |number: u32| format!("{number:>7}{}", "x".repeat(40_000)).into_bytes();
    for number in 0..70 {
        append(&log, &body(number));
        assert!(fs::metadata(dir.log()).unwrap().len() <= MAX_BYTES as u64);
    }
    let said = read(&dir.log()).unwrap().unwrap();
    assert_eq!(said.broken, None);
    assert_eq!(said.removed + said.entries.len() as u64, 70);
    assert!(said.removed > 26, "{} were removed", said.removed);
    assert_eq!(said.entries.last().unwrap().body.bytes().unwrap(), body(69));
    let names: Vec<_> =
        fs::read_dir(dir.0.join("state")).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(names, [FILE], "nothing is left beside the log");
}

#[test]
fn only_the_digest_of_a_large_body_is_kept() {
    let dir = Dir::new();
    let body = vec![b'x'; MAX_BYTES];
    append(&log_at(&dir.log()), &body);
    let entry = &read(&dir.log()).unwrap().unwrap().entries[0];
    assert!(matches!(&entry.body, Body::Digest(digest) if digest.len() == 64), "{entry:?}");
    assert_eq!(entry.bytes, body.len() as u64);
}

#[test]
fn twenty_writers_produce_one_chain() {
    let dir = Dir::new();
    thread::scope(|scope| {
        for writer in 0..20 {
            let path = dir.log();
            scope.spawn(move || {
                let log = log_at(&path);
                for number in 0..10 {
                    append(&log, format!("{writer} {number} {}", "x".repeat(6000)).as_bytes());
                }
            });
        }
    });
    let said = read(&dir.log()).unwrap().unwrap();
    assert_eq!(said.broken, None);
    let missed: u64 = said.entries.iter().map(|entry| entry.missed).sum();
    let logged = said.removed + said.entries.len() as u64;
    assert!(logged + missed <= 200 && logged > 0, "{logged} and {missed}");
}

#[test]
fn without_consent_nothing_is_written() {
    let dir = Dir::new();
    let request = SentRequest { at: AT, events: 1, status: 200, body: b"{}" };
    log_at(&dir.log()).append(&request, || false);
    assert!(!dir.log().parent().unwrap().exists());
    assert_eq!(read(&dir.log()).unwrap(), None);
}

#[test]
fn requests_that_could_not_be_logged_are_counted_by_the_next_line() {
    let dir = Dir::new();
    let log = log_at(&dir.log());
    fs::write(dir.0.join("state"), "a file where the directory would be").unwrap();
    append(&log, b"one");
    append(&log, b"two");
    fs::remove_file(dir.0.join("state")).unwrap();
    append(&log, b"three");
    assert_eq!(read(&dir.log()).unwrap().unwrap().entries[0].missed, 2);
}

#[cfg(unix)]
#[test]
fn the_log_is_private_and_never_written_through_a_link() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let dir = Dir::new();
    append(&log_at(&dir.log()), b"one");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir.log()), 0o600);
    assert_eq!(mode(dir.log().parent().unwrap()), 0o700);

    let (other, link) = (dir.0.join("other"), dir.0.join("link"));
    fs::write(&other, "somebody's").unwrap();
    symlink(&other, &link).unwrap();
    append(&log_at(&link), b"two");
    assert_eq!(fs::read_to_string(&other).unwrap(), "somebody's");
    assert!(read(&link).is_err());

    symlink(dir.0.join("state"), dir.0.join("elsewhere")).unwrap();
    append(&log_at(&dir.0.join("elsewhere").join(FILE)), b"three");
    assert_eq!(bodies(&dir.log()), [b"one"]);
}
