//! After a fork the child neither sends what its parent keeps, nor holds its locks.

use std::os::unix::process::parent_id;
use std::panic::{AssertUnwindSafe, catch_unwind};

use candor::{ErrorKind, Spool};
use fork::{Fork, fork};
use testkit::{Reply, Server};

use crate::other::Other;
use crate::rig::{
    Endpoint, LONG, Scratch, Wire, capture, client, config, eventually, over_network, run, scratch,
};

/// A server that forks while its request hangs: it holds the lock of the bucket, and that of the file which captures
/// append to.
pub(crate) fn program(state: &Scratch, url: &str) {
    let parent = client(over_network(state, Spool::server().each_event()).endpoint(url).flush_at(1));
    eventually("what was left before to be under way", || parent.stats().requests == 1);
    capture(&parent, [2]);
    let here = std::process::id();
    let work = || {
        // The parent's client is of no use here, and starts nothing.
        capture(&parent, [100]);
        assert_eq!(parent.flush(LONG).unwrap_err().kind(), ErrorKind::NotRunning);
        assert_eq!(parent.shutdown(LONG).unwrap_err().kind(), ErrorKind::NotRunning);
        let wire = Wire::up();
        let own = client(config(state, &wire, Spool::server()).endpoint(url));
        capture(&own, [3]);
        own.flush(LONG).unwrap();
        assert_eq!(wire.numbers(), [3], "what the parent keeps is the parent's to send");
        println!("child has sent its own");
        eventually("the parent to be gone", || parent_id() != here);
        // Nobody holds the locks now: the copies that this process had are closed.
        eventually("what the parent kept to be sent", || {
            own.flush(LONG).unwrap();
            wire.numbers() == [1, 2, 3]
        });
        println!("child has sent the rest");
    };
    match fork().unwrap() {
        Fork::Child => std::process::exit(i32::from(catch_unwind(AssertUnwindSafe(work)).is_err())),
        // Until it is killed.
        Fork::Parent(_) => std::thread::sleep(LONG * 10),
    }
}

#[test]
fn a_child_neither_sends_what_its_parent_keeps_nor_holds_its_locks() {
    let (state, server) = (scratch(), Server::always(Reply::stall()));
    let earlier = config(&state, &Wire::new(Endpoint::Stalls), Spool::cli());
    run(earlier.endpoint(server.url()), [1]);
    let mut parent = Other::start(&format!("forks {}", server.url()), &state);
    parent.wait_for("child has sent its own");
    server.wait_for_begun(1);
    parent.kill();
    parent.wait_for("child has sent the rest");
    parent.end();
    assert_eq!(server.begun(), 1, "the parent's, and none of the child's");
    assert!(state.files().is_empty());
}
