//! Corrupt, foreign and unwritable files: never an error for the application, and always counted.

use std::fs;

use candor::{LossReason, Spool};

use crate::rig::{Endpoint, LONG, Wire, adds_up, client, config, eventually, run, scratch};

#[test]
fn a_corrupt_file_is_quarantined_and_counted_and_stops_no_other() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Stalls));
    for n in 0..6 {
        run(config(&state, &wire, Spool::cli()), [n]);
    }
    let files = state.files();
    for file in &files[..5] {
        let mut bytes = fs::read(file).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(file, bytes).unwrap();
    }
    wire.set(Endpoint::Answers(200));
    let first = client(config(&state, &wire, Spool::cli()));
    eventually("the whole one to arrive", || wire.numbers() == [5]);
    eventually("its file to go", || state.files().is_empty());
    first.shutdown(LONG).unwrap();
    let stats = first.stats();
    adds_up(&stats);
    assert_eq!((stats.lost(LossReason::SpoolDamaged), stats.sent), (5, 1), "{stats}");
    // Later runs keep three of the damaged files.
    run(config(&state, &wire, Spool::cli()), []);
    eventually("the others to be removed", || {
        run(config(&state, &wire, Spool::cli()), []);
        let names = fs::read_dir(&state.buckets()[0]).unwrap().map(|entry| entry.unwrap().file_name());
        names.filter(|name| name.to_string_lossy().starts_with(".bad-")).count() == 3
    });
}

#[test]
fn a_file_of_a_later_version_is_left_alone() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Stalls));
    run(config(&state, &wire, Spool::cli()), [1]);
    let file = state.files().remove(0);
    fs::write(&file, "{\"version\":2,\"n\":1}\nsomething new").unwrap();
    wire.set(Endpoint::Answers(200));
    let stats = run(config(&state, &wire, Spool::server()), [2]);
    assert_eq!((stats.sent, stats.lost_total()), (1, 0), "{stats}");
    assert_eq!(state.files(), [file]);
}

#[test]
fn foreign_files_are_neither_read_nor_removed() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Stalls));
    run(config(&state, &wire, Spool::cli()), [1]);
    let foreign = state.buckets()[0].join("e-notes.txt");
    fs::write(&foreign, "mine").unwrap();
    wire.set(Endpoint::Answers(200));
    let client = client(config(&state, &wire, Spool::cli()));
    eventually("ours to arrive", || wire.numbers() == [1]);
    client.shutdown(LONG).unwrap();
    assert_eq!(fs::read(&foreign).unwrap(), b"mine");
}

/// The ways in which a state directory cannot be used.
#[cfg(unix)]
#[test]
fn without_a_directory_events_are_delivered_without_a_spool() {
    use std::os::unix::fs::symlink;
    for spoil in ["file", "link", "bucket is a link"] {
        let (state, wire) = (scratch(), Wire::up());
        let elsewhere = scratch();
        match spoil {
            "file" => fs::write(state.spool(), "").unwrap(),
            "link" => symlink(elsewhere.path(), state.spool()).unwrap(),
            _ => {
                run(config(&state, &wire, Spool::cli()), []);
                let bucket = state.buckets().remove(0);
                fs::remove_dir_all(&bucket).unwrap();
                symlink(elsewhere.path(), bucket).unwrap();
            }
        }
        let stats = run(config(&state, &wire, Spool::cli()), 1..=3);
        assert_eq!((stats.sent, stats.spooled, stats.lost_total()), (3, 0, 0), "{spoil}: {stats}");
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0, "{spoil}");
    }
}

#[test]
fn a_directory_that_disappears_at_run_time_costs_nothing() {
    let (state, wire) = (scratch(), Wire::up());
    for spool in [Spool::cli(), Spool::cli().each_event()] {
        let client = client(config(&state, &wire, spool));
        let before = wire.numbers().len();
        // The worker has checked the directory when this returns.
        client.flush(LONG).unwrap();
        fs::remove_dir_all(state.spool()).unwrap();
        crate::rig::capture(&client, 1..=3);
        client.shutdown(LONG).unwrap();
        adds_up(&client.stats());
        assert_eq!(wire.numbers().len() - before, 3, "{}", client.stats());
        assert!(!state.spool().exists());
    }
}

