//! A disk that takes nothing more: events take the way without a spool, and none is lost.

use std::process::Command;

use candor::Spool;

use crate::other::{Other, prepare, program};
use crate::rig::{Endpoint, Scratch, Wire, config, run, scratch};

/// What a script says if this machine does not let it do what it is for.
const CANNOT: i32 = 77;

/// Runs a role under a shell that spoils the directory first. Returns whether that was possible.
fn spoiled(runner: &[&str], script: &str, role: &str, state: &Scratch) -> bool {
    let mut command = Command::new(runner[0]);
    command.args(&runner[1..]).args(["sh", "-c", script, "sh"]).args(program()).env("DIR", state.path());
    let mut other = Other::spawn(prepare(command, role, state.path()));
    let said = other.hears("nothing lost");
    let code = other.end();
    if code == Some(CANNOT) {
        println!("skipped {role}: this machine does not let {runner:?} do {script:?}");
        return false;
    }
    assert!(said && code == Some(0), "{role} under {script:?}: {code:?}");
    true
}

const UNSHARE: [&str; 2] = ["unshare", "-rm"];

/// Whether a process may have mounts of its own here.
fn may_mount() -> bool {
    let status = Command::new(UNSHARE[0]).args([UNSHARE[1], "true"]).status();
    status.is_ok_and(|status| status.success())
}

/// The form that needs no rights: no file may be larger than 4 KiB, or 8 where the shell counts so.
#[test]
fn a_file_that_may_not_grow_costs_no_event() {
    for durability in ["sealed", "write-ahead", "each-event"] {
        let role = format!("no-room {durability}");
        let limited = "trap '' XFSZ; ulimit -f 8; exec \"$@\"";
        assert!(spoiled(&["env"], limited, &role, &scratch()));
    }
}

#[test]
fn a_full_disk_costs_no_event() {
    let mount = "mount -t tmpfs -o size=96k tmpfs \"$DIR\" || exit 77; exec \"$@\"";
    if !may_mount() {
        println!(
            "skipped: this machine lets nobody mount; `a_file_that_may_not_grow_costs_no_event` has run"
        );
        return;
    }
    for durability in ["sealed", "write-ahead", "each-event"] {
        spoiled(&UNSHARE, mount, &format!("no-room {durability}"), &scratch());
    }
}

#[test]
fn a_read_only_directory_costs_no_event() {
    // Of earlier runs, which are neither sent nor lost.
    let state = scratch();
    run(config(&state, &Wire::new(Endpoint::Stalls), Spool::cli()), [100]);
    let before = state.everything();
    if may_mount() {
        let mount =
            "mount --bind \"$DIR\" \"$DIR\" && mount -o remount,bind,ro \"$DIR\" || exit 77; exec \"$@\"";
        spoiled(&UNSHARE, mount, "read-only", &state);
    } else {
        println!("skipped the mount: this machine lets nobody mount");
    }
    assert_eq!(state.everything(), before);
}

/// Where not even root can make a directory.
#[test]
fn a_directory_that_cannot_be_made_costs_no_event() {
    let nowhere = Scratch::at("/proc/candor-test");
    for spool in [Spool::cli(), Spool::server().each_event()] {
        let wire = Wire::up();
        let stats = run(config(&nowhere, &wire, spool), 0..10);
        assert_eq!((stats.sent, stats.spooled, stats.lost_total()), (10, 0, 0), "{stats}");
    }
}