#[cfg(unix)]
#[test]
fn a_directory_that_becomes_a_link_while_the_program_runs_is_not_followed() {
    use std::os::unix::fs::symlink;
    for (is_bucket, spool) in [
        (true, Spool::cli()),
        (false, Spool::cli()),
        (true, Spool::cli().each_event()),
        (false, Spool::server()),
    ] {
        let (state, wire, elsewhere) = (scratch(), Wire::up(), scratch());
        let client = client(config(&state, &wire, spool));
        // The worker has looked once this is answered.
        client.flush(LONG).unwrap();
        let replaced = if is_bucket { state.buckets().remove(0) } else { state.spool() };
        let name = state.buckets()[0].file_name().unwrap().to_owned();
        fs::remove_dir_all(&replaced).unwrap();
        if !is_bucket {
            // There the bucket's name is taken by a directory that somebody else has made.
            fs::create_dir(elsewhere.path().join(name)).unwrap();
        }
        symlink(elsewhere.path(), &replaced).unwrap();
        let before = elsewhere.everything();
        crate::rig::capture(&client, 1..=3);
        client.shutdown(LONG).unwrap();
        adds_up(&client.stats());
        assert_eq!(wire.numbers(), [1, 2, 3], "{}", client.stats());
        assert_eq!(elsewhere.everything(), before);
    }
}

#[test]
fn a_name_in_the_future_is_due_now() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Stalls));
    run(config(&state, &wire, Spool::cli()), [1]);
    let file = state.files().remove(0);
    let name = file.file_name().unwrap().to_str().unwrap();
    fs::rename(&file, file.with_file_name(format!("e9999999999999{}", &name[14..]))).unwrap();
    wire.set(Endpoint::Answers(200));
    let client = client(config(&state, &wire, Spool::server()));
    crate::rig::capture(&client, [2]);
    client.flush(LONG).unwrap();
    eventually("both to arrive", || wire.numbers().len() == 2);
    client.shutdown(LONG).unwrap();
    let stats = client.stats();
    assert_eq!((stats.sent, stats.lost_total()), (2, 0), "{stats}");
    assert_eq!(wire.numbers(), [1, 2]);
    assert!(state.files().is_empty());
}

#[test]
fn a_file_with_any_byte_flipped_is_never_sent_and_stops_no_other() {
    let (state, wire) = (scratch(), Wire::new(Endpoint::Stalls));
    run(config(&state, &wire, Spool::cli()), [1]);
    let file = state.files().remove(0);
    let (bytes, name) = (fs::read(&file).unwrap(), file.file_name().unwrap().to_str().unwrap().to_owned());
    let stamp: u64 = name[1..14].parse().unwrap();
    let (_, rest) = name.split_once("-n").unwrap();
    fs::remove_file(&file).unwrap();
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1 << (at % 8);
        let other = format!("e{stamp:013}-{at:012x}-n{rest}");
        fs::write(file.with_file_name(other), flipped).unwrap();
    }
    fs::write(file.with_file_name(format!("e{:013}-0123456789ab-n{rest}", stamp + 1)), &bytes).unwrap();
    wire.set(Endpoint::Answers(200));
    let stats = run(config(&state, &wire, Spool::server()), []);
    assert_eq!((stats.sent, wire.numbers()), (1, vec![1]), "{stats}");
    // But for the digit that makes it a later version's: that one is left for its reader.
    let left = state.files().len() as u64;
    assert_eq!(
        (left <= 1, stats.lost(LossReason::SpoolDamaged)),
        (true, bytes.len() as u64 - left),
        "{stats}"
    );
}

#[test]
fn events_whose_directory_is_removed_are_counted() {
    for spool in [Spool::server(), Spool::server().each_event()] {
        let (state, wire) = (scratch(), Wire::new(Endpoint::Refuses));
        let client = client(config(&state, &wire, spool).flush_at(3));
        crate::rig::capture(&client, 1..=3);
        eventually("the events to be on disk", || client.stats().spooled == 3 && !state.files().is_empty());
        // The batch in progress may put a file back meanwhile.
        eventually("the directory to go", || {
            let _ = fs::remove_dir_all(state.spool());
            !state.spool().exists()
        });
        client.shutdown(std::time::Duration::from_millis(1)).unwrap();
        let stats = client.stats();
        adds_up(&stats);
        assert_eq!((stats.spooled, stats.queued), (0, 0), "{stats}");
        assert_eq!(stats.lost(LossReason::SpoolDamaged), 3, "{stats}");
    }
}
